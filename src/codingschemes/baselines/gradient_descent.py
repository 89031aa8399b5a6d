"""A network trained by gradient descent with weight decay: a mode of the posterior instead of draws of it."""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from codingschemes.calls import checked
from codingschemes.coding.predictions import Predictions, score
from codingschemes.errors import InvalidInput
from codingschemes.networks import Weights
from codingschemes.posterior import Posterior
from codingschemes.posterior.density import Density, Position
from codingschemes.precision import in_double_precision

_STEPS, _RATE = 10_000, 0.1


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        posterior: whose loss was descended.
        weights: as they stand (not whitened).
        loss: U = ||Y - f||^2 / (2 T) + |theta|^2 / 2, as `energy` of a run.
        gradient: norm of dU/dtheta, which vanishes at a mode.

    Example:
        >>> from codingschemes.baselines import train
        >>> trained = train(posterior, steps=50)
        >>> trained.weights.readout.shape
        (12, 3)
    """

    posterior: Posterior
    weights: Weights
    loss: float
    gradient: float

    def predict(self, *, test: bool = True) -> Predictions:
        """The network's outputs, set beside the targets, without a variance of its own.

        Args:
            test: at the test inputs, else at the training inputs.

        Raises:
            InvalidInput: a task without test inputs.
        """
        task = self.posterior.task
        if test and not len(task.test_inputs):
            raise InvalidInput("the task has no test inputs: make it with `test`")
        inputs = task.test_inputs if test else task.inputs
        outputs = np.asarray(self.posterior.network.apply(self.weights, jnp.asarray(inputs))[1])
        return score(outputs, np.zeros_like(outputs), task, self.posterior.prior.temperature, test=test)


@checked
@in_double_precision
def train(posterior: Posterior, *, seed: int = 0, steps: int = _STEPS, rate: float = _RATE) -> Trained:
    """Descend the loss whose exponential the posterior is, in all weights, from a draw of the prior.

    The prior is the weight decay: |theta|^2 / 2 of whitened weights. It takes what training inputs do not see of the
    first layer's weights to zero, where they begin here: the others are descended along the principal components of the
    inputs. Adam (Kingma & Ba 2015) on all samples at once; the rate falls to zero along a cosine.

    Args:
        posterior: of the networks.
        seed: of the initial weights.
        steps: of Adam.
        rate: of the first step, in standard deviations of the prior.

    Raises:
        InvalidInput: no step, or a rate that is not positive.

    Example:
        >>> from codingschemes.baselines import train
        >>> trained = train(posterior, steps=50)
        >>> trained.weights.readout.shape
        (12, 3)
    """
    if steps < 1 or not rate > 0:
        raise InvalidInput(f"`steps` is {steps} and `rate` {rate}: give at least one step and a positive rate")
    prior = posterior.prior
    density = posterior.density("weights")
    # orthonormal directions of weight space that the samples see, and the same posterior over weights along them
    seen = prior.weight_variance**0.5 * density.features @ density.basis / jnp.sum(density.basis**2, axis=0)
    density = replace(density, features=density.basis.T / prior.weight_variance**0.5)
    start = density.prior_draw(jax.random.PRNGKey(seed))
    position, loss, gradient = _descend(density, start, jnp.asarray(rate), steps)
    shape = (posterior.network.hidden_matrix_count, posterior.network.width, posterior.network.hidden_feature_count)
    weights = Weights(
        input=prior.weight_variance**0.5 * position["input"] @ seen.T,
        hidden=prior.weight_variance**0.5 * position.get("hidden", jnp.zeros(shape)),
        readout=prior.readout_variance**0.5 * position["readout"],
    )
    return Trained(posterior, weights, float(loss), float(gradient))


@partial(jax.jit, static_argnums=3)
def _descend(
    density: Density, start: Position, rate: Float[Array, ""], steps: int
) -> tuple[Position, Float[Array, ""], Float[Array, ""]]:
    optimizer = optax.adam(optax.cosine_decay_schedule(rate, steps))

    def step(carried: tuple, _: None) -> tuple[tuple, None]:
        position, state = carried
        updates, state = optimizer.update(jax.grad(density.potential)(position), state)
        return (optax.apply_updates(position, updates), state), None

    (position, _), _ = jax.lax.scan(step, (start, optimizer.init(start)), None, length=steps)
    loss, gradient = jax.value_and_grad(density.potential)(position)
    return position, loss, jnp.sqrt(sum(jnp.sum(each**2) for each in jax.tree.leaves(gradient)))
