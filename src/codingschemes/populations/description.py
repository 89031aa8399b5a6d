"""What a population does: codes, scheme, outliers, kernel, collapse and abstraction, with nothing sampled."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import binomtest

from codingschemes.calls import checked
from codingschemes.coding.collapse import collapse_of
from codingschemes.coding.layers import (
    CodeShare,
    Kernels,
    Layer,
    LayerAbstraction,
    OutlierNeuron,
    Portrait,
    summarize_layer,
)
from codingschemes.coding.population import population as class_statistics
from codingschemes.coding.scheme import FEWEST_NEURONS, Scheme, read_by_class_means
from codingschemes.errors import InvalidInput
from codingschemes.populations.abstraction import Abstraction, abstraction_of
from codingschemes.populations.geometry import Samples
from codingschemes.populations.population import Population
from codingschemes.populations.structure import Structure, structure_of
from codingschemes.progress import announce
from codingschemes.representation import AbstractionScores

UNREAD = "no readout was given: class-mean activities stand in for it in outliers and the scheme"
_RUN_ONLY = ("code_rhat", "outlier_rhat", "drift")
"""Keys of a run's layer that a single population has no number for."""


@dataclass(frozen=True)
class Description:
    """The answers about one population.

    Attributes:
        population: what was described.
        shown: the samples of it that figures show and decoders see.
        layer: codes, scheme, outliers, kernel and collapse, as of a hidden layer of a run with one draw.
        abstraction: with errors and nulls.
        structure: functional groups, recurring states, and how far axes of single neurons stand out.
        notes: what to know before reading the numbers, in sentences.
        layer_name: what the layer is called in figures.

    Example:
        >>> sorted(description.abstraction.scores)[:2]
        ['ccgp', 'decoding']
        >>> description.layer.kernels.between.shape
        (4, 4)
    """

    population: Population
    shown: Population
    layer: Layer
    abstraction: Abstraction
    structure: Structure
    notes: tuple[str, ...]
    layer_name: str = "layer"

    @property
    def scheme(self) -> Scheme:
        """Analog, redundant, sparse or undecided, with probability and evidence."""
        return self.layer.scheme

    @property
    def codes(self) -> tuple[CodeShare, ...]:
        """The most frequent first; intervals are those of a share of so many neurons (Wilson 1927)."""
        return self.layer.codes

    @property
    def outliers(self) -> tuple[OutlierNeuron, ...]:
        """The strongest first."""
        return self.layer.outliers

    @property
    def kernels(self) -> tuple[Kernels, ...]:
        """The representational kernel; `between_mcse` is its standard error over neurons."""
        return (self.layer.kernels,)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """One."""
        return (self.layer,)

    @property
    def portraits(self) -> tuple[Portrait, ...]:
        """One, for figures."""
        return self.layer.portraits

    @property
    def portrait_names(self) -> tuple[str, ...]:
        """What each portrait is of."""
        return (self.population.name,)

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the keys of one entry of a summary's `layers`; NaN where a number does not exist."""
        found = self.layer.to_json(self.population.class_names)
        for neuron, listed in zip(self.layer.outliers, found["outliers"], strict=True):
            del listed["chain"]
            listed["neuron"] = neuron.neuron
        for code in found["codes"]:
            del code["by_chain"]
        return {
            "name": self.population.name,
            **{key: None if key in _RUN_ONLY else value for key, value in found.items()},
            "abstraction": {
                "definition": self.abstraction.definition,
                **{name: score.to_json() for name, score in self.abstraction.scores.items()},
                "samples_decoded": self.abstraction.samples_decoded,
            },
            "structure": self.structure.to_json(),
            "classes": list(self.population.class_names),
            "samples": [int(size) for size in self.population.class_sizes],
            "neurons": self.population.size,
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        layer = self.layer
        codes = ", ".join(f"{code.code} {code.fraction:.0%}" for code in layer.codes[:4])
        more = ", ..." if len(layer.codes) > 4 else ""
        lines = [
            f"{self.population!r}",
            f"scheme: {layer.scheme.words}",
            f"codes: {codes + more or 'none'} ({layer.coded:.0%} of the neurons have one)",
            f"outliers: {len(layer.outliers)}, carrying {layer.outlier_share:.0%} of the class-specific output; "
            f"effective neurons {layer.effective_neurons:.1f}",
            *(f"{name}: {score}" for name, score in self.abstraction.scores.items()),
            *(f"{name}: {said}" for name, said in self.structure.words.items()),
            *(f"note: {note}" for note in self.notes),
        ]
        return "\n".join(lines)


@checked
def describe(
    population: Population,
    *,
    bootstraps: int = 50,
    shuffles: int = 200,
    seed: int = 0,
    max_samples: int = 50,
    max_dichotomies: int = 10,
    max_splits: int = 8,
) -> Description:
    """Which coding scheme a population uses, and how abstract it is. Nothing is sampled.

    Args:
        population: activities with labels.
        bootstraps: draws of neurons and trials behind intervals; 0 leaves intervals out. Decoders of more than 300
            samples are trained in fewer of them (8 at least), and their intervals are wider for it.
        shuffles: of every null; 0 leaves nulls out.
        seed: of draws, shuffles, folds and random subsets.
        max_samples: most samples of each class that decoders are trained on and figures show.
        max_dichotomies: most balanced dichotomies that are decoded, chosen at random: all of 6 classes by default.
        max_splits: most train-test splits of CCGP for one factor or dichotomy.

    Raises:
        InvalidInput: a number is out of range.

    Example:
        >>> description = cs.describe(population, bootstraps=4, shuffles=9)
        >>> description.abstraction.ccgp.value
        1.0
    """
    for name, value, least in (
        ("bootstraps", bootstraps, 0),
        ("shuffles", shuffles, 0),
        ("max_samples", max_samples, 2),
        ("max_dichotomies", max_dichotomies, 1),
        ("max_splits", max_splits, 1),
    ):
        if value < least:
            raise InvalidInput(f"`{name}` = {value} is too small: give {least} or more")
    if bootstraps == 1:
        raise InvalidInput("`bootstraps` = 1 shows no spread: give 2 or more, or 0 for no intervals")
    notes = list(population.notes)
    shown = population.thin(max_samples, seed)
    announce("looking for codes and outliers")
    layer = _layer(population, shown)
    if population.readout is None:
        notes.append(UNREAD)
    if population.activation is None:
        notes.append(
            "the activation is not known: levels of activity are those of the population; name it, where it is known, "
            "for sharper codes"
        )
    if population.size < FEWEST_NEURONS:
        notes.append(f"{population.size} neurons are too few to name a scheme: at least {FEWEST_NEURONS} are needed")
    if len(shown.labels) < len(population.labels):
        notes.append(
            f"decoders and figures use {max_samples} samples a class at most, {len(shown.labels)} of "
            f"{len(population.labels)}: `max_samples` sets how many"
        )
    abstraction = abstraction_of(population, bootstraps, shuffles, seed, max_samples, max_dichotomies, max_splits)
    structure = structure_of(population, shown, bootstraps, shuffles, seed)
    return Description(population, shown, layer, abstraction, structure, tuple(notes))


def _layer(population: Population, shown: Population) -> Layer:
    """The population as a hidden layer of a run with one chain and one draw."""
    readout, activity = population.readout, population.activity.T
    known = readout is not None
    weights = np.zeros((population.size, 1)) if readout is None else readout
    neurons = class_statistics(activity[None, None], weights[None, None], population.labels)
    neurons = neurons if known else read_by_class_means(neurons)
    own = readout if readout is not None and readout.shape[1] == population.class_count else None
    layer = summarize_layer(
        neurons,
        population.bounds,
        shown.activity.T[None],
        _kernels(population, shown),
        LayerAbstraction(_NOT_HERE, {}),
        collapse_of(activity, population.labels, own),
        None,
        0,
        readout_known=known,
    )
    return replace(layer, codes=tuple(_with_interval(code, population.size) for code in layer.codes))


def _with_interval(code: CodeShare, neurons: int) -> CodeShare:
    found = binomtest(round(code.fraction * neurons), neurons).proportion_ci(method="wilson")
    return replace(code, interval=(float(found.low), float(found.high)))


def _kernels(population: Population, shown: Population) -> Kernels:
    """Means over blocks of classes, without ever forming the kernel of all samples, and that of the samples shown."""
    samples = Samples(population.activity, population.labels)
    ones = np.ones(population.size)
    _, between = samples.kernels(np.ones(len(population.labels)), ones)
    diagonal = samples.sums(np.ones(len(population.labels)), samples.squares) @ ones
    return Kernels(
        full=shown.activity @ shown.activity.T / population.size,
        within=np.diag(between).copy(),
        between=between,
        between_mcse=_error_over_neurons(samples),
        diagonal=diagonal / samples.sizes / population.size,
    )


def _error_over_neurons(samples: Samples) -> Float[np.ndarray, "G G"]:
    """Standard error of the kernel's block means, each a mean over neurons."""
    sizes = samples.sizes[:, None]
    ones = np.ones(len(samples.labels))
    means = samples.sums(ones) / sizes
    neurons = means.shape[1]
    products = np.einsum("gn,hn->ghn", means, means)
    own = (sizes * means**2 - samples.sums(ones, samples.squares) / sizes) / np.where(sizes > 1, sizes - 1, np.nan)
    diagonal = np.arange(len(means))
    products[diagonal, diagonal] = own
    return products.std(axis=2, ddof=1 if neurons > 1 else 0) / np.sqrt(neurons)


_NOT_HERE = AbstractionScores(
    definition="of a described population: see `Description.abstraction`",
    parallelism=None,
    parallelism_by_factor=(),
    ccgp=None,
    ccgp_by_factor=(),
    shattering=None,
    shattering_by_dichotomy=(),
    dichotomies=(),
    reasons={},
    dichotomies_available=0,
    splits_used=0,
    splits_available=0,
)
"""Scores of a layer's networks, which a population has with errors and nulls instead."""
