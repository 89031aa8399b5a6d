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

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from codingschemes.progress import announce, tracked
from codingschemes.theory.mean_field.annealing import Annealing
from codingschemes.theory.mean_field.dual import newton_step
from codingschemes.theory.mean_field.particles import Hold, place_codes, refuse_misplaced, second_moment, towards
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.solution import Request, Solution, code_groups, neurons_at
from codingschemes.theory.mean_field.solvers.layer import LayerParticles, covariance_gradient, symmetric_root
from codingschemes.theory.mean_field.solvers.tilted import ParticleDetails, kept_codes, mixing_codes
from codingschemes.theory.prediction import Assumption, Certificate

ANNEALING = Annealing(cooling=100, settling=200, corrections=0, measuring=60)
#: Particles a sample, at least, at most. Kernels of S particles are off by P^2 / (4 S) nats a neuron of the next layer,
#: S counted in all rounds that are remembered: two layers on MNIST, P = 100, leave .07 with 16,000, .9 with 2,000.
_OF_SAMPLE, _FEWEST, _MOST = 160, 2000, 16000
#: Seconds of a prediction, and of each particle, layer and square of a sample in it.
_BEGINNING, _EACH = 8.0, 6e-7
_SNAPSHOTS = 2
_NEWTON_STEPS = 2
_TILT_RATE, _KERNEL_RATE = 0.1, 0.3
_MEMORY = 20
_HALVINGS = 6
_SUBSTEPS = 4


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


def pull(
    problem: MeanFieldProblem,
    z: Float[np.ndarray, "S P"],
    tilt: Float[np.ndarray, "P P"],
    kernel: Float[np.ndarray, "P P"],
) -> Float[np.ndarray, "P P"]:
    """B of a layer, from neurons of the layer above.

    Args:
        z: their preactivations.
        tilt: their own B.
        kernel: K between the layers.
    """
    inverse = symmetric_root(kernel, -1.0) if problem.activation.kinked else kernel
    found = covariance_gradient(problem.activation, jnp.asarray(z), jnp.asarray(tilt), jnp.asarray(inverse))
    return problem.gain * np.asarray(found)


