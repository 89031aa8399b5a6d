"""Jumps, rotations and softened trajectories by themselves leave exact draws exact, and really happen; broken ones are
found out."""

import functools
from typing import NamedTuple
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_moves import ALARM, NAMES, deep, exact_draws, mover, position_mover
from known_answers import small_posterior
from p_values import combined, worst
from problems import _posterior
from test_mode_search import assert_first_and_distinct

from codingschemes.benchmark.targets import two_points
from codingschemes.posterior import Density
from codingschemes.samplers import SAMPLERS, Settings, concerted, jumps, recurrent_rotations, rotations
from codingschemes.samplers import response as response_module
from codingschemes.samplers.mode_pooling import ToldModes, look_around
from codingschemes.samplers.mode_search import no_reference
from codingschemes.samplers.modes import Modes, modes_from
from codingschemes.samplers.neighbourhood import populate
from codingschemes.samplers.response import response_of
from codingschemes.samplers.softened import softened_trajectory
from codingschemes.samplers.transition import Point


def shallow(activation: str, space: str) -> Density:
    prior = {"temperature": 0.03, "weight_variance": 8.0} if activation == "sigmoid" else {}
    samples, features = (4, 3) if activation == "sigmoid" else (3, 2)
    return _posterior(activation, samples=samples, outputs=2, features=features, **prior).density(space)


def distorted(modes: Modes) -> Modes:
    """Modes of unlike widths. Any frozen modes are allowed; poor ones show whether jumps are corrected for them."""
    factor = jnp.where(jnp.arange(len(modes.found)) % 2 == 0, 0.6, 1.0)
    return modes._replace(
        widths=factor[:, None] * modes.widths, log_volume=modes.log_volume + modes.widths.shape[1] * jnp.log(factor)
    )


class Faults(NamedTuple):
    """Exponents of factors in the acceptance of jumps and in the density of angles: 1, or 0 where one is forgotten."""

    volume: float = 1.0
    weights: float = 1.0
    selection: float = 1.0


FORMS = {
    "one layer": lambda: shallow("sigmoid", "reduced"),
    "two layers, weights": lambda: deep("weights"),
}
#: Draws and sweeps.
SIZES = {"one layer": (4000, 6), "two layers, weights": (1000, 2)}


@functools.cache
def jumping(form: str, draws: int, sweeps: int):
    density = FORMS[form]()
    positions = exact_draws(density, draws)
    # as many as above: the same program
    other = jax.tree.map(lambda block: block[0], exact_draws(density, draws, seed=5))
    none = ToldModes.none(density)
    frozen = jax.jit(lambda other: look_around(populate(density, *density.last_layer(other)), density, none))(other)
    genuine = jumps._attempt

    def sweep(key, population, faults):
        def jump(key, population, neuron, route, *rest):
            return genuine(
                key, population, neuron, route._replace(log_weights=faults.weights * route.log_weights), *rest
            )

        modes = distorted(modes_from(frozen, density, population.basis))
        with mock.patch.object(jumps, "_attempt", jump):
            return jumps.jump_sweep(
                key, population, modes._replace(log_volume=faults.volume * modes.log_volume), density
            )

    return mover(density, positions, sweep, sweeps)


@functools.cache
def seven_neurons():
    """A density, and what one that is drawn from it has frozen: the reference, modes and the response."""
    density = small_posterior("sigmoid", samples=4, width=7, temperature=0.05, weight_variance=8.0).density()
    other = jax.tree.map(lambda block: block[0], exact_draws(density, 2000, seed=5))

    @jax.jit
    def frozen(other):
        looked_from = look_around(populate(density, *density.last_layer(other)), density, ToldModes.none(density))
        modes = distorted(modes_from(looked_from, density, density.basis))
        return modes, response_of(modes, looked_from, looked_from.activity[None], density)

    return density, *frozen(other)


def test_nobody_gives_way_where_there_is_nowhere_to_go():
    """With one code alone, attempts would go nowhere, at the price of factorisations."""
    density, modes, _ = seven_neurons()
    position = jax.tree.map(lambda block: block[0], exact_draws(density, 2000, seed=5))
    first = jnp.arange(len(modes.found)) == 0

    @jax.jit
    def attempts(found, position):
        population = populate(density, *density.last_layer(position))
        looked_from = no_reference(density)._replace(activity=population.activity, inverse=population.inverse)
        return response_of(modes._replace(found=found), looked_from, looked_from.activity[None], density).attempts

    with mock.patch.object(response_module, "_crossing", return_value=0.0):
        assert attempts(first, position) == 0
        assert attempts(modes.found, position) > 0


