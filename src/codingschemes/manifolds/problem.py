"""A two-layer network, data and a loss: what gradients are taken of."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.manifolds.manifold import Neurons
from codingschemes.networks import Network
from codingschemes.precision import in_double_precision
from codingschemes.registry import Registry

type Loss = Callable[[Float[Array, "P C"], Float[Array, "P C"]], Float[Array, ""]]

LOSSES: Registry[Loss] = Registry("loss")
"""Functions of (outputs, targets), (sample, output) each, to the loss in nats or squared units of the targets."""

LOSSES.register("squared", lambda outputs, targets: jnp.sum((outputs - targets) ** 2) / 2)
# Soft targets are the softmax of the targets, so that any real targets are allowed.
LOSSES.register(
    "cross-entropy", lambda outputs, targets: -jnp.sum(jax.nn.softmax(targets) * jax.nn.log_softmax(outputs))
)
LOSSES.register("logistic", lambda outputs, targets: jnp.sum(jax.nn.softplus(-targets * outputs)))
LOSSES.register(
    "log-cosh",
    lambda outputs, targets: jnp.sum(jnp.logaddexp(outputs - targets, targets - outputs) - jnp.log(2.0)),
)


@known_keywords
class Problem(eqx.Module):
    """L(theta) = loss(scale * sigma(X w^T) a, Y) + (readout_penalty |a|^2 + weight_penalty |w|^2) / 2.

    Attributes:
        inputs: X, (sample, feature); with a bias, the last column is ones.
        targets: Y.
        activation: sigma, elementwise.
        loss: a function of outputs and targets; see `LOSSES`.
        scale: the network's readout scale.
        readout_penalty, weight_penalty: of an isotropic Gaussian prior, T divided by its variance.

    Example:
        >>> problem.outputs(neurons).shape
        (20, 1)
    """

    inputs: Float[Array, "P D"]
    targets: Float[Array, "P C"]
    activation: Callable[[Any], Any] = eqx.field(static=True)
    loss: Loss = eqx.field(static=True)
    scale: Float[Array, ""] = eqx.field(converter=jnp.asarray, default=1.0)
    readout_penalty: Float[Array, ""] = eqx.field(converter=jnp.asarray, default=0.0)
    weight_penalty: Float[Array, ""] = eqx.field(converter=jnp.asarray, default=0.0)

    @classmethod
    @known_keywords
    def of(
        cls,
        network: Network,
        inputs: Float[np.ndarray, "P D"],
        targets: Float[np.ndarray, "P C"],
        loss: str | Loss = "squared",
        *,
        readout_penalty: float = 0.0,
        weight_penalty: float = 0.0,
    ) -> "Problem":
        """The problem of a network of depth 1, with its scalings.

        Args:
            network: of depth 1.
            inputs: (sample, feature), without a column for the bias.
            targets: (sample, output).
            loss: a name of `LOSSES`, or a function of outputs and targets.
            readout_penalty, weight_penalty: see above.

        Raises:
            InvalidInput: a deeper network, or a loss that does not exist.
        """
        if network.depth != 1:
            raise InvalidInput(
                f"manifolds are listed for one hidden layer, not {network.depth}: see codingschemes.manifolds.deep"
            )
        features = network.features(jnp.asarray(inputs).T).T
        return cls(
            features,
            jnp.asarray(targets),
            network.activation,
            LOSSES[loss] if isinstance(loss, str) else loss,
            jnp.asarray(network.readout_scale),
            jnp.asarray(readout_penalty),
            jnp.asarray(weight_penalty),
        )

    @in_double_precision
    def outputs(self, neurons: Neurons) -> Float[Array, "P C"]:
        """F of the network of these `neurons` at the inputs."""
        return self.scale * self.activation(self.inputs @ neurons.weight.T) @ neurons.readout

    @in_double_precision
    def value(self, neurons: Neurons) -> Float[Array, ""]:
        """L of `neurons`, penalties included."""
        penalty = self.readout_penalty * jnp.sum(neurons.readout**2) + self.weight_penalty * jnp.sum(neurons.weight**2)
        return self.loss(self.outputs(neurons), self.targets) + penalty / 2

    @in_double_precision
    def gradient(self, neurons: Neurons) -> Neurons:
        """grad L at `neurons`."""
        return jax.grad(self.value)(neurons)

    @in_double_precision
    def output_gradient(self, neurons: Neurons) -> Float[Array, "P C"]:
        """dl/dF at the inputs, for the network of these `neurons`: zero exactly where the residual is."""
        return jax.grad(self.loss)(self.outputs(neurons), self.targets)

    def batch(self, samples: Array) -> "Problem":
        """The same on some of the `samples`, by index."""
        return eqx.tree_at(
            lambda problem: (problem.inputs, problem.targets), self, (self.inputs[samples], self.targets[samples])
        )


@known_keywords
def random_problem(
    rng: np.random.Generator,
    network: Network,
    loss: str | Loss = "squared",
    *,
    samples: int = 20,
    inputs: int = 3,
    outputs: int = 2,
) -> Problem:
    """Standard normal inputs, targets +-1.

    Args:
        rng: draws them.
        network: of depth 1.
        loss: as for `Problem.of`.
        samples: how many.
        inputs: features of the data; a bias is the network's own.
        outputs: columns of the targets.

    Raises:
        InvalidInput: a deeper network, or a loss that does not exist.

    Example:
        >>> cs.manifolds.random_problem(rng, cs.Network("relu", width=4), "logistic").targets.shape
        (20, 2)
    """
    signs = rng.choice([-1.0, 1.0], size=(samples, outputs))
    return Problem.of(network, rng.normal(size=(samples, inputs)), signs, loss)
