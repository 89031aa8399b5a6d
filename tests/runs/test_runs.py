"""The driver: what is stored, resumed, refused and never lost."""

import dataclasses
import io
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator

import arviz as az
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
import zarr
from jax.sharding import Mesh
from known_answers import correlated_task, small_posterior

import codingschemes as cs
from codingschemes import compiled
from codingschemes.errors import Stopped
from codingschemes.posterior import ReducedDensity
from codingschemes.runs import Sampling, SamplingFailed, chunks, driver, footprint, packing
from codingschemes.runs.checkpoint import read_header
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.identity import digest
from codingschemes.runs.start import beginning
from codingschemes.samplers import SAMPLERS, Kernel, Settings

OPTIONS = {"sampler": "hmc", "chains": 2, "warmup": 30, "draws": 40, "seed": 5, "progress": False}


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> cs.Run:
    return cs.sample(small_posterior(), out=tmp_path_factory.mktemp("runs") / "run", **OPTIONS)


def sampling(**options) -> Sampling:
    return Sampling(**{name: value for name, value in OPTIONS.items() if name != "progress"}, **options)


def assert_same_draws(run: cs.Run, other: cs.Run) -> None:
    for group in DIMENSIONS:
        for name in DIMENSIONS[group]:
            np.testing.assert_array_equal(run.data[group][name].values, other.data[group][name].values, err_msg=name)


def test_the_disk_that_a_run_takes_is_known_to_the_byte(saved):
    """Before compression: what its arrays hold, and its checkpoint twice."""
    said = footprint.footprint(saved.posterior, sampling()).disk
    arrays = zarr.open_group(str(saved.path / "draws.zarr"), mode="r").members(max_depth=None)
    drawn = [each for _, each in arrays if isinstance(each, zarr.Array) and "draw" in each.metadata.dimension_names]
    assert said.draws == sum(each.nbytes for each in drawn)
    _, states = read_header(saved.path / "checkpoint.eqx", digest(saved.made_of))
    file, held = io.BytesIO(states), 0
    while file.tell() < len(states):
        held += np.load(file).nbytes
    assert said.checkpoint == 2 * held


def hmc_again(settings: Settings) -> Kernel:
    return SAMPLERS["hmc"](settings)


def test_a_registered_kernel_samples_like_any_other(saved, monkeypatch, without_type_checks):
    """The package's own under another name gives the same draws; the run says where it comes from."""
    monkeypatch.setattr(SAMPLERS, "_entries", dict(SAMPLERS._entries))
    cs.register_sampler("mine", hmc_again)
    mine = cs.sample(small_posterior(), **{**OPTIONS, "sampler": "mine"})
    assert_same_draws(mine, saved)
    assert mine.config["sampler"] == {"name": "mine", "source": f"{__name__}:hmc_again"}
    assert "sampler" not in saved.config
    assert mine.kernel is saved.kernel


@pytest.fixture
def host() -> Iterator[None]:
    """A process with JAX code of its own, in single precision."""
    with jax.enable_x64(False), jax.default_matmul_precision("default"):
        yield


def test_a_process_in_single_precision_gets_the_same_draws_and_keeps_its_dtypes(saved, host):
    run = cs.sample(small_posterior(), **OPTIONS)
    assert_same_draws(run, saved)
    assert jnp.zeros(2).dtype == jnp.float32
    assert jax.config.jax_default_matmul_precision == "default"


def test_draws_have_the_named_dimensions(saved):
    for group, variables in DIMENSIONS.items():
        assert set(saved.data[group].data_vars) >= set(variables)
        for name, dimensions in variables.items():
            array = saved.data[group][name]
            assert array.dims == ("chain", "draw", *dimensions)
            assert array.shape[:2] == (2, 40)
    assert saved.data["neurons"]["preactivation"].shape == (2, 40, 1, 6, 8)
    assert isinstance(saved.data, xr.DataTree)


