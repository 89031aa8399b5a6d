"""The frozen modes are those that neurons have."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import small_posterior
from numpy.typing import NDArray

from codingschemes import Network, Posterior
from codingschemes.posterior import Density
from codingschemes.samplers import SAMPLERS, Settings, mode_search
from codingschemes.samplers.climbs import Landscape, Reference, Summit, climb, maximum, taylor
from codingschemes.samplers.frame import PreactivationPrior
from codingschemes.samplers.mode_pooling import SharedModes, join, look_around
from codingschemes.samplers.mode_search import look_for_modes
from codingschemes.samplers.modes import Modes, code_count, modes_from
from codingschemes.samplers.neighbourhood import LastLayer, populate, without
from codingschemes.tasks import make_task

DISTINCT = 0.25


@pytest.fixture(scope="module")
def quenched() -> tuple[Density, LastLayer]:
    """Thirty neurons quenched on handwritten digits, some of which are hard to tell."""
    task = make_task("digits", classes="3,5,8", samples=30)
    density = Posterior(task, Network("sigmoid", width=30), temperature=1e-4).density()
    kernel = SAMPLERS["hmc"](Settings(warmup=100))

    @jax.jit
    def quench(key: jax.Array) -> LastLayer:
        key_position, key_state = jax.random.split(key)
        state = kernel.init(key_state, density.prior_draw(key_position), density)
        state = jax.lax.fori_loop(0, 150, lambda _, state: kernel.step(state, density)[0], state)
        return populate(density, *density.last_layer(kernel.position(state)))

    return density, quench(jax.random.PRNGKey(3))


@pytest.fixture(scope="module")
def modes(quenched: tuple[Density, LastLayer]) -> Modes:
    density, population = quenched
    return jax.jit(lambda: modes_from(look_for_modes(population, density)[0], density, population.basis))()


def settled(density: Density, population: LastLayer) -> NDArray[np.float64]:
    """Activity of each neuron where it climbs to among the others as they are, (neuron, sample)."""

    def climbed(neuron: jax.Array) -> jax.Array:
        cavity = without(population, neuron, density)
        start = population.coordinates[neuron]
        landscape = Landscape(cavity, population.inverse, density, population.basis)
        centre = maximum(start, landscape, PreactivationPrior.of(population.basis, orthogonal=True))
        return density.network.activation(population.basis @ centre)

    return np.asarray(jax.jit(jax.vmap(climbed))(jnp.arange(len(population.coordinates))))


@pytest.mark.slow
def test_neurons_climb_to_modes_that_were_found_which_codes_alone_do_not_tell_apart(quenched, modes):
    density, population = quenched
    found = np.asarray(modes.activity)[np.asarray(modes.found)]
    gaps = np.abs(settled(density, population)[:, None] - found).max(axis=2)
    assert np.all(gaps.min(axis=1) < DISTINCT)
    codes = found @ np.asarray(density.class_average) > 0.5
    _, first = np.unique(codes, axis=0, return_index=True)
    assert len(first) < len(found)
    assert np.any(gaps[:, first].min(axis=1) > DISTINCT)


def test_a_climb_ends_where_there_is_nothing_to_gain_and_one_from_there_takes_no_step():
    density = small_posterior("sigmoid", temperature=1e-3).density()

    @jax.jit
    def climbed(neuron):
        population = populate(density, *density.last_layer(density.prior_draw(jax.random.PRNGKey(1))))
        cavity = without(population, neuron, density)

        def height(at):
            activity = density.network.activation(population.basis @ at)[None]
            return cavity.log_likelihood(activity, activity @ population.inverse)[0] - at @ at / 2

        landscape = Landscape(cavity, population.inverse, density, population.basis)
        prior = PreactivationPrior.of(population.basis, orthogonal=True)
        centre = maximum(population.coordinates[neuron], landscape, prior)
        slope, expected = jax.grad(height)(centre), -jax.hessian(height)(centre)
        again = maximum(centre, landscape, prior, steps=5)
        return centre, landscape.curvature(centre), slope, expected, again

    for neuron in (0, 3):
        centre, curvature, slope, expected, again = climbed(neuron)
        assert slope @ np.linalg.solve(curvature, slope) < 1e-13
        np.testing.assert_allclose(curvature, expected, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(again, centre)


@pytest.mark.parametrize(
    ("shape", "orthogonal"),
    [(shape, way) for shape in ((6, 6), (6, 5), (5, 3)) for way in (True, False)] + [((5, 8), False)],
)
@pytest.mark.parametrize("weakest", [0.3, 1e-3, 1e-7])
def test_a_newton_step_is_the_dense_solution_in_what_samples_see(shape, orthogonal, weakest):
    """For as many components as samples, fewer, more; with directions that hardly any sample sees; and where the
    Hessian gives others than the prior's curvature in some of them."""
    rng = np.random.default_rng(sum(shape))
    samples, components = shape
    left, _, right = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    lengths = np.geomspace(2.0, weakest, len(right))
    basis = left * lengths if orthogonal else left * lengths @ right
    hessian = rng.normal(size=(samples, samples))
    hessian = (hessian + hessian.T) / 10 - hessian @ hessian.T
    slope = rng.normal(size=components)
    seen = slope if orthogonal else right.T @ (right @ slope)
    prior = PreactivationPrior.of(jnp.asarray(basis), orthogonal=orthogonal)
    step = prior.newton_step(jnp.asarray(slope), jnp.asarray(hessian), jnp.asarray(0.2))
    matrix = 1.2 * np.eye(components) - basis.T @ hessian @ basis
    # lengths are raised to 1e-5 of the largest, and enter in products of two
    np.testing.assert_allclose(step, np.linalg.solve(matrix, seen), rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_modes_found_come_first_and_are_distinct(modes):
    assert_first_and_distinct(modes)


def test_samples_are_turned_that_are_least_decided_and_not_known_turned_in_codes_that_neurons_have():
    """Of three codes, the first two held: 20 samples of theirs are left before those that are known turned, or in the
    third, come."""
    density = small_posterior("sigmoid", samples=12).density()
    codes = np.array([[1, 0], [0, 1], [1, 1]])
    pattern = (2.0 * codes - 1) @ np.asarray(density.class_average > 0, float).T
    level = pattern * (2 + np.random.default_rng(0).uniform(size=pattern.shape))
    with_turned = np.stack([level[0], level[1]])
    sample = int(np.argmin(np.abs(level[0])))
    with_turned[0, sample] *= -1
    population = populate(density, *density.last_layer(density.prior_draw(jax.random.PRNGKey(0))))
    population = population._replace(activity=density.network.activation(jnp.asarray(level[:2])), basis=jnp.eye(12))
    modes = Summit(jnp.asarray(level), density.network.activation(jnp.asarray(level)), jnp.ones(3, bool))

    def turned(known):
        mode, places = mode_search._turn_weakest(modes, population, known, density)
        rows = np.arange(len(mode))
        samples = np.argmax(np.sign(places) != np.sign(level[np.asarray(mode)]), axis=1)
        assert np.all(np.sum(np.sign(places) != np.sign(level[np.asarray(mode)]), axis=1) == 1)
        assert np.all(np.abs(np.asarray(places)[rows, samples]) == mode_search._PATTERN_LEVEL)
        return set(zip(np.asarray(mode).tolist(), samples.tolist(), strict=True))

    weakest = sorted((abs(level[k, s]), k, s) for k in range(2) for s in range(12))
    count = mode_search._TURNED
    assert turned(jnp.zeros((0, 12))) == {(k, s) for _, k, s in weakest[:count]}
    known = density.network.activation(jnp.asarray(with_turned))
    left = [(k, s) for _, k, s in weakest if (k, s) != (0, sample)]
    assert turned(jnp.concatenate([known, jnp.full((1, 12), jnp.inf)])) == set(left[:count])


@pytest.mark.slow
def test_modes_known_before_are_told_of_again_and_others_looked_for(quenched, monkeypatch):
    monkeypatch.setattr(mode_search, "_EXPLORERS", 8)  # of thirty neurons
    density, population = quenched
    look = jax.jit(look_around)
    _, found = look(population, density, SharedModes.none(density))
    nobodys = SharedModes(jnp.asarray([3.0 * (-1.0) ** np.arange(density.targets.shape[0])]), jnp.ones(1, bool))
    first = jax.tree.map(lambda *each: jnp.concatenate(each), found, nobodys)
    _, second = look(population, density, first)
    codes = code_count(density.class_average.shape[1])

    def activity(modes: SharedModes) -> NDArray[np.float64]:
        return np.where(modes.found[:, None], density.network.activation(modes.preactivation), np.inf)

    # all of them are told of again, the codes first, then the others by the neurons that are nearest to them
    again = np.abs(activity(first)[first.found][:, None] - activity(second)[second.found]).max(axis=2)
    assert np.all(again.min(axis=1) < DISTINCT)
    gaps = np.sum((np.asarray(population.activity)[:, None] - activity(second)) ** 2, axis=2)
    crowd = np.bincount(gaps.argmin(axis=1), minlength=len(second.found))[codes:]
    assert np.all(np.diff(crowd) <= 0)
    assert np.sum(crowd > 0) > 1
    nobody = np.abs(activity(second) - activity(nobodys)).max(axis=1).argmin()
    assert crowd[nobody - codes] == 0
    assert len(second.found) == len(first.found) + len(found.found)


@pytest.mark.parametrize(("depth", "width"), [(1, 6), (2, 12)])
def test_a_force_moves_a_neuron_by_its_covariance(depth, width):
    """As a Newton step would, by its curvature at the mode, dense; about every mode, and about each alone."""
    density = small_posterior("sigmoid", temperature=1e-3, depth=depth, width=width).density()

    @jax.jit
    def found(key):
        population = populate(density, *density.last_layer(density.prior_draw(jax.random.PRNGKey(1))))
        reference, basis = look_for_modes(population, density)[0], population.basis
        prior = PreactivationPrior.of(basis, orthogonal=depth == 1)
        modes = modes_from(reference, density, basis)
        forces = jax.random.normal(key, (len(modes.found), len(density.targets)))
        rows = jax.vmap(lambda each: jnp.max(jnp.abs(climb(reference, density, basis, prior).activity - each), axis=1))
        cavities = jax.tree.map(lambda entries: entries[jnp.argmin(rows(modes.activity), axis=1)], reference.cavities)

        def moved(cavity, centre, force):
            curvature = Landscape(cavity, reference.inverse, density, basis).curvature(centre)
            _, gain, _ = taylor(density.network.activation, basis @ centre)
            return jnp.linalg.solve(curvature, basis.T @ (gain * force))

        alone = jax.vmap(modes.response)(jnp.arange(len(forces)), forces)
        return modes.found, jax.vmap(moved)(cavities, modes.centre, forces), modes.responses(forces), alone

    there, expected, together, alone = found(jax.random.PRNGKey(2))
    assert there.sum() > 1
    for each in (together, alone):
        np.testing.assert_allclose(each[there], expected[there], rtol=1e-4, atol=1e-6)


def assert_first_and_distinct(modes: Modes) -> None:
    found = np.asarray(modes.found)
    assert np.all(found[:-1] >= found[1:])
    activity = np.asarray(modes.activity)[found]
    gaps = np.abs(activity[:, None] - activity).max(axis=2)
    assert np.all(gaps[~np.eye(len(activity), dtype=bool)] > DISTINCT)


@pytest.mark.slow
def test_a_mode_that_one_chain_alone_has_found_all_have(quenched, modes):
    """Codes tell not all modes apart: a chain that has looked for codes alone hears of others from another."""
    density, population = quenched
    own, shared = jax.jit(look_around)(population, density, SharedModes.none(density))
    codes = jnp.arange(len(own.code)) % 2 ** density.class_average.shape[1]
    blind = jax.tree.map(lambda entries: entries[codes], own._replace(inverse=None))._replace(inverse=own.inverse)
    both = jax.tree.map(lambda *each: jnp.stack(each), shared._replace(found=jnp.zeros_like(shared.found)), shared)
    after = jax.jit(join)(blind, both, population, density)
    climb = jax.jit(modes_from)

    def missing(reference: Reference) -> int:
        """Modes of the chain that has found most that do not follow from this reference."""
        found = climb(reference, density, population.basis)
        one, other = (np.asarray(each.activity)[np.asarray(each.found)] for each in (modes, found))
        return int(np.sum(np.abs(one[:, None] - other).max(axis=2).min(axis=1) > DISTINCT))

    assert missing(blind) > 0
    assert missing(after) == 0
