"""Mean field of several hidden layers: particles in every layer, coupled by the kernels between them.

With T = tau/N the log posterior of the preactivations is extensive in N in every layer. For layers of equal width, and
with the last readout integrated out, the densities rho_l of single neurons make stationary, in nats a neuron,

    F = sum_l KL(rho_l || N(0, K_{l-1})) + tr Y^T (tau + s^2 Q_L)^{-1} Y / 2,
    Q_l = <phi phi^T>_l,   K_l = g Q_l + b,

K_0 the input's kernel, g and b what weights and bias make of activities. Varying rho_l,

    rho_l(z) ∝ N(z|0, K_{l-1}) exp(phi^T B_l phi / 2),
    B_L = s^2 t t^T,   t = (tau + s^2 Q_L)^{-1} Y,
    B_l = g (K_l^{-1} <z z^T>_{l+1} K_l^{-1} - K_l^{-1})
        = g <grad h grad h^T + Hess h>_{l+1},   h = phi^T B_{l+1} phi / 2.

The last form is two integrations by parts of the one before, without its noise: K_l^{-1} <z z^T> K_l^{-1} over S
particles errs by (P/S)^{1/2} even where nothing is learned, and then tilts the layer below.

F is convex in the densities for one hidden layer only: what is found for more is a stationary point, the one that
cooling leads to. It is found by mirror descent: tilts move slowly towards what the layer above says, so that rho_l is
multiplied by exp(phi^T dB phi / 2), while kernels, dual variables and layers above keep up. Particles follow by being
weighted and drawn anew, so that the numbers in each code change where no particle crosses between codes, and move by
Hamiltonian Monte Carlo. Where none crosses, the noise of the draws adds up in these numbers.

Source: the densities are those of van Meegen & Sompolinsky, Nature Communications 16, 3354 (2025); F, the second form
of B_l and the measure of what is left unsolved were derived here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from codingschemes.networks import Activation
from codingschemes.progress import tracked
from codingschemes.theory.mean_field.particles import (
    SINGLE,
    adapted,
    newton_step,
    placed,
    refuse_misplaced,
    towards,
    within_codes,
)

_COOLING_ROUNDS = 100
_SETTLING_ROUNDS = 200
_MEASURING_SWEEPS = 60
_SNAPSHOTS = 2
_NEWTON_STEPS = 2
_TILT_RATE, _KERNEL_RATE = 0.1, 0.3
_MEMORY = 20
_HALVINGS = 6
_SUBSTEPS = 4
_RESOLVED = 1e-10
"""Eigenvalues of a kernel, relative to the largest, below which a direction is not there."""


class Kernels(NamedTuple):
    """What the weights between layers make of activities: K = gain <phi phi^T> + offset.

    Attributes:
        gain: weight variance times the squared scale of activities times the width.
        offset: variance of the bias.
    """

    gain: float
    offset: float

    def __call__(self, second_moment: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
        return self.gain * second_moment + self.offset


@dataclass(frozen=True)
class Stack:
    """Layers that have settled, first to last, averaged over sweeps.

    Attributes:
        t: (sample, output).
        kernels: <phi phi^T> of each layer, (sample, sample).
        tilts: B_l of each layer, (sample, sample).
        preactivations: of the kept particles of each layer, (neuron, sample).
        codes: bits of the last layer's, (neuron, class).
        switched: share of the last layer's particles that changed code while averages were taken.
        unsolved: for each pair of layers, Kullback-Leibler divergence in nats a neuron, to second order, of the
            densities that were sampled from those that their averages imply: by the kernel, and by the tilt.
    """

    t: Float[np.ndarray, "P C"]
    kernels: tuple[Float[np.ndarray, "P P"], ...]
    tilts: tuple[Float[np.ndarray, "P P"], ...]
    preactivations: tuple[Float[np.ndarray, "S P"], ...]
    codes: Bool[np.ndarray, "S G"]
    switched: float
    unsolved: tuple[tuple[float, float], ...]


@partial(jax.jit, static_argnums=0)
def _sweep(
    activation: Activation,
    key: Array,
    u: Float[Array, "S R"],
    tilt: Float[Array, "P P"],
    root: Float[Array, "P R"],
    step: Float[Array, ""],
    class_average: Float[Array, "P G"],
    middle: Float[Array, ""],
    held: Bool[Array, ""],
) -> tuple[Float[Array, "S R"], Float[Array, "S P"], Float[Array, ""]]:
    """`within_codes` of exp(-|u|^2/2 + phi^T B phi/2), z = root u."""

    def activity(u: Float[Array, "S R"]) -> Float[Array, "S P"]:
        return activation(u @ root.T)

    def potential(u: Float[Array, "S R"]) -> Float[Array, " S"]:
        phi = activity(u)
        return jnp.sum(u**2, axis=1) / 2 - jnp.sum(phi * (phi @ tilt), axis=1) / 2

    return within_codes(potential, activity, key, u, step, class_average, middle, held)


@partial(jax.jit, static_argnums=0)
def _weighed(
    activation: Activation, u: Float[Array, "S R"], root: Float[Array, "P R"], tilt: Float[Array, "P P"]
) -> tuple[Float[Array, "S P"], Float[Array, " S"]]:
    """Activities of particles, and phi^T B phi / 2."""
    phi = activation(u @ root.T)
    return phi, jnp.sum(phi * (phi @ tilt), axis=1) / 2


@partial(jax.jit, static_argnums=0)
def pull(
    activation: Activation,
    z: Float[Array, "S P"],
    tilt: Float[Array, "P P"],
    inverse: Float[Array, "P P"],
) -> Float[Array, "P P"]:
    """K^{-1} <z z^T> K^{-1} - K^{-1} over particles of N(z|0, K) exp(h), h = phi^T B phi / 2, by parts.

    Args:
        tilt: B.
        inverse: K^{-1}, for activations whose slope jumps: <d^2 phi> is not the average of a second derivative there,
            and the diagonal is integrated by parts once only.
    """
    phi, slope = jax.jvp(activation, (z,), (jnp.ones_like(z),))
    push = phi @ tilt
    gradient = slope * push
    total = (gradient.T @ gradient + tilt * (slope.T @ slope)) / len(z)
    if activation.kinked:
        diagonal = jnp.mean((z @ inverse) * gradient, axis=0)
        return total.at[jnp.diag_indices(len(total))].set(diagonal)
    bend = jax.jvp(lambda z: jax.jvp(activation, (z,), (jnp.ones_like(z),))[1], (z,), (jnp.ones_like(z),))[1]
    return total + jnp.diag(jnp.mean(bend * push, axis=0))


class _Layer:
    """Particles of one layer in whitened coordinates, z = root u."""

    def __init__(self, activation: Activation, root: Float[np.ndarray, "P R"], u: Float[np.ndarray, "S R"], seed: int):
        self.activation, self.root, self.u = activation, root, u
        self.key, self.rng = jax.random.PRNGKey(seed), np.random.default_rng(seed)
        self.tilt = np.zeros((len(root), len(root)))
        self.step = 0.5 / root.shape[1] ** 0.25
        self.phi = self._weighed(root, self.tilt)[0]

    @property
    def z(self) -> Float[np.ndarray, "S P"]:
        return self.u @ self.root.T

    @property
    def second_moment(self) -> Float[np.ndarray, "P P"]:
        return self.phi.T @ self.phi / len(self.phi)

    def _weighed(
        self, root: Float[np.ndarray, "P R"], tilt: Float[np.ndarray, "P P"]
    ) -> tuple[Float[np.ndarray, "S P"], Float[np.ndarray, " S"]]:
        phi, exponent = _weighed(self.activation, jnp.asarray(self.u), jnp.asarray(root), jnp.asarray(tilt))
        return np.asarray(phi), np.asarray(exponent)

    def codes(self, class_average: Float[np.ndarray, "P G"], middle: float) -> Bool[np.ndarray, "S G"]:
        return self.phi @ class_average > middle

    def sweep(self, class_average: Float[np.ndarray, "P G"], middle: float, held: bool) -> None:
        self.key, key = jax.random.split(self.key)
        u, phi, acceptance = _sweep(
            self.activation,
            key,
            jnp.asarray(self.u, SINGLE),
            jnp.asarray(self.tilt, SINGLE),
            jnp.asarray(self.root, SINGLE),
            jnp.asarray(self.step, SINGLE),
            jnp.asarray(class_average, SINGLE),
            jnp.asarray(middle, SINGLE),
            jnp.asarray(held),
        )
        self.u, self.phi = np.asarray(u, float), np.asarray(phi, float)
        self.step = adapted(self.step, float(acceptance))

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
        phi, exponent = self._weighed(root, tilt)
        logs = exponent - np.sum(self.phi * (self.phi @ self.tilt), axis=1) / 2
        if allowed is not None:
            logs = np.where(allowed(phi), logs, -np.inf)
        chosen = _drawn(logs, group, self.rng)
        if chosen is None:
            return False
        self.root, self.tilt, self.u, self.phi = root, tilt, self.u[chosen], phi[chosen]
        return True


def _drawn(
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


type _Density = tuple[Float[np.ndarray, "P R"], Float[np.ndarray, "P P"]]
"""Root of the kernel below, and tilt."""


def _shifted_tilt(
    root: Float[np.ndarray, "P R"], tilt: Float[np.ndarray, "P P"], change: Float[np.ndarray, "P P"], size: float
) -> _Density:
    return root, tilt + size * change


def _shifted_kernel(
    kernel: Float[np.ndarray, "P P"], change: Float[np.ndarray, "P P"], tilt: Float[np.ndarray, "P P"], size: float
) -> _Density:
    return symmetric_root(kernel + size * change), tilt


def _shifted_dual(
    root: Float[np.ndarray, "P R"],
    t: Float[np.ndarray, "P C"],
    change: Float[np.ndarray, "P C"],
    variance: float,
    size: float,
) -> _Density:
    moved = t + size * change
    return root, variance * moved @ moved.T


class _Cloud:
    """All layers with what couples them: kernels up, tilts down, and the dual variables of the last."""

    def __init__(
        self,
        activation: Activation,
        basis: Float[np.ndarray, "P R"],
        targets: Float[np.ndarray, "P C"],
        class_average: Float[np.ndarray, "P G"],
        kernels: Kernels,
        variance: float,
        *,
        depth: int,
        count: int,
        seed: int,
        fractions: dict[str, float] | None,
    ):
        self.targets, self.class_average, self.kernels, self.variance = targets, class_average, kernels, variance
        self.activation = activation
        self.middle = activation.midpoint
        rng = np.random.default_rng(seed)
        self.layers = [_Layer(activation, basis, rng.standard_normal((count, basis.shape[1])), seed)]
        self.between: list[Float[np.ndarray, "P P"]] = []  # K_l of all layers but the last
        for index in range(1, depth):
            self.between.append(kernels(self.layers[-1].second_moment))
            drawn = rng.standard_normal((count, len(targets)))
            self.layers.append(_Layer(activation, symmetric_root(self.between[-1]), drawn, seed + index))
        self.rng, self.free = rng, np.zeros(count, int)
        self.bits = None if fractions is None else self._placed(fractions)
        """Codes in which the last layer's particles are held."""
        self.group = self.free
        if self.bits is not None:
            self.group = np.unique(self.bits, axis=0, return_inverse=True)[1].ravel()
        self.t = np.zeros_like(targets)
        self.pace = 1.0

    def _placed(self, fractions: dict[str, float]) -> Bool[np.ndarray, "S G"]:
        last = self.last
        bits, wanted = placed(fractions, len(last.u), self.class_average)
        _, vectors = np.linalg.eigh(last.root)  # the root's own axes, in which its columns are orthogonal
        last.u = towards(last.u @ vectors, wanted, last.root @ vectors) @ vectors.T
        last.phi = np.asarray(self.activation(jnp.asarray(last.z)))
        refuse_misplaced(self.codes, bits)
        return bits

    @property
    def last(self) -> _Layer:
        return self.layers[-1]

    @property
    def codes(self) -> Bool[np.ndarray, "S G"]:
        return self.last.codes(self.class_average, self.middle)

    def pull_on(self, index: int) -> Float[np.ndarray, "P P"]:
        """B of a layer, from the particles of the layer above."""
        above, kernel = self.layers[index + 1], self.between[index]
        inverse = symmetric_root(kernel, -1.0) if self.activation.kinked else kernel
        found = pull(self.activation, jnp.asarray(above.z), jnp.asarray(above.tilt), jnp.asarray(inverse))
        return self.kernels.gain * np.asarray(found)

    def sweep(self) -> None:
        """All layers once, at fixed kernels and tilts."""
        for layer in self.layers:
            layer.sweep(self.class_average, self.middle, layer is self.last and self.bits is not None)

    def couple(self, tau: float, rate: float) -> None:
        """Kernels upwards, dual variables, then tilts downwards, each a step towards what the particles say.

        Tilts are slow and all else is fast: each round is then a small step of mirror descent on F, which goes down.
        With kernels or dual variables that lag behind the tilts, layers swing against each other instead.
        """
        followed = True
        for index in range(len(self.between)):
            aim = self.kernels(self.layers[index].second_moment)
            kernel = self.between[index] + rate * _KERNEL_RATE * (aim - self.between[index])
            followed &= self._move(index, kernel, tau)
        self.pace = min(1.0, 1.2 * self.pace) if followed else self.pace / 2
        for _ in range(_NEWTON_STEPS):
            self._climb(tau)
        for index in reversed(range(len(self.between))):
            layer, old = self.layers[index], self.layers[index].tilt
            change = self.pace * rate * _TILT_RATE * (self.pull_on(index) - old)
            self._change(layer, partial(_shifted_tilt, layer.root, old, change))

    def _move(self, index: int, kernel: Float[np.ndarray, "P P"], tau: float) -> bool:
        """A new kernel below a layer, in steps that its particles can follow; whether one step was enough."""
        layer = self.layers[index + 1]
        for attempt in range(_SUBSTEPS):
            old = self.between[index]
            size = self._change(layer, partial(_shifted_kernel, old, kernel - old, layer.tilt))
            self.between[index] = old + size * (kernel - old)
            if size == 1.0:
                return attempt == 0
            layer.sweep(self.class_average, self.middle, layer is self.last and self.bits is not None)
            if layer is self.last:
                self._climb(tau)
        return False

    def _climb(self, tau: float) -> None:
        """A Newton step of the dual variables, particles within a code taken to move freely."""
        last, old = self.last, self.t
        # two independent draws of a code take the place of one particle before and after
        order = self.rng.permutation(len(last.phi))
        paired = np.empty_like(order)
        paired[np.argsort(self.group, kind="stable")] = order[np.argsort(self.group[order], kind="stable")]
        step = newton_step(old, self.targets, last.second_moment, last.phi, last.phi[paired], self.variance, tau)
        size = self._change(last, partial(_shifted_dual, last.root, old, step, self.variance))
        self.t = old + size * step

    def _change(self, layer: _Layer, density: Callable[[float], _Density]) -> float:
        """The largest share of a change that the particles of a layer can follow; what is left comes later."""
        held = layer is self.last and self.bits is not None
        size = 1.0
        for _ in range(_HALVINGS):
            if layer.follow(*density(size), self.group if held else self.free, self._keep_codes if held else None):
                return size
            size /= 2
        return 0.0

    def _keep_codes(self, phi: Float[np.ndarray, "S P"]) -> Bool[np.ndarray, " S"]:
        return np.all((phi @ self.class_average > self.middle) == self.bits, axis=1)