def test_modes_found_come_first_and_are_distinct():
    _, modes, _ = seven_neurons()
    assert np.sum(modes.found) > 1
    assert_first_and_distinct(modes)


def test_neurons_of_a_block_know_of_each_others_jumps():
    """A sweep neuron by neuron, each among the others as they are then, to the last digit but for rounding."""
    density, modes, _ = seven_neurons()
    populations = jax.vmap(lambda position: populate(density, *density.last_layer(position)))(exact_draws(density, 200))
    keys = jax.random.split(jax.random.PRNGKey(6), 200)

    def swept(block: int):
        with mock.patch.object(jumps, "_BLOCK", block):
            sweep = jax.vmap(lambda key, population: jumps.jump_sweep(key, population, modes, density))
            return jax.jit(sweep)(keys, populations)

    (together, switches), (alone, expected) = swept(64), swept(1)
    assert np.sum(np.asarray(expected) > 1) > 10
    np.testing.assert_array_equal(switches, expected)
    np.testing.assert_allclose(together.coordinates, alone.coordinates, rtol=0, atol=1e-8)


def with_others(modes: Modes, density: Density) -> Modes:
    """Two modes and two more, where neurons are now and then, narrower."""
    preactivation = np.array([[1.2, 1.2, -1.2, -1.2], [-1.2, -1.2, 1.2, 1.2]])
    centre = jnp.asarray(np.linalg.solve(density.basis, preactivation.T).T)
    others = modes._replace(
        centre=centre,
        activity=density.network.activation(centre @ density.basis.T),
        side=jnp.sign(preactivation),
        widths=0.4 * modes.widths,
        log_volume=modes.log_volume + modes.widths.shape[1] * np.log(0.4),
    )
    both = jax.tree.map(lambda *rows: jnp.concatenate(rows), modes._replace(frame=None), others._replace(frame=None))
    return both._replace(frame=modes.frame)


def two_codes():
    """A density, and four frozen modes of two codes with the response."""
    density, modes, response = seven_neurons()
    assert modes.found[:3].tolist() == [True, True, False]
    first = jax.tree.map(lambda rows: rows[:2], modes._replace(frame=None))._replace(frame=modes.frame)
    response = response._replace(
        code=jnp.array([0, 1, 0, 1]),
        chance=1 - jnp.eye(2),
        shift=1.3 * response.shift[:2, :2],
        attempts=jnp.asarray(10),
    )
    return density, with_others(first, density), response


def test_a_conversion_is_taken_back_by_the_way_back():
    """Coordinates and log ratio, of every neuron that can go, in whatever mode it is."""
    density, modes, response = two_codes()

    @jax.jit
    def there_and_back(key, position):
        population = populate(density, *density.last_layer(position))
        order = jax.random.uniform(key, (len(population.activity),))
        conversion, nobody = concerted._draw_conversion(key, response), concerted.Traveller(*2 * [jnp.asarray(-1)])
        begin = concerted.Journey(
            population, None, order, conversion, nobody, jnp.zeros(2), jnp.asarray(0), jnp.asarray(False)
        )
        offers = concerted._offers(key, begin, modes, response, density)
        chosen = jnp.argmax(offers.log_ratio)
        neuron = offers.neurons[chosen]
        place = populate(density, offers.others.at[neuron].set(offers.converted[chosen]), population.basis)
        traveller = concerted.Traveller(neuron, offers.own[chosen])
        end = begin._replace(
            place=place, order=order.at[neuron].set(-1.0), conversion=conversion.back(), traveller=traveller
        )
        back = concerted._offers(jax.random.fold_in(key, 1), end, modes, response, density)
        returned = jnp.argmax(back.neurons == neuron)
        home = back.others.at[neuron].set(back.converted[returned])
        return offers.log_ratio[chosen], back.log_ratio[returned], population.coordinates, home, offers.own[chosen]

    positions = exact_draws(density, 300)
    log_ratio, of_back, begin, home, mode = jax.vmap(there_and_back)(
        jax.random.split(jax.random.PRNGKey(1), 300), positions
    )
    goes = np.isfinite(log_ratio)
    assert np.unique(mode[goes]).tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(of_back[goes], -log_ratio[goes], atol=1e-7)
    np.testing.assert_allclose(home[goes], begin[goes], atol=1e-8)


