"""A population of neurons: activities of any origin, a label for every sample, and what else is known of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from codingschemes.calls import checked
from codingschemes.errors import InvalidInput
from codingschemes.networks.activations import ACTIVATIONS, Activation, Bounds
from codingschemes.populations.arrays import (
    combinations_of,
    factors_of_classes,
    over_time,
    read_activity,
    read_classes,
    read_factors,
)
from codingschemes.representation.arrays import labelled_activity
from codingschemes.representation.dichotomies import check_factors

SYNONYMS = {"identity": "linear", "hard_tanh": "hardtanh", "swish": "silu"}
"""Activations as other libraries call them."""
_SAME = 1e-12


class Population:
    """Activities of neurons, (sample, neuron), with a label for every sample.

    Attributes:
        activity: in double precision, samples sorted by class, (sample, neuron).
        labels: the class of each sample, 0..G-1, (sample,).
        order: which row of what was given each sample is, (sample,).
        given: how many samples it was made of, with those that were left out.
        class_names: one a class, in the sorted order of the labels.
        readout: what the outputs read from the neurons, (neuron, output), or None.
        target_names: one an output of the readout; the classes where there is none.
        factors: -1/+1 of each class, (class, factor), or None.
        activation: its name, or None.
        bounds: of the activation; None where it is unbounded or not known, and the two levels of a code are those of
            the population itself.
        name: of the population, for figures.
        notes: what was done to the data on the way, and what is missing, in sentences.

    Example:
        >>> population
        Population('population': 40 samples x 12 neurons, 4 classes of 10 samples)
        >>> population.activity.shape
        (40, 12)
    """

    @checked
    def __init__(
        self,
        activity: Any,
        labels: Any = None,
        readout: Any = None,
        factors: Any = None,
        activation: str | None = None,
        names: Any = None,
        *,
        name: str = "population",
        window: Any = None,
    ):
        """Check and keep arrays.

        Args:
            activity: samples first, (sample, neuron), or (sample, neuron, time), which is averaged over time: of NumPy,
                a table of pandas, an array of xarray, or an object with `X` and `obs` as AnnData has it. Neurons or
                samples without one finite value are left out, and `notes` says so.
            labels: one a sample: whole numbers, text or booleans; or the name of a column or coordinate that holds
                them. May be left out where `factors` has a row a sample: classes are then their combinations.
            readout: weights of the outputs, (neuron, output).
            factors: two values each, (class, factor) in the sorted order of the labels, or (sample, factor).
            activation: a name as `Network` takes it; it says at which levels a neuron is active and silent.
            names: of the classes, in the sorted order of the labels, or by label.
            name: of the population.
            window: first and last time of a window to average over, in units of the time coordinate or in bins.

        Raises:
            InvalidInput: arrays do not belong together, look transposed, hold NaN in places, or tell nothing apart.
        """
        found = read_activity(activity, labels)
        notes = [f"class {missing} has no sample" for missing in found.missing]
        phi = found.activity
        if phi.ndim == 0:
            raise InvalidInput(
                "the activity is a single number: give a matrix, one row a sample and one column a neuron"
            )
        if phi.ndim == 3:
            phi, note = over_time(phi, found.times, window)
            notes.append(note)
        elif window is not None:
            raise InvalidInput("a `window` is for activities (sample, neuron, time): leave it out, these have no time")
        signs = None if factors is None else read_factors(factors, len(phi))
        values = found.labels
        if values is None:
            if signs is None or len(signs) != len(phi):
                raise InvalidInput("there are no labels: give `labels`, one a sample, or `factors` with a row a sample")
            values = combinations_of(signs)
        phi, values, kept, rows = _finite(phi, values, notes)
        phi, classes = labelled_activity(phi, values)
        classes, class_names = read_classes(values, len(phi), names)
        if signs is not None:
            signs = signs[rows] if len(signs) == len(rows) else signs
            signs = check_factors(factors_of_classes(signs, classes.numbers, class_names), len(class_names))
        order = np.argsort(classes.numbers, kind="stable")
        self.activity: Float[np.ndarray, "P N"] = np.ascontiguousarray(phi[order])
        self.labels: Int[np.ndarray, " P"] = classes.numbers[order]
        self.order: Int[np.ndarray, " P"] = np.flatnonzero(rows)[order]
        self.given: int = len(rows)
        self.class_names: tuple[str, ...] = class_names
        self.factors: Float[np.ndarray, "G F"] | None = signs
        self.readout: Float[np.ndarray, "N C"] | None = None if readout is None else _readout(readout, kept)
        outputs = len(class_names) if self.readout is None else self.readout.shape[1]
        one_hot = outputs == len(class_names)
        self.target_names = class_names if one_hot else tuple(f"output {index}" for index in range(outputs))
        self.activation = activation
        self.bounds: Bounds = None
        if activation is not None:
            known = ACTIVATIONS[SYNONYMS.get(activation, activation)]
            self.bounds = known.bounds
            _check_levels(known, activation, self.activity)
        self.name = name
        _say_what_is_odd(self.activity, self.class_sizes, class_names, notes)
        self.notes = tuple(notes)

    @property
    def class_sizes(self) -> Int[np.ndarray, " G"]:
        """Number of samples of each class."""
        return np.bincount(self.labels)

    @property
    def class_count(self) -> int:
        """Number of classes G."""
        return len(self.class_names)

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.activity.shape[1]

    def thin(self, per_class: int, seed: int = 0) -> "Population":
        """At most `per_class` random samples of each class, by `seed`; the population itself where none is left out."""
        if self.class_sizes.max() <= per_class:
            return self
        rng = np.random.default_rng(seed)
        members = [np.flatnonzero(self.labels == label) for label in range(self.class_count)]
        kept = np.concatenate([np.sort(rng.permutation(each)[:per_class]) for each in members])
        fewer = object.__new__(Population)
        fewer.__dict__ = self.__dict__ | {name: getattr(self, name)[kept] for name in ("activity", "labels", "order")}
        return fewer

    @property
    def words(self) -> str:
        """Its name and sizes, in a line."""
        sizes = self.class_sizes
        each = f"{sizes.min()}" if np.ptp(sizes) == 0 else f"{sizes.min()} to {sizes.max()}"
        return (
            f"{self.name!r}: {len(self.activity)} samples x {self.size} neurons, {self.class_count} classes "
            f"of {each} samples"
        )

    def __repr__(self) -> str:
        return f"Population({self.words})"


def _finite(phi: Any, labels: Any, notes: list[str]) -> tuple[Any, Any, Any, Any]:
    """Without neurons and samples that have no value at all; with the kept neurons and samples of all.

    Raises:
        InvalidInput: values are missing here and there.
    """
    if phi.ndim != 2 or phi.dtype.kind != "f" or not phi.size:
        return phi, labels, np.ones(np.shape(phi)[-1] if phi.ndim else 0, bool), np.ones(len(phi), bool)
    finite = np.isfinite(phi)
    if finite.all():
        return phi, labels, np.ones(phi.shape[1], bool), np.ones(len(phi), bool)
    neurons, samples = finite.any(axis=0), finite.any(axis=1)
    partly = ~finite[np.ix_(samples, neurons)].all(axis=0)
    if partly.any() or not neurons.any():
        raise InvalidInput(
            f"{int(partly.sum()) or phi.shape[1]} of {phi.shape[1]} neurons hold NaN or infinite values in some samples"
            f" (the first is neuron {int(np.flatnonzero(neurons)[partly.argmax()]) if partly.any() else 0}): leave "
            "those neurons or samples out"
        )
    for kept, what in ((neurons, "neurons"), (samples, "samples")):
        if not kept.all():
            notes.append(f"{int((~kept).sum())} of {len(kept)} {what} hold no finite value and are left out")
    labels = labels[samples] if np.ndim(labels) == 1 and len(labels) == len(samples) else labels
    return phi[np.ix_(samples, neurons)], labels, neurons, samples


def _readout(readout: Any, kept: Any) -> Float[np.ndarray, "N C"]:
    found = np.asarray(readout)
    found = found[:, None] if found.ndim == 1 else found
    fits = found.ndim == 2 and found.dtype.kind in "buif" and len(found) == len(kept)
    if not fits or not np.all(np.isfinite(found)):
        hint = "it looks transposed, give readout.T" if found.ndim == 2 and found.shape[1] == len(kept) else ""
        raise InvalidInput(
            f"a readout is finite numbers (neuron, output) with {len(kept)} rows here, not {found.dtype} of shape "
            f"{found.shape}: {hint or 'give one row a neuron'}"
        )
    return found[kept].astype(np.float64)


def _check_levels(known: Activation, name: str, activity: Float[np.ndarray, "P N"]) -> None:
    """Bounded activations are at known levels.

    Raises:
        InvalidInput: activities lie outside the range of the activation that was named.
    """
    low, high = known.bounds or (0.0 if known.family == "threshold" else -np.inf, np.inf)
    rounding = 1e-5
    if activity.min() < low - rounding or activity.max() > high + rounding:
        raise InvalidInput(
            f"activities from {activity.min():.3g} to {activity.max():.3g} are not those of {name}: give what "
            "comes after the activation, or leave `activation` out"
        )


def _say_what_is_odd(
    activity: Float[np.ndarray, "P N"], sizes: Int[np.ndarray, " G"], names: Sequence[str], notes: list[str]
) -> None:
    """Notes about neurons and classes that allow less than others.

    Raises:
        InvalidInput: all samples have the same activity.
    """
    constant = np.ptp(activity, axis=0) <= _SAME * np.abs(activity).max(axis=0, initial=0)
    if constant.all():
        raise InvalidInput(
            "the activity is the same in every sample, so there is nothing to describe: look at the data"
        )
    if constant.any():
        notes.append(
            f"{int(constant.sum())} of {len(constant)} neurons do the same in every sample; they count as neurons"
        )
    single = [name for name, size in zip(names, sizes, strict=True) if size == 1]
    if len(single) == len(names):
        notes.append("every class has a single sample: nothing is known of noise, and samples cannot be drawn anew")
    elif single:
        notes.append(
            f"one sample only of class {', '.join(single[:5])}{', …' if len(single) > 5 else ''}: scores are not "
            "corrected for noise"
        )
