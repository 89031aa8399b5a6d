"""Channels to infinity: students of a gated linear unit, which no finite pair of neurons is, and of other targets."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.optimize import least_squares

from codingschemes.manifolds import (
    ActivationClass,
    Channel,
    Neurons,
    channels,
    classify,
    gated_output,
    pair_of,
    random_neurons,
)
from codingschemes.networks import ACTIVATIONS, Activation

#: What is learned: one gated linear unit; as many neurons as stand for it; sin 2x cos 2y.
GATED, NEURONS, SINES = "gated unit", "two neurons", "sines"
#: Neurons of the students.
WIDTHS = {GATED: 2, NEURONS: 2, SINES: 4}
#: Evaluations after which a student is looked at.
LOOKS = (30, 100, 300, 1000)
_INPUTS, _SAMPLES = 2, 100
#: A channel goes on: readouts are further apart, by this factor, than at the second look.
_GROWN = 1.3


class Lesson(NamedTuple):
    """What a student learns.

    Attributes:
        inputs: X, its last column ones.
        targets: Y.
        gate: |v| of a gated unit; NaN elsewhere.
    """

    inputs: Float[np.ndarray, "P D"]
    targets: Float[np.ndarray, "P 1"]
    gate: float


def lesson(teacher: str, activation: Activation, rng: np.random.Generator) -> Lesson:
    """Normal inputs in the plane, and what one of the teachers makes of them.

    Args:
        teacher: a gated unit sigma(w . x) + (v . x) sigma'(w . x), two neurons, or sin 2x cos 2y.
        activation: sigma.
        rng: draws inputs and teacher.
    """
    inputs = np.hstack([rng.normal(size=(_SAMPLES, _INPUTS)), np.ones((_SAMPLES, 1))])
    if teacher == SINES:
        return Lesson(inputs, np.sin(2 * inputs[:, :1]) * np.cos(2 * inputs[:, 1:2]), np.nan)
    if teacher == NEURONS:
        two = random_neurons(rng, 2, _INPUTS + 1, 1)
        return Lesson(inputs, np.asarray(activation(jnp.asarray(inputs @ two.weight.T))) @ two.readout, np.nan)
    weight, gate = rng.normal(size=(2, _INPUTS + 1))
    value, slope = jax.jvp(activation, (jnp.asarray(inputs @ weight),), (jnp.asarray(inputs @ gate),))
    return Lesson(inputs, np.asarray(value + slope)[:, None], float(np.linalg.norm(gate)))


def students(
    learned: Lesson, activation: Activation, width: int, rng: np.random.Generator, looks: tuple[int, ...] = LOOKS
) -> list[tuple[Neurons, float]]:
    """A network and its relative mean squared error at every look, by Levenberg's and Marquardt's method: plain descent
    takes times in channels that nobody has.

    Args:
        learned: inputs and targets.
        activation: of the student.
        width: its neurons.
        rng: draws where it starts.
        looks: evaluations, ascending.
    """
    inputs, targets = jnp.asarray(learned.inputs), jnp.asarray(learned.targets[:, 0])

    @jax.jit
    def misses(flat: Float[Array, " n"]) -> Float[Array, " P"]:
        return activation(inputs @ flat[width:].reshape(width, -1).T) @ flat[:width] - targets

    slopes = jax.jit(jax.jacfwd(misses))
    flat = np.concatenate([rng.normal(size=width) / np.sqrt(width), rng.normal(size=width * inputs.shape[1])])
    found, made = [], 0
    for look in looks:
        made, more = look, look - made
        end = least_squares(
            lambda at: np.asarray(misses(at)),
            flat,
            lambda at: np.asarray(slopes(at)),
            method="lm",
            max_nfev=more,
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
        )
        flat = end.x
        neurons = Neurons(flat[:width, None], flat[width:].reshape(width, -1))
        found.append((neurons, float(2 * end.cost / len(targets) / np.var(learned.targets))))
    return found


def growing(found: list[tuple[Neurons, float]], kind: ActivationClass) -> tuple[Channel, ...]:
    """Channels of the last look whose readouts have gone on growing apart since the second.

    Args:
        found: of `students`.
        kind: class of the activation.
    """
    before, last = found[1][0], found[-1][0]
    return tuple(
        each for each in channels(last, kind) if each.apart >= _GROWN * pair_of(before, *each.neurons, kind).apart
    )


def channel_rows(activation: str, teacher: str, seed: int) -> list[dict[str, Any]]:
    """A row a look of one student: its error, and how far apart the pair is that went furthest.

    `product` is |a_i - a_j| |w_i - w_j| over 2 |v|, to which it tends where a gated unit is learned.

    Args:
        activation: registered name of a smooth function.
        teacher: a gated unit, two neurons, or sines.
        seed: of teacher, inputs and student.
    """
    sigma, rng = ACTIVATIONS[activation], np.random.default_rng(seed)
    kind, learned = classify(sigma), lesson(teacher, sigma, rng)
    found = students(learned, sigma, WIDTHS[teacher], rng)
    pairs = growing(found, kind)
    rows = []
    for look, (neurons, error) in zip(LOOKS, found, strict=True):
        row: dict[str, Any] = {"activation": activation, "teacher": teacher, "seed": seed, "step": look, "loss": error}
        row |= dict.fromkeys(("apart", "gap", "product"), np.nan)
        if pairs:
            pair = pair_of(neurons, *pairs[0].neurons, kind)
            row |= {"apart": pair.apart, "gap": pair.between, "product": pair.product / (2 * learned.gate)}
        rows.append(row)
    rows[-1]["channels"] = len(pairs)
    if pairs:
        own, unit = gated_output(found[-1][0], pairs[0], learned.inputs, sigma, kind)
        rows[-1]["from_unit"] = float(np.linalg.norm(own - unit) / np.linalg.norm(own))
    return rows
