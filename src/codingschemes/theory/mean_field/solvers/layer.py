"""One of several hidden layers: particles of exp(-|u|^2/2 + phi^T B phi/2), z = root u, that follow as B and the root
change.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from codingschemes.networks import Activation
from codingschemes.theory.mean_field.particles import Hold, begin, jump, second_moment, sweep, weigh

_RESOLVED = 1e-10
"""Eigenvalues of a kernel, relative to the largest, below which a direction is not there."""


def _potential(phi: Float[Array, "S P"], u: Float[Array, "S R"], tilt: Float[Array, "P P"]) -> Float[Array, " S"]:
    return jnp.sum(u**2, axis=1) / 2 - jnp.sum(phi * (phi @ tilt), axis=1) / 2


@partial(jax.jit, static_argnums=0)
def covariance_gradient(
    activation: Activation,
    z: Float[Array, "S P"],
    tilt: Float[Array, "P P"],
    inverse: Float[Array, "P P"],
) -> Float[Array, "P P"]:
    """Twice the gradient of log <exp h> over N(z|0, K) by K, h = phi^T B phi / 2: K^{-1} <z z^T> K^{-1} - K^{-1} over
    particles of N(z|0, K) exp(h), by parts.

    Args:
        tilt: B.
        inverse: K^{-1}, for activations whose slope jumps: <d^2 phi> is not the average of a second derivative there,
            and the diagonal is integrated by parts once only.
    """
    phi, slope = jax.jvp(activation, (z,), (jnp.ones_like(z),))
    force = phi @ tilt
    gradient = slope * force
    total = (gradient.T @ gradient + tilt * (slope.T @ slope)) / len(z)
    if activation.kinked:
        diagonal = jnp.mean((z @ inverse) * gradient, axis=0)
        return total.at[jnp.diag_indices(len(total))].set(diagonal)
    bend = jax.jvp(lambda z: jax.jvp(activation, (z,), (jnp.ones_like(z),))[1], (z,), (jnp.ones_like(z),))[1]
    return total + jnp.diag(jnp.mean(bend * force, axis=0))


class LayerParticles:
    """Particles of one layer in whitened coordinates, z = root u."""

    def __init__(self, activation: Activation, root: Float[np.ndarray, "P R"], u: Float[np.ndarray, "S R"], seed: int):
        self.activation, self.root = activation, root
        self.tilt = np.zeros((len(root), len(root)))
        self.rng = np.random.default_rng(seed)
        self.particles = begin(activation, root, u, jax.random.PRNGKey(seed), float)

    @property
    def u(self) -> Float[np.ndarray, "S R"]:
        return np.asarray(self.particles.u, float)

    @property
    def phi(self) -> Float[np.ndarray, "S P"]:
        return np.asarray(self.particles.phi, float)

    @property
    def z(self) -> Float[np.ndarray, "S P"]:
        return self.u @ self.root.T

    @property
    def second_moment(self) -> Float[np.ndarray, "P P"]:
        return second_moment(self.phi)

    def place(self, u: Float[np.ndarray, "S R"]) -> None:
        """Puts the particles somewhere else."""
        phi = self.activation(jnp.asarray(u @ self.root.T))
        self.particles = self.particles._replace(u=jnp.asarray(u), phi=phi)

    def sweep(self, hold: Hold) -> None:
        """One trajectory of every particle."""
        self.particles = sweep(
            self.particles, self.root, self.tilt, hold, potential=_potential, activation=self.activation
        )

    def jump(self, codes_of: Callable[[Float[np.ndarray, "S P"]], Bool[np.ndarray, "S G"]]) -> None:
        """Proposes another code to each particle."""
        self.particles = jump(
            self.particles, self.root, self.tilt, codes_of=codes_of, activation=self.activation, rng=self.rng
        )

    def follow(
        self,
        root: Float[np.ndarray, "P R"],
        tilt: Float[np.ndarray, "P P"],
        group: Int[np.ndarray, " S"],
        allowed: Callable[[Float[np.ndarray, "S P"]], Bool[np.ndarray, " S"]] | None = None,
    ) -> bool:
        """Draws the particles anew with the weights that another density gives them, if these are even enough.

        Args:
            root, tilt: of the new density; whitened coordinates stay.
            group: of each particle; the numbers in the groups are kept.
            allowed: which activities the density does not exclude.
        """
        weighed = weigh(self.activation, jnp.asarray(self.u), jnp.asarray(root), jnp.asarray(tilt))
        phi, exponent = (np.asarray(each) for each in weighed)
        logs = exponent - np.sum(self.phi * (self.phi @ self.tilt), axis=1) / 2
        if allowed is not None:
            logs = np.where(allowed(phi), logs, -np.inf)
        chosen = _resample(logs, group, self.rng)
        if chosen is None:
            return False
        self.root, self.tilt = root, tilt
        self.particles = self.particles._replace(u=self.particles.u[chosen], phi=jnp.asarray(phi[chosen]))
        return True


def _resample(
    logs: Float[np.ndarray, " S"], group: Int[np.ndarray, " S"], rng: np.random.Generator
) -> Int[np.ndarray, " S"] | None:
    """Systematic resampling within groups; None where fewer than half of the particles would count."""
    chosen = np.arange(len(logs))
    for each in np.unique(group):
        members = np.flatnonzero(group == each)
        highest = logs[members].max()
        if not np.isfinite(highest):
            return None
        weights = np.exp(logs[members] - highest)
        weights /= weights.sum()
        if 1 / np.sum(weights**2) < len(members) / 2:
            return None
        places = (np.arange(len(members)) + rng.random()) / len(members)
        chosen[members] = members[np.minimum(np.searchsorted(np.cumsum(weights), places), len(members) - 1)]
    return chosen


def symmetric_root(kernel: Float[np.ndarray, "P P"], power: float = 0.5) -> Float[np.ndarray, "P P"]:
    """K^power, zero in the directions that K does not have."""
    values, vectors = np.linalg.eigh(kernel)
    there = values > _RESOLVED * values[-1]
    return (vectors[:, there] * values[there] ** power) @ vectors[:, there].T
