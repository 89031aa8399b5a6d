"""Diagnostics find what is wrong, and let pass what is right."""

from collections.abc import Callable
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import small_posterior
from zarr.storage import MemoryStore

import codingschemes as cs
from codingschemes.convergence import Convergence, convergence, moving
from codingschemes.diagnostics import diagnose, ess, mean_and_error, rhat
from codingschemes.diagnostics.chains import Faults, find_faults
from codingschemes.diagnostics.diagnostics import _unconverged
from codingschemes.diagnostics.identities import identities
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.store import DrawStore
from codingschemes.samplers import SAMPLERS, Settings

#: Records of a run by group and variable, to be changed in place.
Records = dict[str, dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def healthy() -> cs.Run:
    """Four chains, two from each of two runs of the shapes of other tests: compiled once for all."""
    options = {"sampler": "hmc", "chains": 2, "warmup": 200, "draws": 400, "progress": False}
    runs = [cs.sample(small_posterior(), seed=seed, **options) for seed in (0, 1)]
    each = [records_of(run) for run in runs]
    return holding(
        runs[0],
        {
            group: {name: np.concatenate([records[group][name] for records in each]) for name in DIMENSIONS[group]}
            for group in DIMENSIONS
        },
    )


def records_of(run: cs.Run) -> Records:
    return {group: {name: run.values(group, name).copy() for name in DIMENSIONS[group]} for group in DIMENSIONS}


def holding(run: cs.Run, records: Records) -> cs.Run:
    """The run with other records."""
    store = DrawStore(MemoryStore())
    store.append(records)
    return cs.Run(run.posterior, run.config, run.provenance, store)


def planted(run: cs.Run, spoil: Callable[[Records], None]) -> cs.Run:
    """The run with spoilt records."""
    records = records_of(run)
    spoil(records)
    return holding(run, records)


def autoregressive(rng, chains, draws, memory, count=1):
    noise = rng.normal(size=(chains, draws, count)) * np.sqrt(1 - memory**2)
    series = np.empty_like(noise)
    series[:, 0] = rng.normal(size=(chains, count))
    for draw in range(1, draws):
        series[:, draw] = memory * series[:, draw - 1] + noise[:, draw]
    return series


def test_effective_draws_and_errors_of_an_autoregressive_chain():
    memory, chains, draws = 0.8, 4, 2000
    series = autoregressive(np.random.default_rng(0), chains, draws, memory, count=40)
    exact = chains * draws * (1 - memory) / (1 + memory)
    found = ess(series)
    np.testing.assert_allclose(found.mean(), exact, rtol=0.1)
    mean, error = mean_and_error(series)
    np.testing.assert_allclose(error.mean(), 1 / np.sqrt(exact), rtol=0.1)
    assert np.mean(np.abs(mean) < 1.96 * error) > 0.8
    assert rhat(series).max() < 1.03


def test_disagreeing_chains_are_told_from_drifting_ones():
    rng = np.random.default_rng(1)
    settled = autoregressive(rng, 4, 500, 0.3)
    apart = settled + np.array([0, 0, 5, 5])[:, None, None]
    drifting = settled + np.linspace(0, 5, 500)[None, :, None]
    # the other invariant is well in all cases: what is said is said of the worst
    good, frozen, moved = (
        convergence({"energy": series[..., 0], "training_loss": settled[..., 0]})
        for series in (settled, apart, drifting)
    )
    assert good.rhat_max < 1.05
    assert not good.chains_differ
    assert frozen.rhat_max > 1.5
    assert frozen.rhat_within < 1.05
    assert frozen.chains_differ
    assert frozen.ess_min < 20 < frozen.ess_within
    assert moved.rhat_within > 1.5
    assert not moved.chains_differ


def test_constant_and_undefined_entries_are_left_out():
    series = np.random.default_rng(0).normal(size=(2, 50, 3))
    series[..., 1] = 2.5
    series[..., 2] = np.nan
    assert moving(series).shape == (2, 50, 1)


def test_identities_hold_for_a_right_run_and_break_for_a_wrong_one(healthy):
    run, findings = healthy, diagnose(healthy)
    assert findings.identities.hold
    assert findings.identities.virial_mcse < 0.02
    virial, gradient = (run.data["posterior"][name].values for name in ("virial", "gradient"))
    assert not identities(virial * 1.1, gradient).hold
    assert not identities(virial, gradient + 0.5 * gradient.std()).hold


def test_a_virial_whose_error_hides_a_blow_up_does_not_hold(healthy):
    def spoil(records: Records) -> None:
        for chain, draw in enumerate((50, 150, 250, 350)):
            records["posterior"]["virial"][chain, draw] += 1e5

    found = diagnose(planted(healthy, spoil))
    assert abs(found.identities.virial_z) < 3
    assert not found.faults
    assert found.trust == "no"
    assert any("an exact identity is broken" in warning and "`warmup`" in warning for warning in found.warnings)


UNADJUSTED = [name for name, build in SAMPLERS.items() if not build(Settings()).exact]


@pytest.mark.parametrize(
    ("sampler", "chains"),
    [
        pytest.param(sampler, chains, marks=[] if (sampler, chains) == ("langevin", 4) else pytest.mark.slow)
        for sampler in UNADJUSTED
        for chains in (1, 4)
    ],
)
def test_an_unadjusted_sampler_that_loses_the_energy_stays_and_says_so(sampler, chains):
    posterior = small_posterior("tanh", temperature=1e-6)
    # without a warm-up steps stay as long as they begin
    options = {"sampler": sampler, "space": "weights", "chains": chains, "warmup": 0, "draws": 40, "progress": False}
    run = cs.sample(posterior, **options)
    found = diagnose(run)
    assert run.values("posterior", "energy").max() < 100  # a prior draw has 20, a trajectory to infinity 1e17
    assert found.divergences > 20 * chains
    assert found.faults.stuck == tuple(range(chains))
    assert found.trust == "no"
    said = " ".join(found.warnings)
    assert f"{found.divergences} of {40 * chains} transitions diverged: raise `target_acceptance`" in said


def test_a_prior_of_the_wrong_scale_breaks_the_virial(healthy):
    # Draws from one posterior, judged by the gradient of another whose prior is 20 % narrower.
    assert healthy.posterior.prior.readout_variance == 6.0
    wrong = small_posterior(readout_variance=6.0 * 0.64).density("weights")
    neurons = healthy.data["neurons"]
    first = jnp.asarray(neurons["preactivation"].values[:, :, 0], float)
    readout = jnp.asarray(neurons["readout"].values, float)
    pinv = jnp.linalg.pinv(wrong.features)

    def virial(z, a):
        position = {"input": z @ pinv, "readout": a / jnp.sqrt(wrong.readout_variance)}
        gradient = jax.grad(wrong.potential)(position)
        # only the readout's part: the minimal input weights are not a posterior draw
        return jnp.sum(position["readout"] * gradient["readout"]) / a.size

    def judged(density_virial):
        return np.asarray(jax.jit(jax.vmap(jax.vmap(density_virial)))(first, readout))

    values = judged(virial)
    assert abs((values.mean() - 1) / mean_and_error(values)[1]) > 5


def test_few_draws_from_short_trees_name_what_to_try(healthy):
    def spoil(records: Records) -> None:
        for variables in records.values():
            variables.update({name: values[:, :8] for name, values in variables.items()})
        records["sample_stats"]["n_steps"][:] = 7

    run = planted(healthy, spoil)
    said = {}
    for depth in (3, 4):
        asked = {**run.config["sampling"], "sampler": "nuts", "precision": "double", "max_tree_depth": depth}
        found = diagnose(cs.Run(run.posterior, {**run.config, "sampling": asked}, run.provenance, run.store))
        said[depth] = " ".join(found.warnings)
        assert "`draws`" in said[depth]
    assert "`max_tree_depth`" in said[3]
    assert "`max_tree_depth`" not in said[4]


@pytest.mark.parametrize("draws", [1, 3])
def test_too_few_draws_give_no_numbers_rather_than_wrong_ones(draws):
    series = np.random.default_rng(0).normal(size=(2, draws, 1))
    assert np.isnan(rhat(series)).all()
    assert np.isnan(mean_and_error(series)[1]).all()


def test_chains_that_do_not_move_have_an_infinite_rhat():
    apart = np.repeat(np.array([[0.0], [1.0]]), 12, axis=1)
    assert np.isinf(rhat(apart[..., None])).all()
    found = convergence({"energy": apart})
    assert found.rhat_max == np.inf
    assert not found.converged


def test_one_chain_is_held_against_itself(healthy):
    series = np.random.default_rng(0).normal(size=(1, 400, 1))
    assert rhat(series).max() < 1.03
    assert rhat(series + np.linspace(0, 3, 400)[None, :, None]).min() > 1.2

    def alone(records: Records) -> None:
        for group in records.values():
            group.update({name: values[:1] for name, values in group.items()})

    found = diagnose(planted(healthy, alone))
    assert np.isfinite(found.convergence.rhat_max)
    assert any("one chain" in warning for warning in found.warnings)


def test_chains_of_a_healthy_run_are_not_accused(healthy):
    found = diagnose(healthy)
    assert not found.faults
    if found.convergence.converged:
        assert found.trust == ("with care" if found.warnings else "yes")
    else:
        assert found.trust == "not converged"


def hold(records: Records, chain: int, first: int) -> None:
    """The chain rejects everything from a draw on; a readout that is drawn afresh still moves the energy."""
    for group, name in (("sample_stats", "lp"), ("posterior", "virial"), ("posterior", "gradient")):
        records[group][name][chain, first:] = records[group][name][chain, first]


def test_chains_that_began_at_particles_are_a_warning_and_particles_that_did_not_move_another(healthy, monkeypatch):
    plain, warnings = diagnose(healthy).warnings, {}
    for acceptance in (0.2, 0.05):
        monkeypatch.setitem(healthy.provenance, "tempering_acceptance", acceptance)
        warnings[acceptance] = diagnose(healthy).warnings
    assert warnings[0.2] == (*plain, *warnings[0.2][-1:])
    assert "descend from few" in warnings[0.2][-1]
    assert warnings[0.05][:-1] == warnings[0.2]
    assert warnings[0.05][-1].startswith("particles hardly moved on the way down")


def test_a_stuck_chain_is_named_and_the_run_not_trusted(healthy):
    def spoil(records: Records) -> None:
        hold(records, 2, 250)
        records["sample_stats"]["lp"][2, 250:] *= 1 + 1e-13 * np.arange(150)  # round-off

    found = diagnose(planted(healthy, spoil))
    assert found.faults.stuck == (2,)
    assert found.trust == "no"
    assert "chain 2 stayed in one place" in found.warnings[0]
    assert "`warmup`" in found.warnings[0]


def test_a_run_of_stuck_chains_only_is_not_trusted(healthy):
    def spoil(records: Records) -> None:
        for chain in range(4):
            hold(records, chain, first=0)

    found = diagnose(planted(healthy, spoil))
    assert found.faults.stuck == (0, 1, 2, 3)
    assert found.trust == "no"


def test_a_chain_that_rejects_half_of_its_proposals_is_not_stuck():
    rng = np.random.default_rng(2)
    places = np.cumsum(rng.random((200, 100)) < 0.5, axis=1)
    potential = np.take_along_axis(rng.normal(5e4, 70, (200, 101)), places, axis=1)
    ones = np.ones_like(potential)
    assert not find_faults(potential, rng.normal(size=potential.shape), ones, ones, 0.8)


def test_a_chain_in_a_bad_place_is_named_even_when_it_is_not_alone(healthy):
    def spoil(records: Records) -> None:
        energy = records["posterior"]["energy"]
        energy[[0, 1, 3]] += 8 * energy.std()

    found = diagnose(planted(healthy, spoil))
    assert found.faults.far == (0, 1, 3)
    assert found.trust == "no"
    assert "chains 0, 1, 3 stayed at far higher energies" in found.warnings[0]
    assert "`start='annealed'`" in found.warnings[0]


def test_collapsed_steps_and_missed_acceptance_are_named(healthy):
    def spoil(records: Records) -> None:
        records["sample_stats"]["step_size"][1] /= 50
        records["sample_stats"]["acceptance_rate"][3] *= 0.2

    found = diagnose(planted(healthy, spoil))
    assert (found.faults.collapsed, found.faults.rejecting) == ((1,), (3,))
    assert found.faults.chains == (1, 3)
    assert found.trust == "no"
    said = " ".join(found.warnings)
    assert "step size of chain 1 collapsed" in said
    assert "chain 3 accepted less than half" in said


def test_acceptance_is_judged_by_what_was_asked_for():
    flat = np.ones((2, 50))
    moving_potential = np.random.default_rng(0).normal(size=(2, 50))
    assert find_faults(moving_potential, moving_potential, flat, 0.3 * flat, 0.8).rejecting == (0, 1)
    assert not find_faults(moving_potential, moving_potential, flat, 0.3 * flat, 0.4)


def test_one_draw_of_one_chain_accuses_nobody():
    one = np.ones((1, 1))
    assert not find_faults(one, one, one, one, 0.8)


def test_chains_that_disagree_have_not_converged_however_settled_each_is(healthy):
    found = diagnose(healthy)
    well = Convergence({"energy": np.array([1.0])}, {"energy": np.array([400.0])}, 1.0, 400.0)
    for spoilt, said in (
        ({"rhat": {"energy": np.array([1.0]), "outputs": np.array([1.01, 1.06])}}, True),
        ({"ess": {"energy": np.array([400.0]), "outputs": np.array([99.0, 300.0])}}, True),
        ({"rhat": {}, "ess": {}}, True),
        ({}, False),
    ):
        judged = replace(found, convergence=replace(well, **spoilt), faults=Faults(), warnings=())
        assert (judged.trust == "not converged") == said


def test_what_keeps_chains_from_converging_is_told():
    rng = np.random.default_rng(1)
    apart = autoregressive(rng, 4, 500, 0.3) + np.array([0, 0, 5, 5])[:, None, None]
    rhat_said, ess_said = _unconverged(convergence({"energy": apart[..., 0]}))
    assert "each chain has settled, but in a place of its own" in rhat_said
    assert "effective draws over all chains, fewer than 100" in ess_said