def settle_deep(
    activation: Activation,
    basis: Float[np.ndarray, "P R"],
    targets: Float[np.ndarray, "P C"],
    class_average: Float[np.ndarray, "P G"],
    kernels: Kernels,
    variance: float,
    tau: float,
    *,
    depth: int,
    count: int,
    seed: int,
    fractions: dict[str, float] | None = None,
) -> Stack:
    """Particles of all layers in equilibrium (the last layer's: within codes) with each other.

    Args:
        activation: bounded.
        basis: L with L L^T = K_0.
        targets: Y.
        class_average: what averages over the samples of each class.
        kernels: what weights make of activities.
        variance: s^2.
        tau: N T.
        depth: hidden layers.
        count: particles of each layer.
        fractions: share of the last layer's particles that start in each code; left out, they cool from the prior.
    """
    cloud = _Cloud(
        activation,
        basis,
        targets,
        class_average,
        kernels,
        variance,
        depth=depth,
        count=count,
        seed=seed,
        fractions=fractions,
    )
    hot = max(variance * float(np.trace(cloud.last.second_moment)), tau)
    for temperature in tracked(np.geomspace(hot, tau, _COOLING_ROUNDS), "cooling particles of all layers"):
        cloud.sweep()
        cloud.couple(float(temperature), 1.0)
    for round_ in tracked(range(_SETTLING_ROUNDS), "settling particles of all layers"):
        cloud.sweep()
        cloud.couple(tau, _MEMORY / (_MEMORY + round_))
    return _measured(cloud)