def test_arviz_takes_the_data_as_it_is(saved):
    table = az.summary(saved.data, var_names=["energy", "kernel_block"], ci_prob=0.9)
    assert table.loc["energy", "ess_bulk"] > 0


def test_stored_observables_follow_from_stored_neurons(saved):
    neurons = saved.data["neurons"]
    posterior = saved.posterior
    activity = np.asarray(posterior.network.activation(jnp.asarray(neurons["preactivation"].values[:, :, 0], float)))
    readout = neurons["readout"].values
    stored = saved.data["posterior"]
    outputs = np.einsum("kdnp,kdnc->kdpc", activity, readout) / posterior.network.width
    np.testing.assert_allclose(stored["outputs"], outputs, atol=1e-5)
    np.testing.assert_allclose(
        stored["training_loss"], ((outputs - posterior.task.targets) ** 2).mean((2, 3)), atol=1e-4
    )
    kernel = np.einsum("kdnp,kdnq->kdpq", activity, activity) / posterior.network.width
    labels = posterior.task.labels
    for a in range(2):
        for b in range(2):
            pairs = (labels[:, None] == a) & (labels == b) & ~np.eye(8, dtype=bool)
            np.testing.assert_allclose(
                stored["kernel_block"].values[:, :, 0, a, b], kernel[:, :, pairs].mean(2), atol=1e-5
            )
    np.testing.assert_allclose(
        stored["kernel_eigenvalue"].values[:, :, 0, 0], np.linalg.eigvalsh(kernel)[..., -1], rtol=1e-5
    )
    wrong = outputs.argmax(3) != labels
    np.testing.assert_allclose(stored["training_error"], wrong.mean(2), atol=1e-6)


def test_the_energy_is_the_regularised_loss_of_the_smallest_weights(saved):
    neurons, posterior = saved.data["neurons"], saved.posterior
    z = neurons["preactivation"].values[0, 0, 0].astype(float)
    features = posterior.task.inputs.T / np.sqrt(posterior.task.inputs.shape[1])
    smallest = z @ np.linalg.pinv(features)
    penalty1, penalty2 = posterior.prior.penalties
    loss = saved.data["posterior"]["training_loss"].values[0, 0] * posterior.task.targets.size
    energy = loss + penalty1 * (smallest**2).sum() + penalty2 * (neurons["readout"].values[0, 0] ** 2).sum()
    np.testing.assert_allclose(saved.data["posterior"]["energy"].values[0, 0], energy, rtol=1e-5)


def test_same_seed_same_draws_other_seed_other_draws(saved):
    compiled = chunks.advance._cache_size()
    assert_same_draws(saved, cs.sample(small_posterior(), **OPTIONS))
    other = cs.sample(small_posterior(), **{**OPTIONS, "seed": 6})
    assert chunks.advance._cache_size() == compiled
    assert not np.array_equal(saved.data["posterior"]["energy"], other.data["posterior"]["energy"])


def test_given_draws_and_warm_up_are_made_and_nothing_is_judged(saved):
    assert (saved.draw_count, saved.provenance["ended"], saved.provenance["warmup_steps"]) == (40, "draws", 30)
    assert "settled" not in saved.provenance
    asked = saved.config["sampling"]
    assert (asked["start"], asked["until_ess"], asked["until_rhat"]) == ("prior", None, None)


def test_a_reopened_run_is_the_same_run(saved):
    again = cs.Run.open(saved.path)
    assert_same_draws(saved, again)
    assert again.config == saved.config
    np.testing.assert_array_equal(again.posterior.input_kernel(), saved.posterior.input_kernel())
    assert {"versions", "device", "seed", "sampling_seconds"} <= set(again.provenance)


def test_a_continued_run_equals_an_uninterrupted_one(tmp_path, saved):
    cs.sample(small_posterior(), out=tmp_path / "run", **{**OPTIONS, "draws": 15})
    assert_same_draws(saved, cs.sample(small_posterior(), out=tmp_path / "run", resume=True, **OPTIONS))