class Layers:
    """All layers with what couples them: kernels up, tilts down, and the dual variables of the last."""

    def __init__(self, problem: MeanFieldProblem, *, count: int, seed: int, fractions: dict[str, float] | None):
        self.problem, self.activation = problem, problem.activation
        rng = np.random.default_rng(seed)
        drawn = rng.standard_normal((count, problem.basis.shape[1]))
        self.layers = [LayerParticles(self.activation, problem.basis, drawn, seed)]
        self.between: list[Float[np.ndarray, "P P"]] = []  # K_l of all layers but the last
        for index in range(1, problem.network.depth):
            self.between.append(problem.kernel_above(self.layers[-1].second_moment))
            drawn = rng.standard_normal((count, len(problem.targets)))
            self.layers.append(LayerParticles(self.activation, symmetric_root(self.between[-1]), drawn, seed + index))
        self.rng = rng
        self.bits: Bool[np.ndarray, "S G"] | None = None
        """Codes in which the last layer's particles are held."""
        self.hold(None if fractions is None else self._place(fractions))
        self.t = np.zeros_like(problem.targets)
        self.pace = 1.0
        self.jumping = 0
        """How many layers, from the first, whose particles are proposed other codes."""

    def _place(self, fractions: dict[str, float]) -> Bool[np.ndarray, "S G"]:
        last = self.last
        bits, wanted = place_codes(fractions, len(last.u), self.problem.class_average)
        _, vectors = np.linalg.eigh(last.root)  # the root's own axes, in which its columns are orthogonal
        last.place(towards(last.u @ vectors, wanted, last.root @ vectors) @ vectors.T)
        refuse_misplaced(self.codes, bits)
        return bits

    @property
    def last(self) -> LayerParticles:
        return self.layers[-1]

    @property
    def codes(self) -> Bool[np.ndarray, "S G"]:
        return self.problem.codes_of(self.last.phi)

    def fit(self, t: Float[np.ndarray, "P C"]) -> None:
        """Dual variables, and the tilt of the last layer that they make."""
        self.t = t
        self.last.tilt = self.problem.variance * t @ t.T

    def pull_on(self, index: int) -> Float[np.ndarray, "P P"]:
        """B of a layer, from the particles of the layer above."""
        above = self.layers[index + 1]
        return pull(self.problem, above.z, above.tilt, self.between[index])

    def sweep(self) -> None:
        """All layers once, at fixed kernels and tilts."""
        for index, layer in enumerate(self.layers):
            self._sweep(layer)
            if index < self.jumping:
                layer.jump(self.problem.codes_of)

    def _sweep(self, layer: LayerParticles) -> None:
        held = layer is self.last and self.bits is not None
        layer.sweep(Hold(self.problem.class_average, self.activation.midpoint, held))

    def couple(self, tau: float, rate: float) -> None:
        """Kernels upwards, dual variables, then tilts downwards, each a step towards what the particles say.

        Tilts are slow and all else is fast: each round is then a small step of mirror descent on F, which goes down.
        With kernels or dual variables that lag behind the tilts, layers swing against each other instead.
        """
        followed = True
        for index in range(len(self.between)):
            aim = self.problem.kernel_above(self.layers[index].second_moment)
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
            self._sweep(layer)
            if layer is self.last:
                self._climb(tau)
        return False

    def _climb(self, tau: float) -> None:
        """As much of a Newton step of the dual variables as particles can follow."""
        old, step = self.t, self.dual_step(tau)
        size = self._change(self.last, partial(_shifted_dual, self.last.root, old, step, self.problem.variance))
        self.t = old + size * step

    def dual_step(self, tau: float) -> Float[np.ndarray, "P C"]:
        """A Newton step of the dual variables, particles within a code taken to move freely."""
        # two independent draws of a code take the place of one particle before and after
        order = self.rng.permutation(len(self.group))
        paired = np.empty_like(order)
        paired[np.argsort(self.group, kind="stable")] = order[np.argsort(self.group[order], kind="stable")]
        phi = self.last.phi
        return newton_step(
            self.t, self.problem.targets, second_moment(phi), phi, phi[paired], self.problem.variance, tau
        )

    def hold(self, bits: Bool[np.ndarray, "S G"] | None) -> None:
        """Holds the last layer's particles in codes, or none of them."""
        self.bits, self.group = bits, np.zeros(len(self.last.u), int)
        if bits is not None:
            self.group = np.unique(bits, axis=0, return_inverse=True)[1].ravel()

    def _change(self, layer: LayerParticles, density: Callable[[float], _Density]) -> float:
        """The largest share of a change that the particles of a layer can follow; what is left comes later."""
        held = layer is self.last and self.bits is not None
        size = 1.0
        for _ in range(_HALVINGS):
            group = self.group if held else np.zeros(len(layer.u), int)
            if layer.follow(*density(size), group, self._keep_codes if held else None):
                return size
            size /= 2
        return 0.0

    def _keep_codes(self, phi: Float[np.ndarray, "S P"]) -> Bool[np.ndarray, " S"]:
        return np.all(self.problem.codes_of(phi) == self.bits, axis=1)


def usual_particles(problem: MeanFieldProblem) -> int:
    """How many particles of a layer keep the noise of kernels below what is accepted, as far as that takes minutes."""
    return min(max(_FEWEST, _OF_SAMPLE * len(problem.targets)), _MOST)


def settle_deep(
    problem: MeanFieldProblem,
    *,
    count: int,
    seed: int,
    fractions: dict[str, float] | None = None,
    annealing: Annealing = ANNEALING,
) -> Stack:
    """Particles of all layers in equilibrium (the last layer's: within codes) with each other.

    Args:
        problem: of an activation that saturates.
        count: particles of each layer.
        fractions: share of the last layer's particles that start in each code; left out, they cool from the prior.
    """
    layers, tau = Layers(problem, count=count, seed=seed, fractions=fractions), problem.tau
    hot = max(problem.variance * float(np.trace(layers.last.second_moment)), tau)
    for temperature in tracked(np.geomspace(hot, tau, annealing.cooling), "cooling particles of all layers"):
        layers.sweep()
        layers.couple(float(temperature), 1.0)
    for round_ in tracked(range(annealing.settling), "settling particles of all layers"):
        layers.sweep()
        layers.couple(tau, _MEMORY / (_MEMORY + round_))
    return measured(layers, annealing.measuring)


