"""Samplable forms of one posterior.

All work in whitened coordinates theta, standard normal under the prior, so that

    U(theta) = |theta|^2/2 + misfit(theta),    p(theta) proportional to exp(-U(theta)).

`WeightsDensity` samples every weight; `ReducedDensity` samples the first layer through its preactivations at the
training inputs, z = u L^T with K0 = L L^T, and integrates the readout out; `FunctionDensity` (in `function`) samples
the layers above through their preactivations, too. The marginals of what all share (preactivations, readouts) agree
exactly.
"""

import abc
import dataclasses
import functools
import math
from collections.abc import Callable
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from codingschemes.networks import Network, SoftenedNetwork
from codingschemes.posterior.collapsed import Scalar, collapsed_misfit, draw_readout
from codingschemes.precision import require_double_precision

type Position = dict[str, Array]


class Density(eqx.Module):
    """A log density over whitened coordinates, as a pytree: new data of the same shape need no compilation.

    It refuses to compute in single precision (`InvalidInput`): potentials at low temperature would be noise.

    Attributes:
        network: the architecture.
        features: what the first layer's weights multiply, (feature, sample).
        targets: Y, (sample, output).
        basis: L with L L^T = K0, one column an eigenvector of K0 times the root of its eigenvalue, largest first,
            (sample, component).
        class_average: what averages over the samples of each class, (sample, class).
        temperature, weight_variance, readout_variance: as in `Prior`.
        collapsed: whether the readout is integrated out, so that the misfit follows from the last layer alone.
        single_forces: whether single precision is enough for forces that are not those of the density itself
            (`softened_potential`).
        mixed: whether forces along trajectories may be in single precision but for S and its factor.
    """

    network: Network
    features: Float[Array, "F P"]
    targets: Float[Array, "P C"]
    basis: Float[Array, "P R"]
    class_average: Float[Array, "P G"]
    temperature: Scalar
    weight_variance: Scalar
    readout_variance: Scalar
    collapsed: ClassVar[bool] = True
    single_forces: bool = eqx.field(static=True, default=False)
    mixed: bool = eqx.field(static=True, default=False)

    @property
    @abc.abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each block of coordinates."""

    @abc.abstractmethod
    def misfit_at(self, position: Position, activity: Float[Array, "N P"]) -> Scalar:
        """The negative log likelihood of the targets, up to a constant, given the last layer's activity."""

    def misfit(self, position: Position) -> Scalar:
        """The negative log likelihood of the targets, up to a constant."""
        return self.misfit_at(position, self.propagate(position)[1])

    @property
    @abc.abstractmethod
    def first_factor(self) -> Float[Array, "K P"]:
        """M with z^1 = u M for the first layer's coordinates u."""

    def first_preactivation(self, position: Position) -> Float[Array, "N P"]:
        """z^1 at the training inputs."""
        return position["input"] @ self.first_factor

    @abc.abstractmethod
    def readout(self, key: Array, position: Position, activity: Float[Array, "N P"]) -> Float[Array, "N C"]:
        """The readout weights a: part of the position, or drawn from their exact conditional."""

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @property
    def scaled_readout_variance(self) -> Scalar:
        """Prior variance of a readout times the network's readout scale squared, c."""
        return self.network.readout_scale**2 * self.readout_variance

    def potential(self, position: Position) -> Scalar:
        """U = |theta|^2/2 + misfit."""
        return self.potential_at(position, self.propagate(position)[1])

    def potential_at(self, position: Position, activity: Float[Array, "N P"]) -> Scalar:
        """U, given the last layer's activity."""
        return self.potential_of(position, self.misfit_at(position, activity))

    @staticmethod
    def potential_of(position: Position, misfit: Scalar) -> Scalar:
        """U, given the misfit."""
        _require_double()
        return sum(jnp.sum(block**2) for block in position.values()) / 2 + misfit

    def log_likelihood(self, position: Position) -> Scalar:
        """log p(Y | position) in nats, normalised over Y: -misfit - (P C / 2) log(2 pi T).

        N(Y; f, T I) in the weights form. In the reduced form N(y; 0, S) for every output: its misfit holds
        log det(S/T), so that the same constant normalises both.
        """
        return -self.misfit(position) - self.targets.size * jnp.log(2 * jnp.pi * self.temperature) / 2

    def at_temperature(self, temperature: Float[Array, ""]) -> "Density":
        """The same density at another temperature."""
        return eqx.tree_at(lambda density: density.temperature, self, temperature)

    def softened(self, reach: Float[Array, ""]) -> "Density":
        """The density of the same network without kinks: activity differs where a preactivation is within `reach` root
        mean squares of the first layer's under the prior from zero. Threshold activations alone."""
        size = jnp.sqrt(jnp.sum(self.basis**2) / self.basis.shape[0])
        return dataclasses.replace(self, network=SoftenedNetwork(self.network, reach * size))

    def softened_for_forces(self, reach: Float[Array, ""]) -> "Density":
        """`softened`, in single precision where that is enough for forces: not a density to evaluate by itself."""
        softened = self.softened(reach)
        return _in_single_precision(softened) if self.single_forces else softened

    def softened_potential(self, reach: Float[Array, ""]) -> Callable[[Position], Scalar]:
        """U of `softened`, for forces along a trajectory: computed in single precision where that is enough."""
        softened = self.softened_for_forces(reach)
        if not self.single_forces:
            return softened.approximate_potential or softened.potential
        return lambda position: softened.potential(_in_single_precision(position)).astype(float)

    def in_mixed_precision(self) -> "Density":
        """The same density for samplers that take their forces from `approximate_potential`."""
        return dataclasses.replace(self, mixed=True)

    @property
    def approximate_potential(self) -> Callable[[Position], Scalar] | None:
        """U for forces along trajectories in mixed precision: network and products in single precision, S and its
        factor in double. None where forces are those of `potential`."""
        if not self.mixed:
            return None
        exact = {name: getattr(self, name) for name in ("targets", "temperature", "readout_variance")}
        single = dataclasses.replace(_in_single_precision(self), **exact)
        return lambda position: single.potential(_in_single_precision(position))

    def prior_draw(self, key: Array) -> Position:
        """A draw from the prior: every coordinate standard normal."""
        _require_double()
        keys = jax.random.split(key, len(self.shapes))
        return {
            name: jax.random.normal(block_key, shape, self.features.dtype)
            for block_key, (name, shape) in zip(keys, self.shapes.items(), strict=True)
        }

    def prior_draws(self, key: Array, count: int) -> Position:
        """`count` independent draws from the prior, stacked."""
        return _prior_draws(self, key, count)

    def hidden_norm(self, key: Array, position: Position) -> Scalar:  # noqa: ARG002  (weights are in the position)
        """|w|^2 of the whitened weights between hidden layers: part of the position, or drawn from their exact
        conditional."""
        return jnp.sum(self._hidden(position) ** 2)

    def propagate(self, position: Position) -> tuple[Float[Array, "L N P"], Float[Array, "N P"]]:
        """Preactivations of every hidden layer and the last layer's activity at the training inputs."""
        _require_double()
        hidden = jnp.sqrt(self.weight_variance) * self._hidden(position)
        return self.network.propagate(
            self.first_preactivation(position), hidden, lambda coordinates, below: coordinates @ self.factor(below)
        )

    def last_layer(self, position: Position) -> tuple[Float[Array, "N R"], Float[Array, "P R"]]:
        """Coordinates u of the neurons of the last hidden layer and the basis B with z = u B^T: given the layers below,
        u is standard normal under the prior, neuron by neuron. A recurrent network has no such layer."""
        _require_double()
        if self.network.depth == 1:
            return self.input_coordinates(self.first_preactivation(position)), self.basis
        hidden = position["hidden"]
        below, _ = self.network.propagate(
            self.first_preactivation(position),
            jnp.sqrt(self.weight_variance) * hidden[:-1],
            lambda coordinates, below: coordinates @ self.factor(below),
        )
        return hidden[-1], self.factor_above(self.network.activation(below[-1])).T

    def replace_last_layer(
        self,
        key: Array,  # noqa: ARG002  (for forms in which something must be drawn again)
        position: Position,
        coordinates: Float[Array, "N R"],
    ) -> Position:
        """The position with other neurons in the last hidden layer, and with whatever depends on them and is not
        integrated out drawn from its exact conditional."""
        if self.network.depth == 1:
            return {**position, "input": coordinates}
        return {**position, "hidden": position["hidden"].at[-1].set(coordinates)}

    def input_coordinates(self, first: Float[Array, "N P"]) -> Float[Array, "N R"]:
        """u with z^1 = u L^T."""
        return first @ self.basis / jnp.sum(self.basis**2, axis=0)

    @property
    def _hidden_columns(self) -> int:
        """Coordinates of a neuron in a layer above the first."""
        return self.network.hidden_feature_count

    def factor(self, below: Float[Array, "F P"]) -> Float[Array, "K P"]:
        """M with z^{l+1} = sigma_w u M for a layer's coordinates u, given the features of the layer below."""
        return below

    def factor_above(self, activity: Float[Array, "N P"]) -> Float[Array, "K P"]:
        """M with z^{l+1} = u M for the coordinates u of a layer, given the activity of the layer below."""
        return jnp.sqrt(self.weight_variance) * self.factor(self.network.hidden_features(activity))

    def _hidden_shape(self) -> dict[str, tuple[int, ...]]:
        network = self.network
        if network.depth == 1:
            return {}
        return {"hidden": (network.hidden_matrix_count, network.width, self._hidden_columns)}

    def _hidden(self, position: Position) -> Float[Array, "H N K"]:
        if self.network.depth == 1:
            return jnp.zeros((0, self.network.width, self._hidden_columns), self.features.dtype)
        return position["hidden"]


