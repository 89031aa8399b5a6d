"""The same neurons at four levels: as codes, as activities, as weights that the data see, and as weights.

Redundant coding is approximate condensation at the level of codes: weight components that no training input sees, and
differences within classes, keep their prior. Calling a redundant code a manifold is an interpretation, no theorem.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from codingschemes.calls import known_keywords
from codingschemes.manifolds.activation_class import ActivationClass, classify
from codingschemes.manifolds.detection import TOLERANCES, strict_widths
from codingschemes.manifolds.manifold import Neurons
from codingschemes.networks import Activation
from codingschemes.representation import class_means

LEVELS = ("codes", "activities", "seen weights", "weights")


@known_keywords
def level_widths(
    neurons: Neurons,
    inputs: Float[np.ndarray, "P D"],
    labels: Int[np.ndarray, " P"],
    activation: Activation,
    kind: ActivationClass,
    tolerances: Float[np.ndarray, " T"],
) -> dict[str, Int[np.ndarray, " T"]]:
    """Strict effective width against tolerance at every level of `LEVELS`.

    Activities are measured from that of a silent neuron, phi(0): neurons of the prior hover about it, and measured
    from zero the offset that they share would make any of them look alike. `codes`: class-mean activities;
    `activities`: at every training input; `seen weights`: (a, w) with w projected on the span of the training inputs;
    `weights`: (a, w).

    Args:
        neurons: one network.
        inputs: as the weights multiply them: scaled, and with a column of ones for a bias.
        labels: the class of each input.
        activation: what it uses.
        kind: the activation's class.
        tolerances: as in `Detection`.

    Raises:
        InvalidInput: weights or activities that are not finite.

    Example:
        >>> points, classes = np.asarray(problem.inputs), np.arange(20) % 2
        >>> tanh = cs.Network("tanh").activation
        >>> widths = cs.manifolds.level_widths(neurons, points, classes, tanh, kind, np.array([1e-3, 2.0]))
        >>> widths["weights"].shape
        (2,)
    """
    activity = np.asarray(activation(jnp.asarray(np.asarray(neurons.weight) @ inputs.T)) - activation(jnp.zeros(())))
    # Mirrored neurons of an even activation have one activity: no sign is free there.
    active = replace(kind, symmetry="vanishing") if kind.symmetry == "even" else kind
    _, singular, axes = np.linalg.svd(inputs, full_matrices=False)
    seen = axes[singular > 1e-10 * singular[0]]
    parts = {
        "codes": [class_means(activity.T, labels).T],
        "activities": [activity],
        "seen weights": [neurons.readout, neurons.weight @ seen.T @ seen],
        "weights": [neurons.readout, neurons.weight],
    }
    kinds = {"codes": active, "activities": active}
    return {
        name: strict_widths([np.asarray(part, float) for part in parts[name]], kinds.get(name, kind), tolerances)
        for name in LEVELS
    }


@dataclass(frozen=True)
class Profile:
    """Median effective widths over draws, at every level, beside those of reference draws.

    Attributes:
        tolerances: (tolerance,).
        drawn: level -> widths, (tolerance,).
        reference: the same for draws from the prior.

    Example:
        >>> draws = cs.manifolds.Neurons(rng.normal(size=(2, 3, 1)), rng.normal(size=(2, 3, 2)))
        >>> tanh, classes = cs.Network("tanh").activation, np.arange(20) % 2
        >>> found = cs.manifolds.profile(draws, draws, np.asarray(problem.inputs), classes, tanh)
        >>> list(found.drawn)
        ['codes', 'activities', 'seen weights', 'weights']
    """

    tolerances: Float[np.ndarray, " T"]
    drawn: dict[str, Float[np.ndarray, " T"]]
    reference: dict[str, Float[np.ndarray, " T"]]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            name: {"drawn": self.drawn[name].tolist(), "prior": self.reference[name].tolist()} for name in self.drawn
        }


@known_keywords
def profile(
    drawn: Neurons,
    reference: Neurons,
    inputs: Float[np.ndarray, "P D"],
    labels: Int[np.ndarray, " P"],
    activation: Activation,
    tolerances: Float[np.ndarray, " T"] = TOLERANCES,
) -> Profile:
    """Median over draws of `level_widths`, of draws from a posterior and from its prior.

    Args:
        drawn, reference: (draw, neuron, ...).
        inputs, labels: as for `level_widths`.
        activation: what the network uses.
        tolerances: as in `Detection`.

    Raises:
        InvalidInput: weights or activities that are not finite.

    Example:
        >>> draws = cs.manifolds.Neurons(rng.normal(size=(2, 3, 1)), rng.normal(size=(2, 3, 2)))
        >>> tanh, classes = cs.Network("tanh").activation, np.arange(20) % 2
        >>> cs.manifolds.profile(draws, draws, np.asarray(problem.inputs), classes, tanh).tolerances.shape
        (31,)
    """
    kind = classify(activation)

    def median(neurons: Neurons) -> dict[str, Float[np.ndarray, " T"]]:
        each = [
            level_widths(Neurons(readout, weight), inputs, labels, activation, kind, tolerances)
            for readout, weight in zip(np.asarray(neurons.readout), np.asarray(neurons.weight), strict=True)
        ]
        return {name: np.median([widths[name] for widths in each], axis=0) for name in LEVELS}

    return Profile(np.asarray(tolerances, float), median(drawn), median(reference))
