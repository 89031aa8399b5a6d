"""Mean field at any inputs: particles of the single-neuron density, stochastic Newton on the dual.

With the readout integrated out, a neuron z = L u has the density exp(-|u|^2/2 + s^2 |t^T phi(L u)|^2/2), its readout
the mean s^2 t^T phi and the variance s^2. Persistent particles follow the density by Hamiltonian Monte Carlo while t
climbs the dual, whose gradient is Y - (tau + s^2 K) t with K the particles' kernel. Temperature falls from where
nothing is learned, or particles start in given codes.

Barriers between codes grow with the number of samples, so that particles keep the codes in which they froze, like the
neurons of an ordinary sampler: outputs, kernel and readouts are those of the theory at these fractions of codes. On
images they also keep for long which single images of a class they answer to. What does not move within a few sweeps
does not respond to t either, so that the Hessian takes the covariance of what particles do within these sweeps: that
over particles makes steps ten times too short.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from codingschemes.networks import Activation
from codingschemes.progress import tracked
from codingschemes.theory.prediction import UnstableCodes

_COOLING_SWEEPS = 25
_SETTLING_SWEEPS = 30
_CORRECTIONS, _CORRECTING_SWEEPS = 3, 15
_MEASURING_SWEEPS = 30
_LEAPFROGS = 8
_ACCEPTANCE = 0.8
_LAG = 4
"""Sweeps over which a particle's changes make up the covariance of a Newton step."""
_SNAPSHOTS = 2
"""Sweeps whose particles are kept as neurons."""
SINGLE = jnp.float32
"""Precision of trajectories, at a quarter of the time of double: its rounding is far below the noise of particles.
Averages and dual variables are in double."""


@dataclass(frozen=True)
class Settled:
    """Particles that have settled, averaged over sweeps.

    Attributes:
        t: (sample, output).
        kernel: <phi phi^T>, (sample, sample).
        activity: neurons' class-mean activities, (neuron, class), and the same of preactivations.
        preactivation: z of the kept neurons, (neuron, sample).
        readout: s^2 t^T phi of each, (neuron, output).
        code: bits of each, (neuron, class).
        switched: share of particles that changed code while averages were taken.
    """

    t: Float[np.ndarray, "P C"]
    kernel: Float[np.ndarray, "P P"]
    activity: Float[np.ndarray, "S G"]
    preactivation: Float[np.ndarray, "S P"]
    readout: Float[np.ndarray, "S C"]
    code: Bool[np.ndarray, "S G"]
    switched: float