def test_draws_after_the_last_checkpoint_are_made_again(tmp_path, saved):
    first = cs.sample(small_posterior(), out=tmp_path / "run", **{**OPTIONS, "draws": 15})
    extra = {group: {name: first.values(group, name)[:, -3:] for name in DIMENSIONS[group]} for group in DIMENSIONS}
    first.store.append(extra)
    assert_same_draws(saved, cs.sample(small_posterior(), out=tmp_path / "run", resume=True, **OPTIONS))


@pytest.mark.skipif(jax.device_count() == 1, reason="needs several devices")
@pytest.mark.slow
def test_several_devices_give_the_draws_of_one(saved, monkeypatch):
    advance, used = driver.advance, []

    def watching(*arguments):
        states, rows = advance(*arguments)
        used.append({len(leaf.sharding.device_set) for leaf in jax.tree.leaves(states)})
        return states, rows

    monkeypatch.setattr(driver, "advance", watching)
    assert_same_draws(saved, cs.sample(small_posterior(), **OPTIONS))
    assert set.union(*used) == {2}
    used.clear()
    monkeypatch.setattr(driver, "chain_mesh", lambda _: Mesh(np.array(jax.devices()[:1]), ("chain",)))
    run = cs.sample(small_posterior(), **OPTIONS)
    assert set.union(*used) == {1}
    for group, name in (("neurons", "preactivation"), ("posterior", "energy")):
        np.testing.assert_allclose(run.values(group, name), saved.values(group, name), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("asked_by", "iterations_before"), [(signal.SIGINT, 2), (signal.SIGTERM, 45), (signal.SIGUSR1, 45)]
)
def test_a_signal_keeps_what_was_drawn(tmp_path, saved, monkeypatch, asked_by, iterations_before):
    original, handler = driver.advance, signal.getsignal(asked_by)

    def interrupting(kernel, mesh, program, states, stretch):
        first, count = int(stretch.first), int(stretch.length)
        if first <= iterations_before < first + count:
            os.kill(os.getpid(), asked_by)
        return original(kernel, mesh, program, states, stretch)

    monkeypatch.setattr(driver, "advance", interrupting)
    monkeypatch.setattr(driver, "_CHUNK_SECONDS", 1e-9)
    stopped = cs.sample(small_posterior(), out=tmp_path / "run", **OPTIONS)
    assert stopped.draw_count == max(0, iterations_before + 1 - 30)
    monkeypatch.undo()
    assert threading.current_thread() is threading.main_thread()
    assert signal.getsignal(asked_by) is handler
    assert_same_draws(saved, cs.sample(small_posterior(), out=tmp_path / "run", resume=True, **OPTIONS))


@pytest.mark.parametrize("asked_by", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_the_start_is_one_sentence_whatever_it_breaks(tmp_path, saved, monkeypatch, asked_by):
    def broken(*_):
        try:
            os.kill(os.getpid(), asked_by)
        except KeyboardInterrupt:
            raise UnboundLocalError("a library in the middle of something") from None

    monkeypatch.setattr(driver, "beginning", broken)
    with pytest.raises(Stopped, match="before anything was written") as stopped:
        cs.sample(small_posterior(), out=tmp_path / "run", **OPTIONS)
    assert not stopped.value.kept
    assert not any(tmp_path.iterdir())
    shutil.copytree(saved.path, tmp_path / "run")
    with pytest.raises(Stopped, match="the run is as it was, go on with `resume=True`") as stopped:
        cs.sample(small_posterior(), out=tmp_path / "run", resume=True, **{**OPTIONS, "draws": 50})
    assert stopped.value.kept
    assert sorted(each.name for each in (tmp_path / "run").iterdir()) == sorted(
        each.name for each in saved.path.iterdir()
    )


def test_a_second_ctrl_c_stops_at_once(tmp_path, saved, monkeypatch):
    def impatient(*_):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(packing.Rows, "to_host", impatient)
    with pytest.raises(Stopped, match="stopped at once: all is kept up to the last checkpoint"):
        cs.sample(small_posterior(), out=tmp_path / "run", **OPTIONS)
    monkeypatch.undo()
    assert_same_draws(saved, cs.sample(small_posterior(), out=tmp_path / "run", resume=True, **OPTIONS))


def test_a_run_without_draws_says_how_to_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "_run_chunks", lambda *_, **__: None)
    run = cs.sample(small_posterior(), out=tmp_path / "run", **OPTIONS)
    with pytest.raises(cs.InvalidInput, match="`resume=True`"):
        _ = run.data