def _require_double() -> None:
    require_double_precision("a density computes")


def _in_single_precision[Tree](tree: Tree) -> Tree:
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if eqx.is_inexact_array(leaf) else leaf, tree)


@functools.partial(jax.jit, static_argnums=2)
def _prior_draws(density: Density, key: Array, count: int) -> Position:
    return jax.vmap(density.prior_draw)(jax.random.split(key, count))


class WeightsDensity(Density):
    """Every weight, whitened: `input` (neuron, feature), `hidden` (layer - 1, neuron, feature), `readout`
    (neuron, output). misfit = ||Y - f||^2/(2T)."""

    collapsed: ClassVar[bool] = False

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        width = self.network.width
        return {
            "input": (width, self.features.shape[0]),
            **self._hidden_shape(),
            "readout": (width, self.targets.shape[1]),
        }

    def misfit_at(self, position: Position, activity: Float[Array, "N P"]) -> Scalar:
        readout = jnp.sqrt(self.readout_variance) * position["readout"]
        residual = self.targets - self.network.outputs(activity, readout)
        return jnp.sum(residual**2) / (2 * self.temperature)

    @property
    def first_factor(self) -> Float[Array, "F P"]:
        return jnp.sqrt(self.weight_variance) * self.features

    def replace_last_layer(self, key: Array, position: Position, coordinates: Float[Array, "N R"]) -> Position:
        if self.network.depth == 1:
            # the directions of weight space that the samples see, orthonormal
            seen = jnp.sqrt(self.weight_variance) * self.features @ self.basis / jnp.sum(self.basis**2, axis=0)
            position = {**position, "input": position["input"] + (coordinates - position["input"] @ seen) @ seen.T}
        else:
            position = super().replace_last_layer(key, position, coordinates)
        _, activity = self.propagate(position)
        scaled = draw_readout(key, activity, self.targets, self.scaled_readout_variance, self.temperature)
        return {**position, "readout": scaled / jnp.sqrt(self.scaled_readout_variance)}

    def readout(
        self,
        key: Array,  # noqa: ARG002  (the readout is part of the position)
        position: Position,
        activity: Float[Array, "N P"],  # noqa: ARG002
    ) -> Float[Array, "N C"]:
        return jnp.sqrt(self.readout_variance) * position["readout"]


class ReducedDensity(Density):
    """`input` (neuron, component): first-layer preactivations in whitened coordinates; `hidden` as in the weights
    form; the readout integrated out. At most P numbers a neuron instead of N0."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"input": (self.network.width, self.basis.shape[1]), **self._hidden_shape()}

    def misfit_at(self, position: Position, activity: Float[Array, "N P"]) -> Scalar:  # noqa: ARG002  (activity is all)
        return collapsed_misfit(activity, self.targets, self.scaled_readout_variance, self.temperature)

    @property
    def first_factor(self) -> Float[Array, "R P"]:
        return self.basis.T

    def readout(
        self,
        key: Array,
        position: Position,  # noqa: ARG002  (the activity says all there is to know)
        activity: Float[Array, "N P"],
    ) -> Float[Array, "N C"]:
        scaled = draw_readout(key, activity, self.targets, self.scaled_readout_variance, self.temperature)
        return scaled / self.network.readout_scale