@functools.cache
def giving_way():
    """Concerted jumps that look at two neurons of a code, of two that hold two modes each, and overdo how the others
    give way: any frozen response is allowed."""
    density, modes, response = two_codes()
    positions = exact_draws(density, 2000)
    genuine = concerted._total

    def sweep(key, population, faults):
        def total(log_ratio, members):
            of_those = genuine(log_ratio, jnp.minimum(members, 1))
            return faults.weights * of_those + faults.selection * (genuine(log_ratio, members) - of_those)

        changed = modes._replace(log_volume=faults.volume * modes.log_volume)
        with mock.patch.object(concerted, "_total", total), mock.patch.object(concerted, "_CANDIDATES", 2):
            return concerted.concerted_sweep(key, population, changed, response, density)

    return mover(density, positions, sweep, sweeps=4)


def test_concerted_jumps_leave_exact_draws_exact():
    findings, switches, _ = giving_way()(Faults())
    assert combined(findings) > ALARM, worst(findings)
    assert (switches > 0).mean() > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("faults", [Faults(selection=-1.0), Faults(volume=0.0), Faults(weights=0.0)])
def test_concerted_jumps_that_forget_a_factor_are_found_out(faults):
    findings, _, _ = giving_way()(faults)
    assert combined(findings) < ALARM


@functools.cache
def rotating(space: str):
    density = shallow("relu", space)
    genuine = rotations.log_selection

    def sweep(key, population, faults):
        def selection(*weights):
            return faults.selection * genuine(*weights)

        with mock.patch.object(rotations, "log_selection", selection):
            return rotations.rotation_sweep(key, population, density, 2), jnp.asarray(0)

    return mover(density, exact_draws(density, 2000), sweep, sweeps=2)


@pytest.mark.parametrize("form", ["one layer", pytest.param("two layers, weights", marks=pytest.mark.slow)])
def test_jumps_leave_exact_draws_exact(form):
    findings, switches, _ = jumping(form, *SIZES[form])(Faults())
    assert combined(findings) > ALARM, worst(findings)
    assert (switches > 0).mean() > 0.05


@pytest.mark.parametrize("faults", [Faults(volume=0.0), Faults(weights=0.0)])
def test_jumps_that_forget_a_factor_are_found_out(faults):
    findings, _, _ = jumping("one layer", *SIZES["one layer"])(faults)
    assert combined(findings) < ALARM


@pytest.mark.parametrize("space", ["reduced", pytest.param("weights", marks=pytest.mark.slow)])
def test_rotations_leave_exact_draws_exact(space):
    findings, _, (before, after) = rotating(space)(Faults())
    assert combined(findings) > ALARM, worst(findings)
    largest = NAMES.index("largest")
    assert (np.abs(after - before)[:, largest] > 0.1 * before[:, largest]).mean() > 0.5


def test_rotations_that_forget_how_pairs_are_drawn_are_found_out():
    findings, _, _ = rotating("reduced")(Faults(selection=0.0))
    assert combined(findings) < ALARM


@functools.cache
def following_softened_forces():
    """Trajectories along the forces of a network whose kinks are rounded off at most samples; the faults are the share
    of the exact energy in that by which they are accepted, beside the energy of the forces."""
    density = _posterior("relu", samples=3, outputs=2, features=2, temperature=0.1).density()
    step_size = jnp.asarray(0.4)

    assert density.single_forces
    softened = density.softened_potential(jnp.asarray(4.0))

    def forces(position):
        return -softened(position)

    def move(key, position, faults):
        def logdensity(position):
            return -faults * density.potential(position) + (1 - faults) * forces(position)

        start = Point(position, *jax.value_and_grad(logdensity)(position))
        point, outcome = softened_trajectory(key, start, logdensity, forces, step_size, jnp.asarray(3))
        return point.position, outcome.gradients

    return position_mover(density, exact_draws(density, 2000), move, sweeps=6)


def test_softened_trajectories_leave_exact_draws_exact():
    findings, gradients, (before, after) = following_softened_forces()(1.0)
    assert combined(findings) > ALARM, worst(findings)
    assert (gradients == 6 * (3 + 1)).all()
    assert (before != after)[:, NAMES.index("square")].mean() > 0.5