def test_a_time_limit_ends_a_run_that_can_be_continued(tmp_path, saved):
    longest = chunks.capacity(small_posterior().density())
    many = {**OPTIONS, "draws": 2 * longest}
    limited = cs.sample(small_posterior(), out=tmp_path / "run", **many, time_limit=1e-6)
    assert (limited.draw_count, limited.provenance["ended"], limited.finished) == (0, "time limit", False)
    assert limited.seconds > 1e-6
    limited = cs.sample(small_posterior(), out=tmp_path / "run", resume=True, **many, sampling_limit=1e-6)
    assert 0 < limited.draw_count <= longest
    continued = cs.sample(small_posterior(), out=tmp_path / "run", resume=True, **many)
    assert continued.draw_count == many["draws"]
    first = continued.values("posterior", "energy")[:, : OPTIONS["draws"]]
    np.testing.assert_array_equal(first, saved.values("posterior", "energy"))


def test_chains_share_a_step_size_after_the_warm_up(saved):
    assert np.unique(saved.values("sample_stats", "step_size")).size == 1


@pytest.mark.slow
def test_a_run_compiles_once_and_new_data_or_another_warm_up_nothing(monkeypatch):
    """With the sampler that has the largest state, that of `hmc` within."""
    traced = []
    misfit = ReducedDensity.misfit
    monkeypatch.setattr(ReducedDensity, "misfit", lambda *arguments: traced.append(1) or misfit(*arguments))
    # Shapes that no other test has: programs are kept for as long as the tests run.
    task = correlated_task(7)
    options = {**OPTIONS, "sampler": "codes", "draws": 10}
    before = chunks.advance._cache_size()
    cs.sample(cs.Posterior(task, cs.Network("sigmoid", width=5)), **options)
    assert chunks.advance._cache_size() == before + 1
    assert len(traced) <= 12
    traced.clear()
    doubled = task.with_inputs(2 * task.inputs, task.test_inputs, "doubled")
    other = cs.Posterior(doubled, cs.Network("sigmoid", width=5), temperature=0.2, readout_variance=3.0)
    cs.sample(other, **options)
    assert chunks.advance._cache_size() == before + 1
    assert not traced
    cs.sample(other, **{**options, "warmup": options["warmup"] + 10})
    assert chunks.advance._cache_size() == before + 1


def test_compiling_is_said_before_the_first_step(capsys, monkeypatch):
    monkeypatch.setattr(compiled, "_ledger_path", lambda: None)  # this machine has compiled nothing yet
    cs.sample(small_posterior(), **{**OPTIONS, "draws": 10, "progress": True})
    out, err = capsys.readouterr()
    assert out == ""
    assert "compiling hmc, once for this size: about " in err


