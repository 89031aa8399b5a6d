"""Tiny posteriors whose law is known: what every sampler is checked against.

Four networks, so that a sampler is compiled four times in all: a linear one with one output in both forms (everything
follows from one integral), a sigmoid one in the reduced form and a ReLU one in the weights form (prior and data can be
drawn exactly).
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import special

import codingschemes as cs
from codingschemes.posterior import Density, Position

#: What is looked at of a draw: nothing that depends on the order of neurons, but for the single `coordinate`. Some
#: need the data: tests without such quantities miss whole classes of wrong posteriors (Modrak et al. 2023).
INVARIANTS = (
    "potential", "misfit", "square", "mean", "coordinate", "readout_norm", "alignment",
    "kernel_00", "kernel_01", "kernel_last", "output_first", "output_last",
)  # fmt: skip


def observe(key: Array, position: Position, density: Density) -> Float[Array, " K"]:
    """The INVARIANTS of one draw; a readout that was integrated out is drawn from its exact conditional."""
    _, activity = density.propagate(position)
    readout = density.readout(key, position, activity)
    outputs = density.network.outputs(activity, readout)
    kernel = activity.T @ activity / density.network.width
    coordinates = position["input"]
    return jnp.stack(
        [
            density.potential(position),
            density.misfit(position),
            jnp.mean(coordinates**2),
            jnp.mean(coordinates),
            coordinates[0, 0],
            jnp.sum(readout**2),
            jnp.sum((density.targets.T @ kernel) * density.targets.T),
            kernel[0, 0],
            kernel[0, 1],
            kernel[-1, -1],
            outputs[0, 0],
            outputs[-1, -1],
        ]
    )


def prior_targets(key: Array, position: Position, density: Density) -> Float[Array, "P C"]:
    """Data given the parameters: f + noise, the readout drawn from its prior where the form has integrated it out."""
    key_readout, key_noise = jax.random.split(key)
    _, activity = density.propagate(position)
    whitened = position.get("readout")
    if whitened is None:
        whitened = jax.random.normal(key_readout, (activity.shape[0], density.targets.shape[1]))
    outputs = density.network.outputs(activity, jnp.sqrt(density.readout_variance) * whitened)
    return outputs + jnp.sqrt(density.temperature) * jax.random.normal(key_noise, outputs.shape)


def with_targets(density: Density, targets: Array) -> Density:
    return eqx.tree_at(lambda tree: tree.targets, density, targets)


def without_data(density: Density) -> Density:
    """The same density at a temperature at which the data say nothing: every coordinate is standard normal."""
    return eqx.tree_at(lambda tree: tree.temperature, density, jnp.full_like(density.temperature, 1e9))


class LinearAnswer:
    """The posterior of a network of one linear hidden layer and one output, by one integral.

    Given the readouts a, the outputs f = gamma a^T z are Gaussian with covariance gamma^2 G K0, G = |a|^2, which is
    s^2 chi^2_N under the prior. So

        p(G | Y) proportional to p(G) N(Y; 0, gamma^2 G K0 + T I),

    given G everything else is Gaussian, and the direction of a is uniform. (One column of the Wishart law of
    a^T a in Li & Sompolinsky 2021.) `norms` are the grid, `weights` the posterior's mass on it.
    """

    def __init__(self, posterior: cs.Posterior):
        network, prior = posterior.network, posterior.prior
        width, self.temperature = network.width, prior.temperature
        self.targets = posterior.task.targets[:, 0]
        self.kernel = posterior.input_kernel()
        eigenvalues, self.modes = np.linalg.eigh(self.kernel)
        self.eigenvalues = np.maximum(eigenvalues, 0.0)
        self.width = width
        radius = np.linspace(0, np.sqrt(prior.readout_variance) * (np.sqrt(width) + 7), 4001)[1:]
        self.norms = radius**2
        self.scaled_readout_variance = network.readout_scale**2 * self.norms[:, None] * self.eigenvalues  # (grid, mode)
        projected = self.modes.T @ self.targets
        total = self.scaled_readout_variance + self.temperature
        log_mass = (
            (width - 1) * np.log(radius)
            - self.norms / (2 * prior.readout_variance)
            - (np.log(total) + projected**2 / total).sum(1) / 2
        )
        mass = np.exp(log_mass - log_mass.max())
        self.weights = mass / mass.sum()
        self.scale = network.readout_scale
        gain = self.scaled_readout_variance / total
        self.output_mean = (gain * projected) @ self.modes.T  # (grid, sample)
        self.output_deviation = np.sqrt((self.temperature * gain) @ (self.modes**2).T)
        self.dual = (self.eigenvalues / total * projected) @ self.modes.T
        self.shrinkage = self.eigenvalues**2 / total

    def means(self) -> dict[str, float]:
        """Posterior means by name of invariant; the second moments end in `_squared`."""
        norm = self.weights @ self.norms
        outputs = self.weights @ self.output_mean
        squares = self.weights @ (self.output_mean**2 + self.output_deviation**2)
        pull = self.scale**2 * self.weights * self.norms / self.width
        kernel = (
            self.kernel
            - (self.modes * (pull @ self.shrinkage)) @ self.modes.T
            + np.einsum("g,gp,gq->pq", pull, self.dual, self.dual)
        )
        return {
            "readout_norm": norm,
            "readout_norm_squared": self.weights @ self.norms**2,
            "output_first": outputs[0],
            "output_last": outputs[-1],
            "output_first_squared": squares[0],
            "output_last_squared": squares[-1],
            "kernel_00": kernel[0, 0],
            "kernel_01": kernel[0, 1],
            "kernel_last": kernel[-1, -1],
        }

    def distributions(self) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
        """Posterior cumulative distribution functions by name of invariant."""

        def output(index: int) -> Callable[[np.ndarray], np.ndarray]:
            mean, deviation = self.output_mean[:, index], self.output_deviation[:, index]
            return lambda x: special.ndtr((np.asarray(x)[:, None] - mean) / deviation) @ self.weights

        return {
            "readout_norm": lambda x: np.interp(x, self.norms, np.cumsum(self.weights)),
            "output_first": output(0),
            "output_last": output(-1),
        }

    def draw(self, key: Array, density: Density, count: int) -> Position:
        """Exact draws: G by inverting its distribution, then the direction of a, then the first layer."""
        key_norm, key_rest = jax.random.split(key)
        uniform = np.asarray(jax.random.uniform(key_norm, (count,)))
        norms = jnp.asarray(np.interp(uniform, np.cumsum(self.weights), self.norms))
        return _draw_given_norm(jax.random.split(key_rest, count), norms, density)


@jax.jit
@functools.partial(jax.vmap, in_axes=(0, 0, None))
def _draw_given_norm(key: Array, norm: Array, density: Density) -> Position:
    """theta = theta0 + Cov(theta, f) S^-1 (Y - f0 - noise): a prior draw corrected by the residual it leaves."""
    key_readout, key_prior, key_noise = jax.random.split(key, 3)
    direction = jax.random.normal(key_readout, (density.network.width,))
    readout = jnp.sqrt(norm) * direction / jnp.linalg.norm(direction)
    prior = density.prior_draw(key_prior)
    # z = theta @ design, whatever the form
    whole = "readout" in prior
    design = jnp.sqrt(density.weight_variance) * density.features if whole else density.basis.T
    scaled = density.network.readout_scale * readout
    covariance = jnp.sum(scaled**2) * design.T @ design + density.temperature * jnp.eye(design.shape[1])
    noise = jnp.sqrt(density.temperature) * jax.random.normal(key_noise, (design.shape[1],))
    residual = density.targets[:, 0] - scaled @ prior["input"] @ design - noise
    position = {"input": prior["input"] + jnp.outer(scaled, design @ jnp.linalg.solve(covariance, residual))}
    return {**position, "readout": readout[:, None] / jnp.sqrt(density.readout_variance)} if whole else position


@dataclass(frozen=True, eq=False)
class Problem:
    """A density to be sampled; `answer` where its law is known in closed form for fixed data."""

    name: str
    density: Density
    answer: LinearAnswer | None = None


def _posterior(activation: str, samples: int, outputs: int, features: int, **prior: float) -> cs.Posterior:
    rng = np.random.default_rng(11)
    names = tuple("abc"[:outputs])
    labels = np.arange(samples) % max(outputs, 2)
    task = cs.Task(
        name="tiny",
        inputs=1.5 * rng.normal(size=(samples, features)),
        targets=np.where(labels == 0, 1.2, -0.8)[:, None] if outputs == 1 else np.eye(outputs)[labels],
        labels=labels,
        class_names=("a", "b"),
        target_names=names,
        factors=None,
        test_inputs=np.zeros((0, features)),
        test_targets=np.zeros((0, outputs)),
        test_labels=np.zeros(0, dtype=int),
    )
    network = cs.Network(activation, width=3)
    prior = {"temperature": 0.4, "weight_variance": 1.3, "readout_variance": 5.0, **prior}
    return cs.Posterior(task, network, **prior)


@functools.cache
def problem(name: str) -> Problem:
    """`linear reduced`, `linear weights`, `sigmoid reduced` or `relu weights`."""
    activation, space = name.split()
    if activation == "linear":
        posterior = _posterior("linear", samples=4, outputs=1, features=3)
        return Problem(name, posterior.density(space), LinearAnswer(posterior))
    # Preactivations that saturate and little noise: else a sigmoid's kernel hardly depends on its weights, and the data
    # say nothing about them.
    prior = {"temperature": 0.03, "weight_variance": 8.0} if activation == "sigmoid" else {}
    return Problem(name, _posterior(activation, samples=3, outputs=2, features=2, **prior).density(space))


KNOWN = ("linear reduced", "linear weights")
DRAWABLE = ("sigmoid reduced", "relu weights")
