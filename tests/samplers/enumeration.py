"""The probability of every configuration of codes, by quadrature over all coordinates of a tiny network.

Two or three neurons a layer, two samples, each a class of its own. Codes change where a preactivation is zero: at the
origin where a neuron has one coordinate, on rays from it where it has two. Between them the density is smooth, and
Gauss-Legendre rules on panels that end there converge fast. Only the likelihood of a kernel is written down; nothing is
shared with any sampler.

A configuration is how many neurons of each layer have each code: whatever does not change when neurons are permuted.
"""

import functools
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density, Position

#: Where the prior of a neuron's coordinates ends, in its standard deviations.
_REACH = 5.5
#: Codes of two samples.
_CODES = 4


class Rule(NamedTuple):
    """Nodes of a panel: along the radius, and along the angle of a sector (where there are two coordinates)."""

    radii: int = 12
    angles: int = 6


class Nodes(NamedTuple):
    """Where a neuron can be: its coordinates and activity, what its code adds to the signature of its layer, and the
    prior's mass."""

    coordinates: Float[np.ndarray, "K R"]
    activity: Float[np.ndarray, "K P"]
    signature: Int[np.ndarray, " K"]
    mass: Float[np.ndarray, " K"]


def signature(position: Position, density: Density) -> Int[Array, ""]:
    """The configuration of a draw, as the index that it has in `probabilities`."""
    preactivations, _ = density.propagate(position)
    width = density.network.width
    of_layers = jnp.sum((width + 1) ** _code(preactivations > 0), axis=1)
    places = _room(width) ** jnp.arange(density.network.depth)[::-1]
    return jnp.sum(of_layers * places)


def probabilities(density: Density, rules: tuple[Rule, ...]) -> Float[np.ndarray, " configuration"]:
    """The posterior's mass on every configuration; `rules` of all layers, the first in front."""
    masses = _masses(density, np.asarray(density.basis), rules)
    return masses / masses.sum()


def weighed(density: Density, draws: int) -> Float[np.ndarray, "2 configuration"]:
    """The same and its standard error where no quadrature is affordable: prior draws weighted by their likelihood."""
    count = _room(density.network.width) ** density.network.depth

    @jax.jit
    @jax.vmap
    def draw(key: Array) -> tuple[Array, Array]:
        position = density.prior_draw(key)
        return signature(position, density), -density.misfit(position)

    found, log_weights = (np.asarray(each) for each in draw(jax.random.split(jax.random.PRNGKey(0), draws)))
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    mass = np.bincount(found, weights, count)
    square = np.bincount(found, weights**2, count)
    return np.stack([mass, np.sqrt(square * (1 - 2 * mass) + mass**2 * np.sum(weights**2))])


def _code(bits):  # type: ignore[no-untyped-def]
    return bits[..., 0] + 2 * bits[..., 1]


def _room(width: int) -> int:
    """More than any signature of a layer."""
    return (width + 1) ** _CODES


def _masses(
    density: Density, basis: Float[np.ndarray, "P R"], rules: tuple[Rule, ...]
) -> Float[np.ndarray, " configuration"]:
    """Prior mass times likelihood of every configuration of a layer with z = u basis^T and those above."""
    width = density.network.width
    if len(rules) == 1:
        return np.bincount(*_last_layer(density, _nodes(density, basis, rules[0])), _room(width))
    found = np.zeros((_room(width), _room(width) ** (len(rules) - 1)))
    for pair, mass in _ordered_pairs(density, basis, rules[0]):
        next_basis = np.sqrt(float(density.weight_variance) / width) * pair.activity.T
        found[pair.signature.sum()] += mass * _masses(density, next_basis, rules[1:])
    return found.ravel()


