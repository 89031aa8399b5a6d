"""Two samplable forms of one posterior.

Both work in whitened coordinates theta, standard normal under the prior, so that

    U(theta) = |theta|^2/2 + misfit(theta),    p(theta) proportional to exp(-U(theta)).

`WeightsDensity` samples every weight; `ReducedDensity` samples the first layer through its preactivations at the
training inputs, z = u L^T with K0 = L L^T, and integrates the readout out. The marginals of what both share
(preactivations, readouts) agree exactly.
"""

import abc
import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from codingschemes.networks import Network
from codingschemes.posterior.collapsed import collapsed_misfit, draw_readout

type Position = dict[str, Array]
type Scalar = Float[Array, ""]


class Density(eqx.Module):
    """A log density over whitened coordinates, as a pytree: new data of the same shape need no compilation.

    Attributes:
        network: the architecture.
        features: what the first layer's weights multiply, (feature, sample).
        targets: Y, (sample, output).
        basis: L with L L^T = K0, one column an eigenvector of K0 times the root of its eigenvalue, largest first,
            (sample, component).
        temperature, weight_variance, readout_variance: as in `Prior`.
    """

    network: Network
    features: Float[Array, "F P"]
    targets: Float[Array, "P C"]
    basis: Float[Array, "P R"]
    temperature: Scalar
    weight_variance: Scalar
    readout_variance: Scalar

    @property
    @abc.abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each block of coordinates."""

    @abc.abstractmethod
    def misfit(self, position: Position) -> Scalar:
        """The negative log likelihood of the targets, up to a constant."""

    @abc.abstractmethod
    def first_preactivation(self, position: Position) -> Float[Array, "N P"]:
        """z^1 at the training inputs."""

    @abc.abstractmethod
    def readout(self, key: Array, position: Position, activity: Float[Array, "N P"]) -> Float[Array, "N C"]:
        """The readout weights a: part of the position, or drawn from their exact conditional."""

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def potential(self, position: Position) -> Scalar:
        """U = |theta|^2/2 + misfit."""
        return sum(jnp.sum(block**2) for block in position.values()) / 2 + self.misfit(position)

    def log_likelihood(self, position: Position) -> Scalar:
        """log p(Y | position) in nats, normalised over Y: -misfit - (P C / 2) log(2 pi T).

        N(Y; f, T I) in the weights form. In the reduced form N(y; 0, S) for every output: its misfit holds
        log det(S/T), so that the same constant normalises both.
        """
        return -self.misfit(position) - self.targets.size * jnp.log(2 * jnp.pi * self.temperature) / 2

    def at_temperature(self, temperature: Float[Array, ""]) -> "Density":
        """The same density at another temperature."""
        return eqx.tree_at(lambda density: density.temperature, self, temperature)

    def prior_draw(self, key: Array) -> Position:
        """A draw from the prior: every coordinate standard normal."""
        keys = jax.random.split(key, len(self.shapes))
        return {
            name: jax.random.normal(block_key, shape, self.features.dtype)
            for block_key, (name, shape) in zip(keys, self.shapes.items(), strict=True)
        }

    def hidden_weights(self, position: Position) -> Float[Array, "H N F"]:
        """Weights between hidden layers as they stand."""
        if self.network.depth == 1:
            return jnp.zeros((0, self.network.width, self.network.hidden_feature_count), self.features.dtype)
        return jnp.sqrt(self.weight_variance) * position["hidden"]

    def propagate(self, position: Position) -> tuple[Float[Array, "L N P"], Float[Array, "N P"]]:
        """Preactivations of every hidden layer and the last layer's activity at the training inputs."""
        return self.network.propagate(self.first_preactivation(position), self.hidden_weights(position))

    def input_coordinates(self, first: Float[Array, "N P"]) -> Float[Array, "N R"]:
        """u with z^1 = u L^T."""
        return first @ self.basis / jnp.sum(self.basis**2, axis=0)

    def _hidden_shape(self) -> dict[str, tuple[int, ...]]:
        network = self.network
        if network.depth == 1:
            return {}
        return {"hidden": (network.depth - 1, network.width, network.hidden_feature_count)}


class WeightsDensity(Density):
    """Every weight, whitened: `input` (neuron, feature), `hidden` (layer - 1, neuron, feature), `readout`
    (neuron, output). misfit = ||Y - f||^2/(2T)."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        width = self.network.width
        return {
            "input": (width, self.features.shape[0]),
            **self._hidden_shape(),
            "readout": (width, self.targets.shape[1]),
        }

    def misfit(self, position: Position) -> Scalar:
        _, activity = self.propagate(position)
        readout = jnp.sqrt(self.readout_variance) * position["readout"]
        residual = self.targets - self.network.outputs(activity, readout)
        return jnp.sum(residual**2) / (2 * self.temperature)

    def first_preactivation(self, position: Position) -> Float[Array, "N P"]:
        return jnp.sqrt(self.weight_variance) * position["input"] @ self.features

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

    @property
    def _signal(self) -> Scalar:
        return self.network.readout_scale**2 * self.readout_variance

    def misfit(self, position: Position) -> Scalar:
        _, activity = self.propagate(position)
        return collapsed_misfit(activity, self.targets, self._signal, self.temperature)

    def first_preactivation(self, position: Position) -> Float[Array, "N P"]:
        return position["input"] @ self.basis.T

    def readout(
        self,
        key: Array,
        position: Position,  # noqa: ARG002  (the activity says all there is to know)
        activity: Float[Array, "N P"],
    ) -> Float[Array, "N C"]:
        scaled = draw_readout(key, activity, self.targets, self._signal, self.temperature)
        return scaled / self.network.readout_scale
