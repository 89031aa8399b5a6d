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
from codingschemes.samplers.mode_pooling import ToldModes, join, look_around, shared, typical
from codingschemes.samplers.mode_search import no_reference
from codingschemes.samplers.modes import Modes, code_count, modes_from, of_found
from codingschemes.samplers.neighbourhood import LastLayer, populate, without
from codingschemes.tasks import make_task

DISTINCT = 0.25


def quench(density: Density, seed: int) -> LastLayer:
    kernel = SAMPLERS["hmc"](Settings(warmup=100))

    @jax.jit
    def cooled(key: jax.Array) -> LastLayer:
        key_position, key_state = jax.random.split(key)
        state = kernel.init(key_state, density.prior_draw(key_position), density)
        state = jax.lax.fori_loop(0, 150, lambda _, state: kernel.step(state, density)[0], state)
        return populate(density, *density.last_layer(kernel.position(state)))

    return cooled(jax.random.PRNGKey(seed))


@pytest.fixture(scope="module")
def quenched() -> tuple[Density, LastLayer]:
    """Thirty neurons quenched on handwritten digits, some of which are hard to tell."""
    task = make_task("digits", classes="3,5,8", samples=30)
    density = Posterior(task, Network("sigmoid", width=30), temperature=1e-4).density()
    return density, quench(density, 3)


def searched(density: Density, population: LastLayer) -> Modes:
    """The modes that a population has."""
    reference = look_around(population, density, ToldModes.none(density))
    return modes_from(reference, density, population.basis)


@pytest.fixture(scope="module")
def modes(quenched: tuple[Density, LastLayer]) -> Modes:
    density, population = quenched
    return jax.jit(lambda: searched(density, population))()


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


@pytest.mark.parametrize(("room", "found"), [(70, 70), (70, 33), (70, 1), (70, 0), (5, 3)])
def test_a_function_of_modes_is_that_of_all_where_they_were_found(room, found):
    """Whether or not these fill the rows that are looked at together, and with gaps among them."""
    rng = np.random.default_rng(room + found)
    rows, others = rng.standard_normal((room, 4)), rng.standard_normal((room, 4))
    there = np.arange(room) < found
    there[1 : found - 1 : 3] = False

    def products(rows, others):
        return rows * jnp.sum(others, axis=1, keepdims=True)

    every = np.asarray(products(jnp.asarray(rows), jnp.asarray(others)))
    some = of_found(products, jnp.asarray(there), jnp.asarray(rows), jnp.asarray(others))
    assert np.array_equal(np.asarray(some)[there], every[there])


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
    monkeypatch.setattr(mode_search, "_EXPLORERS", 1)  # of thirty neurons
    density, population = quenched
    look = jax.jit(lambda *given: ToldModes.of(look_around(*given)))
    found = look(population, density, ToldModes.none(density))
    nobodys = ToldModes(jnp.asarray([3.0 * (-1.0) ** np.arange(density.targets.shape[0])]), jnp.ones(1, bool))
    first = jax.tree.map(lambda *each: jnp.concatenate(each), found, nobodys)
    second = look(population, density, first)
    codes = code_count(density.class_average.shape[1])

    def activity(modes: ToldModes) -> NDArray[np.float64]:
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
    assert second.found.sum() > first.found.sum()
    assert len(second.found) == len(first.found) + len(found.found)


@pytest.mark.parametrize(("depth", "width"), [(1, 6), (2, 12)])
def test_a_force_moves_a_neuron_by_its_covariance(depth, width):
    """As a Newton step would, by its curvature at the mode, dense."""
    density = small_posterior("sigmoid", temperature=1e-3, depth=depth, width=width).density()

    @jax.jit
    def found(key):
        population = populate(density, *density.last_layer(density.prior_draw(jax.random.PRNGKey(1))))
        reference, basis = look_around(population, density, ToldModes.none(density)), population.basis
        prior = PreactivationPrior.of(basis, orthogonal=depth == 1)
        modes = modes_from(reference, density, basis)
        forces = jax.random.normal(key, (len(modes.found), len(density.targets)))
        rows = jax.vmap(lambda each: jnp.max(jnp.abs(climb(reference, density, basis, prior).activity - each), axis=1))
        cavities = jax.tree.map(
            lambda entries: entries[jnp.argmin(rows(modes.activity), axis=1)], reference.cavities(density)
        )

        def moved(cavity, centre, force):
            curvature = Landscape(cavity, reference.inverse, density, basis).curvature(centre)
            _, gain, _ = taylor(density.network.activation, basis @ centre)
            return jnp.linalg.solve(curvature, basis.T @ (gain * force))

        responses = jax.vmap(modes.response)(jnp.arange(len(forces)), forces)
        return modes.found, jax.vmap(moved)(cavities, modes.centre, forces), responses

    there, expected, responses = found(jax.random.PRNGKey(2))
    assert there.sum() > 1
    np.testing.assert_allclose(responses[there], expected[there], rtol=1e-4, atol=1e-6)


def assert_first_and_distinct(modes: Modes) -> None:
    found = np.asarray(modes.found)
    assert np.all(found[:-1] >= found[1:])
    activity = np.asarray(modes.activity)[found]
    gaps = np.abs(activity[:, None] - activity).max(axis=2)
    assert np.all(gaps[~np.eye(len(activity), dtype=bool)] > DISTINCT)


def found_by(modes: Modes) -> NDArray[np.float64]:
    return np.asarray(modes.activity)[np.asarray(modes.found)]


def missing(these: NDArray[np.float64], among: NDArray[np.float64]) -> int:
    """How many of some modes are not among others."""
    return int(np.sum(np.abs(these[:, None] - among).max(axis=2).min(axis=1) > DISTINCT))


@pytest.mark.slow
def test_a_mode_that_one_chain_alone_has_found_all_share(quenched, modes):
    """Codes tell not all modes apart: of two chains with the same neurons one has looked for codes alone."""
    density, population = quenched
    own = jax.jit(look_around)(population, density, ToldModes.none(density))
    of_codes = jnp.arange(len(own.starts.found)) < code_count(density.class_average.shape[1])
    blind = own._replace(starts=own.starts._replace(found=own.starts.found & of_codes))
    found = jax.jit(lambda references: modes_from(shared(references, density), density, population.basis))

    def after(*references: Reference) -> NDArray[np.float64]:
        return found_by(found(jax.tree.map(lambda *rows: jnp.stack(rows), *references)))

    assert missing(found_by(modes), after(blind, blind)) > 0
    assert missing(found_by(modes), after(blind, own)) == 0
    joined = jax.jit(join)(blind, jax.tree.map(lambda row: row[None], ToldModes.of(own)), density)
    assert missing(found_by(modes), found_by(jax.jit(modes_from)(joined, density, population.basis))) == 0


def test_the_typical_population_is_that_with_the_kernel_next_to_the_mean():
    rng = np.random.default_rng(0)
    common = rng.normal(size=(5, 4))
    activity = common + np.array([0.3, 0.1, -0.6])[:, None, None] * rng.normal(size=(5, 4))
    blank = no_reference(small_posterior("sigmoid", samples=4, width=5).density())
    three = jax.tree.map(lambda leaf: jnp.stack(3 * [leaf]), blank)._replace(activity=jnp.asarray(activity))
    kernels = np.einsum("cnp,cnq->cpq", activity, activity)
    nearest = np.argmin(np.sum((kernels - kernels.mean(axis=0)) ** 2, axis=(1, 2)))
    np.testing.assert_array_equal(typical(three).activity, activity[nearest])
