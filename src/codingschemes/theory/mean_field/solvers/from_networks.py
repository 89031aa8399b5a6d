"""Three hidden layers or more: from the averages of a sampled network to where the free energy is stationary.

Cooling (`deep.py`) does not get there on images: next to the transition at which codes appear a kernel answers to the
tilt that it causes by more than itself, and layers swing against each other. Two things are different here.

Where particles begin. A network of S neurons a layer at the same N T has the densities of the limit up to corrections
of order 1/S, and samplers move its neurons between codes. Averages over its draws are the first kernels and tilts, its
neurons the first particles.

How they move. Besides trajectories there are jumps between codes: where particles of a lower layer change code once in
a hundred sweeps, the numbers in codes answer that late, and layers swing. F (in `deep.py`) depends on the density of a
layer, the others held, through its kernel and the second moment above,

    F_l = KL(rho_l || N(0, K_{l-1})) + [log det K_l + tr K_l^{-1} Z_{l+1}] / 2,   Z_{l+1} = <z z^T>_{l+1},

so that with Z_{l+1} held the tilt answers to the kernel,

    B_l = g (K_l^{-1} Z_{l+1} K_l^{-1} - K_l^{-1}),

and a kernel that grows is pulled back: each density goes down its own part of F, and Z_{l+1} = K_l + K_l B_l K_l / g
follows with B_l integrated by parts. In axes in which K_l is one and Z_{l+1} is diagonal, with entries zeta, an entry
of the kernel that is off by r draws back (zeta_i + zeta_j - 1) v_ij r, v_ij what the tilt does to that entry: steps are
divided by one more than that, or particles would be thrown back further than they came.

Source: derived here.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from codingschemes.errors import Stopped
from codingschemes.interruption import stoppable
from codingschemes.networks import Network
from codingschemes.posterior import Posterior, Prior
from codingschemes.progress import announce, check_time, time_left, tracked
from codingschemes.runs import sample
from codingschemes.theory.mean_field.annealing import Annealing
from codingschemes.theory.mean_field.particles import place_codes, refuse_misplaced, second_moment
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.solution import Request, Solution
from codingschemes.theory.mean_field.solvers.deep import Layers, Stack, measured, pull, stacked
from codingschemes.theory.mean_field.solvers.layer import symmetric_root

ANNEALING = Annealing(cooling=0, settling=400, corrections=1, averaging=120, measuring=80)
"""Rounds of a quarter of the particles are `settling`, of all `averaging`."""
#: Neurons of a layer and chains of the network, and draws that are averaged.
_WIDTH, _CHAINS, _KEPT = 100, 2, 400
_FIRST = 4
"""Part of the particles that settle first."""
#: Of steps of kernels, at first, and the rounds after which it is half of that.
_RATE, _MEMORY = 0.15, 200
#: Of what is held above, over that of kernels, which have to keep up with it.
_HELD_RATE = 0.15
#: Seconds of a prediction: to begin, of a draw and sample of the network, and of each particle, layer and square of a
#: sample.
_BEGINNING, _DRAWING, _EACH = 40.0, 0.5, 6e-7


class Averages(NamedTuple):
    """What a sampled network says of the limit.

    Attributes:
        preactivations: some draws, (draw, layer, neuron, sample).
        kernels: <phi phi^T> of each layer.
        tilts: B of each layer.
    """

    preactivations: Float[np.ndarray, "draw L N P"]
    kernels: tuple[Float[np.ndarray, "P P"], ...]
    tilts: tuple[Float[np.ndarray, "P P"], ...]


def network_of(problem: MeanFieldProblem) -> Posterior:
    """The posterior of a network that is wide enough to begin with, at the same N T and in the same limit."""
    network, prior = problem.network, problem.posterior.prior
    if network.scaling != "none":  # whose first layer and others scale apart
        network = Network(
            network.activation_name, width=_WIDTH, depth=network.depth, bias=network.bias, scaling=network.scaling
        )
    readout_variance = problem.variance / (network.width * network.readout_scale) ** 2
    prior = Prior(problem.tau / network.width, prior.weight_variance, readout_variance, prior.source)
    return Posterior.with_prior(problem.task, network, prior)


def averages_of_networks(problem: MeanFieldProblem, *, draws: int, seed: int) -> Averages:
    """Kernels and tilts, averaged over what `codes` samples from starts apart, until its chains agree.

    Args:
        draws: so many are kept, spread over the chains.

    Raises:
        Stopped: by a signal.
        TimeLimitReached: before the chains agreed.
    """
    doing = "sampling networks"
    check_time(doing)
    with stoppable() as interruption:
        run = sample(network_of(problem), chains=_CHAINS, seed=seed, progress=False, time_limit=time_left())
        check_time(doing)
        if not run.finished:
            interruption.sentence, interruption.kept = "stopped while networks were sampled: nothing is kept", False
            raise Stopped(interruption.sentence, kept=False)
    stored = run.values("neurons", "preactivation")
    stored = stored.reshape(-1, *stored.shape[2:])
    kept = stored[np.unique(np.linspace(0, len(stored) - 1, draws).astype(int))].astype(float)
    each = [_instant(problem, draw) for draw in kept]
    kernels, tilts = (
        tuple(np.mean(layer, axis=0) for layer in zip(*kind, strict=True)) for kind in zip(*each, strict=True)
    )
    return Averages(kept, kernels, tilts)


def _instant(
    problem: MeanFieldProblem, draw: Float[np.ndarray, "L N P"]
) -> tuple[list[Float[np.ndarray, "P P"]], list[Float[np.ndarray, "P P"]]]:
    """Kernels of all layers of a network, and the tilts that follow from them."""
    kernels = [second_moment(problem.activity(layer)) for layer in draw]
    t = problem.fit(problem.variance * kernels[-1])
    tilts = [problem.variance * t @ t.T]
    for above, kernel in zip(draw[:0:-1], kernels[-2::-1], strict=True):
        tilts.insert(0, pull(problem, above, tilts[0], problem.kernel_above(kernel)))
    return kernels, tilts


class Descent:
    """Steps of all densities at once, each with the others held.

    Args:
        layers: with kernels, tilts and particles in place.
    """

    def __init__(self, layers: Layers):
        self.layers, self.problem = layers, layers.problem
        self.held = [
            self._above(kernel, layer.tilt) for kernel, layer in zip(layers.between, layers.layers, strict=False)
        ]
        """Z_{l+1} of each layer but the last."""

    def step(self, rate: float) -> None:
        """Particles once, then kernels upwards and tilts, each `rate` of the way to what the particles say; dual
        variables all the way, or numbers in codes run away from them."""
        self.layers.sweep()
        for index, below in enumerate(self.layers.layers[:-1]):
            above = self.layers.layers[index + 1]
            self._lift(index, rate)
            above.root = symmetric_root(self.layers.between[index])
            above.place(above.u)
            self._hold(index, rate)
            below.tilt = self._tilt(index)
        self.layers.fit(self.layers.t + self.layers.dual_step(self.problem.tau))

    def multiply(self, times: int) -> None:
        """As many copies of every particle, which part as they move."""
        layers = self.layers
        for layer in layers.layers:
            layer.place(np.tile(layer.u, (times, 1)))
        layers.hold(None if layers.bits is None else np.tile(layers.bits, (times, 1)))

    def _lift(self, index: int, rate: float) -> None:
        """A step of the kernel above a layer towards its particles'."""
        kernel, phi = self.layers.between[index], self.layers.layers[index].phi
        root = symmetric_root(kernel)
        inverse = symmetric_root(kernel, -0.5)
        zeta, axes = np.linalg.eigh(inverse @ self.held[index] @ inverse)
        whiten = inverse @ axes
        off = whiten.T @ (self.problem.kernel_above(second_moment(phi)) - kernel) @ whiten
        back = answers(np.sqrt(self.problem.gain) * phi @ whiten, zeta)
        unwhiten = root @ axes
        self.layers.between[index] = kernel + rate * unwhiten @ (off / (1 + back)) @ unwhiten.T

    def _hold(self, index: int, rate: float) -> None:
        now = self._above(self.layers.between[index], self.layers.pull_on(index))
        self.held[index] = self.held[index] + _HELD_RATE * rate * (now - self.held[index])

    def _above(self, kernel: Float[np.ndarray, "P P"], tilt: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
        """<z z^T> above a kernel, of neurons that exert this tilt."""
        return kernel + kernel @ tilt @ kernel / self.problem.gain

    def _tilt(self, index: int) -> Float[np.ndarray, "P P"]:
        inverse = symmetric_root(self.layers.between[index], -1.0)
        return self.problem.gain * (inverse @ self.held[index] @ inverse - inverse)


def answers(x: Float[np.ndarray, "S R"], zeta: Float[np.ndarray, " R"]) -> Float[np.ndarray, "R R"]:
    """How much an entry of the kernel of activities x draws back when it is off by one, in axes in which the kernel is
    one and the second moment above, which is held, diagonal: zeta."""
    squares = x**2
    answer = second_moment(squares)
    np.fill_diagonal(answer, (np.diag(answer) - squares.mean(axis=0) ** 2) / 2)
    return np.maximum((zeta[:, None] + zeta - 1) * answer, 0.0)


def begun(
    problem: MeanFieldProblem, found: Averages, *, count: int, seed: int, fractions: dict[str, float] | None = None
) -> Descent:
    """Layers with the kernels and tilts of sampled networks, and particles that are their neurons.

    Args:
        count: particles of each layer, of draws spread evenly.
        fractions: share of the last layer's particles that is held in each code; left out, they jump between codes as
            those of all layers do.

    Raises:
        UnstableCodes: fractions of a code that no neuron of the networks has.
    """
    width = found.preactivations.shape[2]
    draws = found.preactivations[np.linspace(0, len(found.preactivations) - 1, max(1, count // width)).astype(int)]
    layers = Layers(problem, count=len(draws) * width, seed=seed, fractions=None)
    square = np.sum(problem.basis**2, axis=0)
    layers.layers[0].place(np.concatenate([draw[0] @ problem.basis / square for draw in draws]))
    for index in range(1, problem.network.depth):
        layers.between[index - 1] = problem.kernel_above(found.kernels[index - 1])
        above = layers.layers[index]
        above.root = symmetric_root(layers.between[index - 1])
        whitened = []
        for draw in draws:
            below = problem.kernel_above(second_moment(problem.activity(draw[index - 1])))
            whitened.append(draw[index] @ symmetric_root(below, -0.5))
        above.place(np.concatenate(whitened))
    for layer, tilt in zip(layers.layers, found.tilts, strict=True):
        layer.tilt = tilt
    layers.fit(problem.fit(problem.variance * found.kernels[-1]))
    layers.jumping = problem.network.depth - (fractions is not None)
    if fractions is not None:
        _hold_at(layers, fractions)
    return Descent(layers)


def _hold_at(layers: Layers, fractions: dict[str, float]) -> None:
    """Takes as many of the last layer's particles of each code as are wanted, and holds them there."""
    wanted, _ = place_codes(fractions, len(layers.last.u), layers.problem.class_average)
    code, chosen = layers.codes, np.arange(len(wanted))
    for bits in np.unique(wanted, axis=0):
        of_code, places = (np.flatnonzero((each == bits).all(axis=1)) for each in (code, wanted))
        if len(of_code):
            chosen[places] = np.resize(of_code, len(places))
    layers.last.place(layers.last.u[chosen])
    refuse_misplaced(layers.codes, wanted)
    layers.hold(wanted)


def settle_from_networks(
    problem: MeanFieldProblem,
    *,
    count: int,
    seed: int,
    fractions: dict[str, float] | None = None,
    annealing: Annealing = ANNEALING,
) -> Stack:
    """Particles of all layers in equilibrium with each other.

    Args:
        problem: of an activation that saturates.
        count: particles of each layer.
        fractions: see `begun`.
    """
    few = -(-count // _FIRST)
    found = averages_of_networks(problem, draws=max(_KEPT, -(-few // _WIDTH)), seed=seed)
    descent = begun(problem, found, count=few, seed=seed, fractions=fractions)
    for round_ in tracked(range(annealing.settling + annealing.averaging), "settling particles of all layers"):
        if round_ == annealing.settling:
            descent.multiply(_FIRST)
        descent.step(_RATE * _MEMORY / (_MEMORY + round_))
    return measured(descent.layers, annealing.measuring)


def solution(problem: MeanFieldProblem, request: Request) -> Solution:
    """Particles in every layer, from sampled networks."""
    annealing, fractions = request.annealing or ANNEALING, request.fractions
    size = problem.network.depth * request.particles * len(problem.targets) ** 2
    announce(
        "mean field from sampled networks, by particles in every layer",
        _BEGINNING + _DRAWING * len(problem.targets) + _EACH * size,
    )
    found = settle_from_networks(
        problem, count=request.particles, seed=request.seed, fractions=fractions, annealing=annealing
    )
    return stacked(problem, found, annealing.tolerance, given=fractions is not None)