def trajectory(
    potential: Callable[[Float[Array, "S R"]], Float[Array, " S"]],
    key: Array,
    u: Float[Array, "S R"],
    step: Float[Array, ""],
    *,
    leapfrogs: int = _LEAPFROGS,
    shortest: float = 0.8,
) -> tuple[Float[Array, "S R"], Bool[Array, " S"], Float[Array, ""]]:
    """One Hamiltonian trajectory of every particle: proposals, which are accepted, and the mean acceptance.

    Steps are `shortest` to 1.2 times the step given, at random.
    """
    slope = jax.grad(lambda u: jnp.sum(potential(u)))
    key_momentum, key_length, key_accept = jax.random.split(key, 3)
    momentum = jax.random.normal(key_momentum, u.shape, u.dtype)
    size = step * jax.random.uniform(key_length, (), u.dtype, minval=shortest, maxval=1.2)

    def leap(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        u, p = state
        p = p - size * slope(u)
        return (u + size * p, p), None

    start = momentum + size * slope(u) / 2  # the first full kick then makes a half one
    (moved, p), _ = jax.lax.scan(leap, (u, start), length=leapfrogs)
    p = p - size * slope(moved) / 2
    energy = potential(u) + jnp.sum(momentum**2, axis=1) / 2
    change = potential(moved) + jnp.sum(p**2, axis=1) / 2 - energy
    probability = jnp.exp(-jnp.maximum(jnp.where(jnp.isnan(change), jnp.inf, change), 0.0))
    return moved, jax.random.uniform(key_accept, probability.shape, u.dtype) < probability, jnp.mean(probability)


def within_codes(
    potential: Callable[[Float[Array, "S R"]], Float[Array, " S"]],
    activity: Callable[[Float[Array, "S R"]], Float[Array, "S P"]],
    key: Array,
    u: Float[Array, "S R"],
    step: Float[Array, ""],
    class_average: Float[Array, "P G"],
    middle: Float[Array, ""],
    held: Bool[Array, ""],
) -> tuple[Float[Array, "S R"], Float[Array, "S P"], Float[Array, ""]]:
    """One trajectory of every particle: new particles, their activities, and the mean acceptance.

    With `held`, moves that change the code of a particle are rejected: what is sampled is the density within codes.
    """
    moved, taken, acceptance = trajectory(potential, key, u, step)
    phi, phi_moved = activity(u), activity(moved)
    same = jnp.all((phi @ class_average > middle) == (phi_moved @ class_average > middle), axis=1)
    taken = (taken & (same | ~held))[:, None]
    return jnp.where(taken, moved, u), jnp.where(taken, phi_moved, phi), acceptance


def adapted(step: float, acceptance: float) -> float:
    """A step of the integrator that accepts more nearly what it should."""
    return step * float(np.exp(0.5 * (acceptance - _ACCEPTANCE)))


def newton_step(
    t: Float[np.ndarray, "P C"],
    targets: Float[np.ndarray, "P C"],
    kernel: Float[np.ndarray, "P P"],
    now: Float[np.ndarray, "S P"],
    before: Float[np.ndarray, "S P"],
    variance: float,
    tau: float,
) -> Float[np.ndarray, "P C"]:
    """A Newton step on the dual.

    Args:
        kernel: <phi phi^T>.
        now, before: activities of the particles, and some sweeps ago: what moved makes up the covariance.
        variance: s^2.
        tau: N T, or that of a higher temperature.
    """
    samples, outputs = t.shape
    gradient = targets - tau * t - variance * kernel @ t
    products, earlier = (
        (phi[:, :, None] * (variance * phi @ t)[:, None, :]).reshape(len(phi), -1) for phi in (now, before)
    )
    moved = products - earlier
    curvature = moved.T @ moved / (2 * len(moved)) + np.kron(variance * kernel, np.eye(outputs))
    curvature[np.diag_indices(samples * outputs)] += tau
    return np.linalg.solve(curvature, gradient.ravel()).reshape(samples, outputs)


def placed(
    fractions: dict[str, float], count: int, class_average: Float[np.ndarray, "P G"]
) -> tuple[Bool[np.ndarray, "S G"], Float[np.ndarray, "S P"]]:
    """Codes of particles at given fractions, and preactivations of either sign that have these codes."""
    places = np.searchsorted(np.cumsum(list(fractions.values()))[:-1], (np.arange(count) + 0.5) / count, "right")
    bits = np.array([[bit == "1" for bit in code] for code in fractions])[places]
    return bits, np.where(bits, 1.5, -1.5) @ (class_average > 0).T


def towards(
    u: Float[np.ndarray, "S R"], wanted: Float[np.ndarray, "S P"], basis: Float[np.ndarray, "P R"]
) -> Float[np.ndarray, "S R"]:
    """Coordinates near those of the wanted preactivations, weakly seen directions of the basis left alone.

    Args:
        u: drawn from the prior.
        basis: with orthogonal columns.
    """
    strength = (basis**2).sum(0)
    return 0.3 * u + wanted @ basis / (strength + 0.02 * strength.max())


def refuse_misplaced(codes: Bool[np.ndarray, "S G"], bits: Bool[np.ndarray, "S G"]) -> None:
    """Raises `UnstableCodes` where particles do not have the codes that were given."""
    missed = np.unique(bits[(codes != bits).any(1)], axis=0)
    if len(missed):
        names = tuple("".join(str(int(bit)) for bit in code) for code in missed)
        raise UnstableCodes(
            f"these inputs cannot put a neuron into the code {' or '.join(names)}: leave it out of code_fractions",
            names,
        )


@partial(jax.jit, static_argnums=0)
def _sweep(
    activation: Activation,
    key: Array,
    u: Float[Array, "S R"],
    t: Float[Array, "P C"],
    basis: Float[Array, "P R"],
    variance: Float[Array, ""],
    step: Float[Array, ""],
    class_average: Float[Array, "P G"],
    middle: Float[Array, ""],
    held: Bool[Array, ""],
) -> tuple[Float[Array, "S R"], Float[Array, "S P"], Float[Array, ""]]:
    """`within_codes` of the single-neuron density at t."""

    def activity(u: Float[Array, "S R"]) -> Float[Array, "S P"]:
        return activation(u @ basis.T)

    def potential(u: Float[Array, "S R"]) -> Float[Array, " S"]:
        return jnp.sum(u**2, axis=1) / 2 - variance * jnp.sum((activity(u) @ t) ** 2, axis=1) / 2

    return within_codes(potential, activity, key, u, step, class_average, middle, held)


class _Cloud:
    """Particles, the dual variables, and a step of both."""

    def __init__(
        self,
        activation: Activation,
        basis: Float[np.ndarray, "P R"],
        targets: Float[np.ndarray, "P C"],
        class_average: Float[np.ndarray, "P G"],
        variance: float,
        middle: float,
        u: Float[np.ndarray, "S R"],
        seed: int,
    ):
        self.activation, self.targets, self.class_average = activation, targets, class_average
        self.variance, self.middle = variance, middle
        self.basis, self.u = jnp.asarray(basis, SINGLE), jnp.asarray(u, SINGLE)
        self.phi = np.asarray(activation(self.u @ self.basis.T), float)
        self.key = jax.random.PRNGKey(seed)
        self.step = 0.5 / basis.shape[1] ** 0.25
        self.t = np.zeros_like(targets)
        self.held = False
        self.recent = deque([self.phi], maxlen=_LAG + 1)

    @property
    def kernel(self) -> Float[np.ndarray, "P P"]:
        return self.phi.T @ self.phi / len(self.phi)

    @property
    def codes(self) -> Bool[np.ndarray, "S G"]:
        return self.phi @ self.class_average > self.middle

    def sweep(self) -> None:
        self.key, key = jax.random.split(self.key)
        self.u, phi, acceptance = _sweep(
            self.activation,
            key,
            self.u,
            jnp.asarray(self.t, SINGLE),
            self.basis,
            jnp.asarray(self.variance, SINGLE),
            jnp.asarray(self.step, SINGLE),
            jnp.asarray(self.class_average, SINGLE),
            jnp.asarray(self.middle, SINGLE),
            jnp.asarray(self.held),
        )
        self.phi = np.asarray(phi, float)
        self.recent.append(self.phi)
        self.step = adapted(self.step, float(acceptance))

    def balance(self, tau: float) -> None:
        """t that is consistent with the particles as they are."""
        self.t = np.linalg.solve(tau * np.eye(len(self.t)) + self.variance * self.kernel, self.targets)

    def measure(self, sweeps: int) -> Float[np.ndarray, "P P"]:
        """The kernel averaged over sweeps at fixed t."""
        total = np.zeros((len(self.t), len(self.t)))
        for _ in range(sweeps):
            self.sweep()
            total += self.kernel
        return total / sweeps

    def climb(self, tau: float, rate: float, kernel: Float[np.ndarray, "P P"] | None = None) -> None:
        """A Newton step on the dual at this temperature, with the kernel of the particles or a better one."""
        kernel = self.kernel if kernel is None else kernel
        self.t = self.t + rate * newton_step(self.t, self.targets, kernel, self.phi, self.recent[0], self.variance, tau)


def settle(
    activation: Activation,
    basis: Float[np.ndarray, "P R"],
    targets: Float[np.ndarray, "P C"],
    class_average: Float[np.ndarray, "P G"],
    variance: float,
    tau: float,
    *,
    count: int,
    seed: int,
    fractions: dict[str, float] | None = None,
) -> Settled:
    """Particles in equilibrium within codes with the dual variables that they support.

    Args:
        activation: bounded.
        basis: L with L L^T = K0, orthogonal columns.
        targets: Y.
        class_average: what averages over the samples of each class.
        variance: s^2.
        tau: N T.
        count: of particles.
        fractions: share of the particles that starts in each code; left out, all start at the prior and cool.
    """
    middle = activation.midpoint
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((count, basis.shape[1]))
    if fractions is not None:
        bits, wanted = placed(fractions, count, class_average)
        u = towards(u, wanted, basis)
    cloud = _Cloud(activation, basis, targets, class_average, variance, middle, u, seed)
    if fractions is not None:
        refuse_misplaced(cloud.codes, bits)
        cloud.held = True
    # cooled even where codes are held: started cold, t answers to particles that are far from equilibrium within codes
    hot = max(variance * float(np.trace(cloud.kernel)), tau)
    cloud.balance(hot)
    for temperature in tracked(np.geomspace(hot, tau, _COOLING_SWEEPS), "cooling particles"):
        cloud.sweep()
        cloud.climb(float(temperature), 0.5)
    for sweep in tracked(range(_SETTLING_SWEEPS), "settling particles"):
        cloud.sweep()
        cloud.climb(tau, min(0.5, _SETTLING_SWEEPS / 4 / (sweep + 1)))
    for _ in tracked(range(_CORRECTIONS), "correcting the dual variables"):
        cloud.climb(tau, 1.0, cloud.measure(_CORRECTING_SWEEPS))
    cloud.held = False  # codes that are not stable now show
    before, parts, kept = cloud.codes, [], []
    for _ in tracked(range(_SNAPSHOTS), "measuring"):
        parts.append(cloud.measure(_MEASURING_SWEEPS // _SNAPSHOTS))
        kept.append(np.asarray(cloud.u, float))
    z = np.concatenate(kept) @ basis.T
    phi = np.asarray(activation(jnp.asarray(z)))
    activity = phi @ class_average
    return Settled(
        t=cloud.t,
        kernel=np.mean(parts, axis=0),
        activity=activity,
        preactivation=z,
        readout=variance * phi @ cloud.t,
        code=activity > middle,
        switched=float(np.mean((before != cloud.codes).any(1))),
    )