@pytest.mark.slow
def test_annealed_and_quenched_chains_start_near_the_posterior():
    posterior = small_posterior(temperature=1e-3)
    settled = cs.sample(posterior, **{**OPTIONS, "draws": 340})
    level = settled.values("sample_stats", "lp")[:, 300:].mean()
    density = posterior.density()

    def energies(start: str, chains: int = 2):
        options = dataclasses.replace(sampling(start=start), chains=chains)
        positions, _ = beginning(jax.random.PRNGKey(0), density, options)
        return np.asarray(jax.vmap(density.potential)(positions))

    prior, annealed, quenched = (energies(start) for start in ("prior", "annealed", "quenched"))
    assert abs(annealed.mean() + level) < 0.5 * abs(prior.mean() + level)
    # a minimum, without the heat of a draw
    assert quenched.max() < min(annealed.min(), -level)
    mixed, hot = energies("mixed", chains=4), energies("prior", chains=4)
    assert mixed[1] == hot[1]
    assert (mixed[[0, 2, 3]] < 0.5 * hot[[0, 2, 3]]).all()


def test_folders_that_hold_something_are_refused(tmp_path, saved):
    with pytest.raises(cs.InvalidInput, match="another run"):
        cs.sample(small_posterior(), out=saved.path, **OPTIONS)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(cs.InvalidInput, match="other files"):
        cs.sample(small_posterior(), out=tmp_path, **OPTIONS)
    with pytest.raises(cs.InvalidInput, match="is a file"):
        cs.sample(small_posterior(), out=tmp_path / "notes.txt", **OPTIONS)
    with pytest.raises(cs.InvalidInput, match="is a file"):
        cs.sample(small_posterior(), out=tmp_path / "notes.txt" / "run", **OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_resuming_with_other_options_is_refused(saved):
    with pytest.raises(cs.InvalidInput, match=r"temperature = 0\.05, not 0\.1"):
        cs.sample(small_posterior(temperature=0.1), out=saved.path, resume=True, **OPTIONS)
    with pytest.raises(cs.InvalidInput, match="seed = 5, not 7"):
        cs.sample(small_posterior(), out=saved.path, resume=True, **{**OPTIONS, "seed": 7})


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")  # of counts in rows that are lost
@pytest.mark.parametrize("bad_step", [12, 47])
def test_draws_without_an_energy_are_never_stored(tmp_path, saved, monkeypatch, bad_step):
    original = driver.advance

    def losing(kernel, mesh, program, states, stretch):
        first, count = int(stretch.first), int(stretch.length)
        states, rows = original(kernel, mesh, program, states, stretch)
        begin = bad_step - 1 - first
        if begin < count:
            states = jax.tree.map(lambda leaf: lost(leaf, 0), states)
            rows = jax.tree.map(lambda leaf: lost(leaf, begin + int(rows.first)), rows)
        return states, rows

    def lost(values, begin):
        values = np.array(values)
        if np.issubdtype(values.dtype, np.floating) and values.ndim:
            values[begin:] = np.nan
        return jnp.asarray(values)

    monkeypatch.setattr(driver, "advance", losing)
    with pytest.raises(SamplingFailed, match=f"not finite in chain 0 after {bad_step - 1} iterations: raise `temp"):
        cs.sample(small_posterior(), out=tmp_path / "run", **OPTIONS)
    kept = cs.Run.open(tmp_path / "run")
    assert kept.draw_count < max(1, bad_step - 30)
    for group in DIMENSIONS if kept.draw_count else ():
        for name in DIMENSIONS[group]:
            expected = saved.values(group, name)[:, : kept.draw_count]
            np.testing.assert_array_equal(kept.values(group, name), expected, err_msg=name)
    # The checkpoint is from before, too: the sound sampler goes on from it.
    monkeypatch.undo()
    assert_same_draws(saved, cs.sample(small_posterior(), out=tmp_path / "run", resume=True, **OPTIONS))


def test_configuration_is_plain_json(saved):
    config = json.loads((saved.path / "config.json").read_text())
    assert config["prior"]["readout_variance"] == 6
    assert config["sampling"]["seed"] == 5
    assert config["network"] == {
        "activation": "sigmoid", "width": 6, "depth": 1, "bias": False, "scaling": "mean-field",
        "recurrent": False,
    }  # fmt: skip
