"""How often moves, and `codes`, visit every configuration of codes, against the posterior's mass on each by quadrature.

Chains begin at one and the same place. Neurons go from code to code by the moves alone, but for small steps of all
coordinates that make chains ergodic: a move accepted too often, or too seldom, in one direction shows in these
numbers. Modes are made up, of unlike widths: jumps have to be exact for any that are frozen.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from enumeration import Rule, probabilities, signature, weighed
from jaxtyping import Array, Float
from p_values import Findings, combined, mean_p, worst

import codingschemes as cs
from codingschemes.posterior import Density, Position
from codingschemes.samplers import SAMPLERS, Settings, flips, jumps, rotations
from codingschemes.samplers.frame import Frame
from codingschemes.samplers.modes import Modes
from codingschemes.samplers.neighbourhood import populate
from codingschemes.samplers.settling import nothing_in_common, step_together

#: A correct sampler fails with this probability, a broken one has to fail.
ALARM = 1e-5
CHAINS, BURN_IN, STEPS = 64, 50, 600
#: Prior draws where there is no quadrature.
DRAWS = 600_000
#: Configurations of less mass are counted together: means of a rare one are not normal.
LEAST = 0.01


class Case(NamedTuple):
    """A network of neurons that see two samples, and a quadrature that is exact enough with one that is nearly so;
    none where prior draws are weighed instead."""

    activation: str
    width: int
    depth: int
    prior: tuple[float, float]
    rules: tuple[Rule, ...] = ()
    nearly: tuple[Rule, ...] = ()

    def density(self, space: str = "reduced") -> Density:
        # above one coordinate a neuron an integral over two layers is possible
        inputs = np.array([[1.0, 0.35], [-0.35, 1.0]]) if self.depth == 1 else np.array([[1.0], [-0.6]])
        task = cs.Task(
            name="two samples",
            inputs=inputs,
            targets=np.eye(2),
            labels=np.arange(2),
            class_names=("a", "b"),
            target_names=("a", "b"),
            factors=None,
            test_inputs=inputs[:0],
            test_targets=np.zeros((0, 2)),
            test_labels=np.zeros(0, int),
        )
        temperature, variance = self.prior
        network = cs.Network(self.activation, width=self.width, depth=self.depth)
        posterior = cs.Posterior(task, network, temperature=temperature, weight_variance=variance, readout_variance=5.0)
        return posterior.density(space)


SIGMOID, RELU = (0.1, 4.0), (0.3, 1.5)
CASES = {
    "three sigmoid neurons": Case("sigmoid", 3, 1, SIGMOID, (Rule(9, 5),), (Rule(8, 4),)),
    "three ReLU neurons": Case("relu", 3, 1, RELU, (Rule(9, 5),), (Rule(8, 4),)),
    "two layers of two": Case("sigmoid", 2, 2, SIGMOID, (Rule(10), Rule(10, 5)), (Rule(7), Rule(9, 5))),
    "two layers of two ReLUs": Case("relu", 2, 2, RELU, (Rule(10), Rule(10, 5)), (Rule(7), Rule(9, 5))),
    "three layers of two": Case("sigmoid", 2, 3, SIGMOID),
}


class Faults(NamedTuple):
    """1, or 0 where something is left out: of the ratio by which jumps are accepted the volumes of modes, the chances
    to propose them or the prior; of angles how pairs are drawn; of flips, once accepted, what others take up."""

    volume: float = 1.0
    weights: float = 1.0
    prior: float = 1.0
    selection: float = 1.0
    taken_up: float = 1.0


def made_up(density: Density) -> Modes:
    """A mode in the middle of each quadrant of two coordinates; no step towards anything."""
    count, samples = 4, len(density.targets)
    centre = 1.2 * np.array([[1.0, 0.5], [-0.7, 1.0], [-1.0, -0.6], [0.6, -1.0]])
    basis = np.asarray(density.basis) if density.network.depth == 1 else 2 * np.eye(2)
    frame = Frame.of(jnp.asarray(basis), orthogonal=False)
    scales = np.linspace(0.5, 1.2, count)[:, None, None]
    seen = frame.project(jnp.eye(2)).T @ (np.eye(2) + 0.3 * np.ones((2, 2))) @ frame.project(jnp.eye(2))
    squares, axes = np.linalg.eigh(scales**2 * np.asarray(seen))
    widths = np.sqrt(squares)
    modes = Modes(
        centre=centre,
        axes=axes,
        widths=widths,
        log_volume=np.sum(np.log(widths), axis=1) - np.sum(np.log(frame.lengths)),
        activity=density.network.activation(jnp.asarray(centre @ basis.T)),
        side=np.where(centre @ basis.T > 0, 1.0, -1.0),
        gain=np.zeros((count, samples)),
        drift=np.zeros((count, 2)),
        frame=frame,
        found=np.ones(count, bool),
    )
    return jax.tree.map(jnp.asarray, modes)


def jumped(key: Array, position: Position, density: Density, modes: Modes, faults: Faults) -> Position:
    """After a sweep of jumps."""
    sweep_key, replace_key = jax.random.split(key)
    genuine = jumps._attempt

    def jump(key, population, neuron, route, cavity, images, modes, density):
        own, other, log_weights = route
        before = population.coordinates[neuron]
        blur = None
        if not modes.frame.complete:
            blur = jax.random.normal(jax.random.split(key)[0], population.activity.shape[1:], before.dtype)
        ends = ((mode, jumps.centre_among(cavity, mode, images[mode], modes)) for mode in (own, other))
        after, _, _ = modes.carry(before, blur, *ends)
        forgotten = (1 - faults.prior) * (after @ after - before @ before) / 2
        log_weights = (faults.weights * log_weights).at[own].add(forgotten)
        modes = modes._replace(log_volume=faults.volume * modes.log_volume)
        return genuine(key, population, neuron, route._replace(log_weights=log_weights), cavity, images, modes, density)

    with mock.patch.object(jumps, "_attempt", jump):
        population, _ = jumps.jump_sweep(sweep_key, populate(density, *density.last_layer(position)), modes, density)
    return density.replace_last_layer(replace_key, position, population.coordinates)


def rotated(key: Array, position: Position, density: Density, faults: Faults, count: int = 2) -> Position:
    """After rotations, every other of a pair that is drawn by weight."""
    sweep_key, replace_key = jax.random.split(key)
    genuine = rotations.log_selection
    with mock.patch.object(rotations, "log_selection", lambda *given: faults.selection * genuine(*given)):
        population = rotations.rotation_sweep(
            sweep_key, populate(density, *density.last_layer(position)), density, count
        )
    return density.replace_last_layer(replace_key, position, population.coordinates)


def flipped(key: Array, position: Position, density: Density, faults: Faults) -> Position:
    """After a neuron of the first layer was asked to turn round."""
    after, _ = flips.flip_sweep(key, position, density, 1)
    turned = jnp.any(after["input"] != position["input"], axis=1)
    bare = jnp.where(turned, -1.0, 1.0) * position["hidden"]
    return {**after, "hidden": jnp.where(faults.taken_up > 0, after["hidden"], bare)}


def stirred(key: Array, position: Position, density: Density) -> Position:
    """After a step of preconditioned Crank and Nicolson."""
    draw_key, accept_key = jax.random.split(key)
    fresh = density.prior_draw(draw_key)
    near = jax.tree.map(lambda old, new: 0.9 * old + np.sqrt(1 - 0.9**2) * new, position, fresh)
    accepted = jnp.log(jax.random.uniform(accept_key)) < density.misfit(position) - density.misfit(near)
    return jax.tree.map(lambda new, old: jnp.where(accepted, new, old), near, position)


@functools.cache
def visits(name: str) -> Callable[[Faults], Findings]:
    """From faults to p-values of how often chains of moves visit every configuration: one program for all."""
    density = CASES[name].density()
    modes = made_up(density) if density.network.activation.bounded else None

    @jax.jit
    @functools.partial(jax.vmap, in_axes=(0, None))
    def chain(key: Array, faults: Faults) -> Array:
        def step(position: Position, key: Array) -> tuple[Position, Array]:
            flip_key, move_key, stir_key = jax.random.split(key, 3)
            if density.network.depth > 1:
                position = flipped(flip_key, position, density, faults)
            if modes is None:
                position = rotated(move_key, position, density, faults)
            else:
                position = jumped(move_key, position, density, modes, faults)
            position = stirred(stir_key, position, density)
            return position, signature(position, density)

        start = density.prior_draw(jax.random.PRNGKey(3))
        return jax.lax.scan(step, start, jax.random.split(key, BURN_IN + STEPS))[1][BURN_IN:]

    keys = jax.random.split(jax.random.PRNGKey(1), CHAINS)
    return lambda faults: against_quadrature(np.asarray(chain(keys, faults)), CASES[name])


@functools.cache
def masses(case: Case) -> Float[np.ndarray, "2 configuration"]:
    """The mass of every configuration, and how well it is known."""
    if not case.rules:
        return weighed(case.density(), DRAWS)
    exact, nearly = (probabilities(case.density(), rules) for rules in (case.rules, case.nearly))
    return np.stack([exact, np.abs(exact - nearly)])


def against_quadrature(visited: Float[np.ndarray, "chain step"], case: Case) -> Findings:
    mass, error = masses(case)
    share = np.stack([np.bincount(one, minlength=len(mass)) for one in visited]) / visited.shape[1]
    rare = mass < LEAST
    # what is left: rare ones together
    share, mass, error = (
        np.concatenate([each[..., ~rare], each[..., rare].sum(axis=-1, keepdims=True)], axis=-1)
        for each in (share, mass, error)
    )
    names = [f"configuration {index}" for index in np.flatnonzero(~rare)] + ["rare configurations"]
    return dict(zip(names, mean_p(share, mass, error), strict=True))


#: One for every run of the tests: a layer that jumps, above one that turns round. Each of the others compiles for long.
QUICK = "two layers of two"
ALL = [QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in CASES if name != QUICK)]


@pytest.mark.parametrize("name", ALL)
def test_moves_visit_configurations_as_often_as_they_should(name):
    findings = visits(name)(Faults())
    assert combined(findings) > ALARM, worst(findings)


@pytest.mark.parametrize(
    "faults", [Faults(volume=0.0), Faults(weights=0.0), Faults(prior=0.0), Faults(taken_up=0.0)], ids=str
)
def test_broken_moves_are_found_out(faults):
    assert combined(visits(QUICK)(faults)) < ALARM


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("three sigmoid neurons", Faults(volume=0.0)),
        ("three sigmoid neurons", Faults(weights=0.0)),
        ("three sigmoid neurons", Faults(prior=0.0)),
        ("three ReLU neurons", Faults(selection=0.0)),
        ("three layers of two", Faults(taken_up=0.0)),
    ],
)
def test_broken_moves_of_other_networks_are_found_out(name, faults):
    assert combined(visits(name)(faults)) < ALARM


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_all_quadratures_agree_with_weighed_prior_draws(name):
    """Which share nothing with them but the likelihood."""
    case = CASES[name]
    if not case.rules:
        pytest.skip("there is no quadrature")
    exact, nearly = masses(case)
    mass, error = weighed(case.density(), DRAWS)
    frequent = exact > LEAST
    z = (mass - exact)[frequent] / np.hypot(error, nearly)[frequent]
    assert np.abs(z).max() < 4.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "space"),
    [(name, "reduced") for name in CASES] + [("two layers of two", "weights"), ("three layers of two", "weights")],
)
def test_codes_visits_configurations_as_often_as_it_should(name, space):
    """All of it: searched modes, flips, trajectories; from one place through its own warm-up."""
    density, kernel = CASES[name].density(space), SAMPLERS["codes"](Settings(warmup=60))

    @jax.jit
    def run(keys: Array, positions: Position, density: Density) -> Array:
        def step(chains, index):
            states, common, _ = step_together(kernel, *chains, index, density)
            return (states, common), jax.vmap(signature, (0, None))(jax.vmap(kernel.position)(states), density)

        states = jax.vmap(kernel.init, (0, 0, None))(keys, positions, density)
        chains = states, nothing_in_common(kernel, states, density)
        return jax.lax.scan(step, chains, jnp.arange(kernel.warmup + BURN_IN + 2 * STEPS))[1]

    start = density.prior_draw(jax.random.PRNGKey(3))
    positions = jax.tree.map(lambda block: jnp.broadcast_to(block, (CHAINS, *block.shape)), start)
    visited = run(jax.random.split(jax.random.PRNGKey(2), CHAINS), positions, density)
    findings = against_quadrature(np.asarray(visited)[kernel.warmup + BURN_IN :].T, CASES[name])
    assert combined(findings) > ALARM, worst(findings)