def _measured(cloud: _Cloud) -> Stack:
    """Averages at fixed kernels, tilts and dual variables, and how far they are from these."""
    before, cloud.bits, kept = cloud.codes, None, []  # codes that are not stable now show
    moments = [np.zeros_like(layer.tilt) for layer in cloud.layers]
    tilts = [np.zeros_like(layer.tilt) for layer in cloud.layers[:-1]]
    for sweep in tracked(range(_MEASURING_SWEEPS), "measuring"):
        cloud.sweep()
        for total, layer in zip(moments, cloud.layers, strict=True):
            total += layer.second_moment / _MEASURING_SWEEPS
        for index, total in enumerate(tilts):
            total += cloud.pull_on(index) / _MEASURING_SWEEPS
        if (sweep + 1) % (_MEASURING_SWEEPS // _SNAPSHOTS) == 0:
            kept.append([layer.z for layer in cloud.layers])
    preactivations = tuple(np.concatenate(each) for each in zip(*kept, strict=True))
    unsolved = []
    for index, kernel in enumerate(cloud.between):
        whitened = preactivations[index + 1] @ symmetric_root(kernel, -1.0)
        phi = np.asarray(cloud.activation(jnp.asarray(preactivations[index])))
        unsolved.append(
            (
                _divergence(whitened, cloud.kernels(moments[index]) - kernel),
                _divergence(phi, tilts[index] - cloud.layers[index].tilt),
            )
        )
    return Stack(
        t=cloud.t,
        kernels=tuple(moments),
        tilts=tuple(layer.tilt for layer in cloud.layers),
        preactivations=preactivations,
        codes=np.asarray(cloud.activation(jnp.asarray(preactivations[-1]))) @ cloud.class_average > cloud.middle,
        switched=float(np.mean((before != cloud.codes).any(1))),
        unsolved=tuple(unsolved),
    )


def _divergence(x: Float[np.ndarray, "S P"], change: Float[np.ndarray, "P P"]) -> float:
    """Of densities that differ by exp(x^T change x / 2), in nats, to second order: half the exponent's variance."""
    return float(np.var(np.sum(x * (x @ change), axis=1)) / 8)