def test_trajectories_accepted_by_the_energy_of_their_forces_are_found_out():
    findings, _, _ = following_softened_forces()(0.0)
    assert combined(findings) < ALARM


@functools.cache
def recurrent(activation: str, space: str):
    posterior = small_posterior(
        activation, samples=3, width=4, depth=3, bias=True, recurrent=True, temperature=0.3, weight_variance=2.0
    )
    density = posterior.density(space)
    genuine = recurrent_rotations.slice_angle

    def move(key, position, faults):
        def angle(log_density, angles, level):
            return genuine(log_density, angles, jnp.where(faults > 0, level, 5 * level))

        with mock.patch.object(recurrent_rotations, "slice_angle", angle):
            return recurrent_rotations.recurrent_rotation_sweep(key, position, density, 3), jnp.asarray(0)

    return position_mover(density, exact_draws(density, 2000), move, sweeps=2)


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "space"), [("relu", "reduced"), ("tanh", "weights")])
def test_recurrent_rotations_leave_exact_draws_exact(activation, space):
    findings, _, (before, after) = recurrent(activation, space)(1.0)
    assert combined(findings) > ALARM, worst(findings)
    # a tenth of what independent draws would differ by; the norms of saturated neurons hardly differ
    largest = NAMES.index("largest")
    far = np.abs(np.subtract(*np.random.default_rng(0).permuted(np.tile(before[:, largest], (2, 1)), axis=1)))
    assert np.abs(after - before)[:, largest].mean() > 0.1 * far.mean()


@pytest.mark.slow
def test_recurrent_rotations_that_stray_below_the_slice_are_found_out():
    findings, _, _ = recurrent("relu", "reduced")(0.0)
    assert combined(findings) < ALARM


def test_rotated_recurrent_neurons_that_point_the_same_way_compute_the_same():
    """And one may take over the share of the other, at every step; norms, and so the prior, are conserved."""
    density = small_posterior("relu", width=4, depth=3, bias=True, recurrent=True).density("weights")
    rng = np.random.default_rng(0)
    twins = {name: rng.normal(size=shape) for name, shape in density.shapes.items()}
    shares = np.array([0.6, 1.1])
    twins["input"][:2] = np.outer(shares, twins["input"][0])
    twins["hidden"][0, :2] = np.outer(shares, np.abs(twins["hidden"][0, 0]))

    @jax.jit
    def both(position, angle):
        rotated = recurrent_rotations.rotate(position, jnp.array([0, 1]), angle)
        seen = [(density.propagate(each)[0], density.misfit(each)) for each in (position, rotated)]
        return *seen, rotated

    (before, misfit), (after, misfit_after), rotated = both(twins, np.arctan2(shares[1], shares[0]))
    np.testing.assert_allclose(after[:, 0], before[:, 0] * np.linalg.norm(shares) / shares[0], atol=1e-12)
    np.testing.assert_allclose(after[:, 1], 0, atol=1e-12)
    np.testing.assert_allclose(after[:, 2:], before[:, 2:], atol=1e-12)
    np.testing.assert_allclose(misfit_after, misfit, rtol=1e-12)
    for name, block in twins.items():
        np.testing.assert_allclose(np.sum(np.square(rotated[name])), np.sum(block**2), rtol=1e-12)


def test_a_lone_neuron_keeps_exact_draws_exact():
    density = two_points("relu", 0.3).density()

    def redrawn(key, population, _):
        coordinates = rotations.redraw_alone(key, population.coordinates, population.basis, density)
        return population._replace(coordinates=coordinates), jnp.asarray(0)

    findings, _, (before, after) = mover(
        density,
        exact_draws(density, 2000),
        redrawn,
        sweeps=2,
    )(Faults())
    assert combined(findings) > ALARM, worst(findings)
    assert (before != after)[:, NAMES.index("largest")].mean() > 0.5


@pytest.mark.parametrize("warmup", [0, 3, 100])
def test_modes_are_looked_for_during_the_warm_up_alone(warmup):
    """Modes that depend on where a chain is would not leave its posterior invariant."""
    search = SAMPLERS["codes"](Settings(warmup=warmup)).search
    assert bool(search.steps) == (warmup > 0)
    assert all(step < warmup for step in search.steps)