def _ordered_pairs(
    density: Density, basis: Float[np.ndarray, "P 1"], rule: Rule
) -> Iterator[tuple[Nodes, Float[np.ndarray, ""]]]:
    """Two neurons of one coordinate each, the first the larger: where they are alike the layer above sees one sample
    as a multiple of the other, and masses have a kink."""
    first = _nodes(density, basis, rule)
    for index, end in enumerate(first.coordinates[:, 0]):
        second = _nodes(density, basis, rule, end)
        for other in range(len(second.mass)):
            pair = Nodes(*(np.stack([one[index], two[other]]) for one, two in zip(first, second, strict=True)))
            yield pair, 2 * np.prod(pair.mass)


def _last_layer(
    density: Density, nodes: Nodes
) -> tuple[Int[np.ndarray, " configuration"], Float[np.ndarray, " configuration"]]:
    """Signatures and masses of all combinations of nodes, one a neuron."""
    width, count = density.network.width, len(nodes.mass)

    def combined(values: np.ndarray, join: np.ufunc) -> np.ndarray:
        along = (values.reshape((1,) * axis + (count,) + (1,) * (width - 1 - axis)) for axis in range(width))
        return functools.reduce(join, along).ravel()

    first, second = nodes.activity.T
    kernel = [combined(entries, np.add) for entries in (first**2, first * second, second**2)]
    return (
        combined(nodes.signature, np.add),
        combined(nodes.mass, np.multiply) * _likelihood(density, *kernel),
    )


def _likelihood(
    density: Density, first: np.ndarray, mixed: np.ndarray, second: np.ndarray
) -> Float[np.ndarray, " configuration"]:
    """N(Y; 0, c Phi^T Phi + T), up to a constant, from the entries of Phi^T Phi."""
    scaled_readout_variance, noise = float(density.scaled_readout_variance), float(density.temperature)
    targets = np.asarray(density.targets)
    one, both, other = (
        scaled_readout_variance * first + noise,
        scaled_readout_variance * mixed,
        scaled_readout_variance * second + noise,
    )
    determinant = one * other - both**2
    square = targets @ targets.T
    misfit = (other * square[0, 0] - 2 * both * square[0, 1] + one * square[1, 1]) / determinant
    return np.exp(-misfit / 2) * determinant ** (-targets.shape[1] / 2)


def _nodes(density: Density, basis: Float[np.ndarray, "P R"], rule: Rule, end: float = _REACH) -> Nodes:
    """Nodes for one neuron; of one coordinate, up to an end."""
    if basis.shape[1] == 1:
        ends = [-_REACH, *([0.0] if end > 0 else []), end]
        line, weights = np.concatenate([_panel(*panel, rule.radii) for panel in itertools.pairwise(ends)], axis=1)
        coordinates, mass = line[:, None], weights * np.exp(-(line**2) / 2) / np.sqrt(2 * np.pi)
    else:
        # the rays on which a preactivation is zero
        rays = np.arctan2(basis[:, 1], basis[:, 0]) + np.pi / 2
        rays = np.sort(np.mod(np.concatenate([rays, rays + np.pi]), 2 * np.pi))
        sectors = itertools.pairwise([*rays, rays[0] + 2 * np.pi])
        angles, around = np.concatenate([_panel(*sector, rule.angles) for sector in sectors], axis=1)
        radii, along = _panel(0.0, _REACH, rule.radii)
        coordinates = np.einsum("r,cn->nrc", radii, [np.cos(angles), np.sin(angles)]).reshape(-1, 2)
        mass = np.outer(around, along * radii * np.exp(-(radii**2) / 2)).ravel() / (2 * np.pi)
    preactivation = coordinates @ basis.T
    return Nodes(
        coordinates,
        np.asarray(density.network.activation(jnp.asarray(preactivation))),
        (density.network.width + 1) ** _code(preactivation > 0),
        mass,
    )


def _panel(low: float, high: float, count: int) -> Float[np.ndarray, "2 count"]:
    """Nodes and weights of Gauss and Legendre between two ends."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return np.stack([(low + high) / 2 + (high - low) / 2 * nodes, (high - low) / 2 * weights])