def measured(layers: Layers, sweeps: int) -> Stack:
    """Averages at fixed kernels, tilts and dual variables, and how far they are from these."""
    before, layers.bits, kept = layers.codes, None, []  # codes that are not stable now show
    moments = [np.zeros_like(layer.tilt) for layer in layers.layers]
    tilts = [np.zeros_like(layer.tilt) for layer in layers.layers[:-1]]
    for sweep in tracked(range(sweeps), "measuring"):
        layers.sweep()
        for total, layer in zip(moments, layers.layers, strict=True):
            total += layer.second_moment / sweeps
        for index, total in enumerate(tilts):
            total += layers.pull_on(index) / sweeps
        if (sweep + 1) % (sweeps // _SNAPSHOTS) == 0:
            kept.append([layer.z for layer in layers.layers])
    preactivations = tuple(np.concatenate(each) for each in zip(*kept, strict=True))
    unsolved = []
    for index, kernel in enumerate(layers.between):
        whitened = preactivations[index + 1] @ symmetric_root(kernel, -1.0)
        phi = layers.problem.activity(preactivations[index])
        unsolved.append(
            (
                _divergence(whitened, layers.problem.kernel_above(moments[index]) - kernel),
                _divergence(phi, tilts[index] - layers.layers[index].tilt),
            )
        )
    return Stack(
        t=layers.t,
        kernels=tuple(moments),
        tilts=tuple(layer.tilt for layer in layers.layers),
        preactivations=preactivations,
        codes=layers.problem.codes_of(layers.problem.activity(preactivations[-1])),
        switched=float(np.mean((before != layers.codes).any(1))),
        unsolved=tuple(unsolved),
    )


def _divergence(x: Float[np.ndarray, "S P"], change: Float[np.ndarray, "P P"]) -> float:
    """Of densities that differ by exp(x^T change x / 2), in nats, to second order: half the exponent's variance."""
    return float(np.var(np.sum(x * (x @ change), axis=1)) / 8)


def solution(problem: MeanFieldProblem, request: Request) -> Solution:
    """Particles in every layer of neurons that saturate."""
    annealing, fractions = request.annealing or ANNEALING, request.fractions
    size = problem.network.depth * request.particles * len(problem.targets) ** 2
    announce("mean field by particles in every layer", _BEGINNING + _EACH * size)
    found = settle_deep(problem, count=request.particles, seed=request.seed, fractions=fractions, annealing=annealing)
    return stacked(problem, found, annealing.tolerance, given=fractions is not None)


def stacked(problem: MeanFieldProblem, found: Stack, tolerance: float, *, given: bool) -> Solution:
    """The solution that settled layers are, with the residual of the self-consistency as its certificate.

    Args:
        given: whether the numbers of neurons in codes were.
    """
    kernel = problem.variance * found.kernels[-1]
    dual_gap = problem.dual_gap(found.t, kernel)
    t = problem.fit(kernel)
    names, group = np.unique(found.codes, axis=0, return_inverse=True)
    neurons = neurons_at(problem, found.preactivations[-1], t, group.ravel())
    return Solution(
        t=t,
        kernel=found.kernels[-1],
        neurons=neurons,
        readout_variance=problem.variance,
        certificate=Certificate(
            gap=dual_gap + sum(sum(each) for each in found.unsolved),
            tolerance=tolerance,
            meaning="residual of the self-consistency in nats a neuron: duality gap of the last layer, and divergences "
            "of the layers' densities from those that each other's averages imply, Monte Carlo noise included",
            bounds={
                "dual_gap": dual_gap,
                "kernel_residual": sum(kernel for kernel, _ in found.unsolved),
                "tilt_residual": sum(tilt for _, tilt in found.unsolved),
            },
        ),
        shares="given" if given else "equilibrium",
        assumptions=(
            kept_codes(found.switched) if given else mixing_codes(found.switched, "the last layer's "),
            Assumption(
                "The stationary point that is found is the minimum of the free energy: not proven for more than one "
                "hidden layer.",
                holds=False,
            ),
        ),
        codes=code_groups(problem, neurons, names),
        below=found.preactivations[:-1],
        lower_kernels=found.kernels[:-1],
        details=ParticleDetails(),
    )
