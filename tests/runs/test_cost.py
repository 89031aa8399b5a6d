"""What a run costs is known before it runs, and what there is no room for does not begin."""

import json
import shutil
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import small_posterior

import codingschemes as cs
from codingschemes import devices
from codingschemes.benchmark.targets import TARGETS
from codingschemes.cli.main import main
from codingschemes.devices import CHAIN, EVERYWHERE, chain_mesh, place
from codingschemes.runs import Sampling, chunks, estimate, folder, footprint
from codingschemes.runs.arithmetic import factor_operations, operations, smaller
from codingschemes.samplers import SAMPLERS, Settings
from codingschemes.samplers.settling import nothing_in_common

OPTIONS = {"sampler": "hmc", "chains": 2, "warmup": 30, "draws": 40, "seed": 5}
BENCH = Path(__file__).parents[2] / "benchmarks" / "bench.json"


@pytest.fixture(autouse=True)
def in_a_blink(monkeypatch):
    monkeypatch.setattr(estimate, "_TIMED", 1e-3)


def needs(posterior: cs.Posterior, *, in_memory: bool = False, **options) -> footprint.Footprint:
    return footprint.footprint(posterior, Sampling(**{**OPTIONS, **options}), in_memory=in_memory)


def there_are(monkeypatch, count: int) -> None:
    monkeypatch.setattr(footprint, "available_memory", lambda: count)


def test_draws_are_in_memory_or_on_disk():
    held, kept = needs(small_posterior(), in_memory=True), needs(small_posterior())
    assert (held.memory.draws, kept.memory.draws) == (kept.disk.draws, 0)
    assert held.disk.total == 0 < kept.disk.checkpoint


def test_what_would_fit_is_named(monkeypatch, tmp_path):
    posterior = small_posterior()
    there_are(monkeypatch, needs(posterior, chains=1).memory.total)
    with pytest.raises(
        cs.InvalidInput, match=r"needs about .* of memory, and .* are there: `chains=1` would fit"
    ) as said:
        cs.sample(posterior, out=tmp_path / "run", progress=False, **OPTIONS)
    assert "space" not in str(said.value)  # more coordinates than in the reduced form
    there_are(monkeypatch, 10**6)
    with pytest.raises(cs.InvalidInput, match="lower `width` or `samples`"):
        cs.cost(posterior, out=tmp_path / "run", **OPTIONS)
    there_are(monkeypatch, needs(posterior).memory.total)
    with pytest.raises(cs.InvalidInput, match=r": `chains=1` or `sampler='hmc'` would fit"):
        cs.cost(posterior, out=tmp_path / "run", **{**OPTIONS, "sampler": "codes"})
    with pytest.raises(cs.InvalidInput, match=r": `chains=1` or `space='reduced'` would fit"):
        cs.cost(posterior, out=tmp_path / "run", **{**OPTIONS, "space": "weights"})
    there_are(monkeypatch, 10**6)
    with pytest.raises(cs.InvalidInput, match="lower `width` or `samples`"):  # other forms have no mixed precision
        cs.cost(small_posterior(depth=2), out=tmp_path / "run", **{**OPTIONS, "sampler": "codes"})
    there_are(monkeypatch, needs(posterior, in_memory=True, draws=500).memory.total)
    with pytest.raises(cs.InvalidInput, match=r"a folder `out` or `draws=500`"):
        cs.cost(posterior, **{**OPTIONS, "draws": 1000})
    assert not any(tmp_path.iterdir())


def test_a_disk_without_room_says_how_many_draws_it_has_room_for(monkeypatch, tmp_path):
    disk = needs(small_posterior(), draws=100).disk
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(folder.shutil, "disk_usage", lambda _: usage._replace(free=disk.total))
    with pytest.raises(cs.InvalidInput, match="`draws=100` would fit"):
        cs.cost(small_posterior(), out=tmp_path / "run", **{**OPTIONS, "draws": 101})


def test_operations_of_a_gradient_by_hand():
    wide, long = (
        small_posterior(width=width, samples=samples).density_shapes() for width, samples in ((20, 10), (10, 20))
    )
    # five features: that many components; products with them, S or A and solutions by it, its factor
    assert operations(wide) == operations(long) == 4 * 20 * 10 * 5 + 4 * 20 * 10**2 + 10**3 / 3
    weights = small_posterior(width=20, samples=10, depth=2).density_shapes("weights")
    assert operations(weights) == 4 * 20 * 10 * 5 + 6 * 20**2 * 10 + 6 * 20 * 10 * 2
    assert factor_operations(weights) == 0


def test_a_large_gradient_is_timed_at_a_smaller_size_of_the_same_shape(monkeypatch):
    posterior = cs.Posterior(cs.tasks.orthogonal(samples=80, classes=2), cs.Network(width=160))
    fewer = smaller(posterior, 64.0)
    assert (fewer.network.width, fewer.task.sample_count) == (40, 20)
    assert fewer.prior == posterior.prior
    assert set(fewer.task.labels) == {0, 1}
    timed = []

    def seconds(density, chains):
        timed.append(density)
        return 1.0

    monkeypatch.setattr(estimate, "gradient_seconds", seconds)
    monkeypatch.setattr(estimate, "_MOST_OPERATIONS", OPTIONS["chains"] * operations(posterior.density_shapes()) / 64)
    found = cs.cost(posterior, **OPTIONS)
    (density,) = timed
    assert density.targets.shape[0] == 20
    assert found.gradient_seconds == operations(posterior.density_shapes()) / operations(density)
    assert 40 < found.gradient_seconds < 70  # 80 inputs of 80 features, 20 of 80: the rest of the 64
    monkeypatch.setattr(estimate, "_MOST_OPERATIONS", 1e20)
    assert cs.cost(posterior, **OPTIONS).gradient_seconds == 1.0
    assert timed[-1].targets.shape[0] == 80


@pytest.mark.parametrize("most", [0.0, 1e20], ids=["timed smaller", "at its size"])
def test_the_basis_of_the_inputs_is_not_needed(monkeypatch, most):
    def refuse(*_, **__):
        raise AssertionError("eigenvectors of thousands of inputs take longer than all else")

    monkeypatch.setattr(np.linalg, "eigh", refuse)
    monkeypatch.setattr(estimate, "_MOST_OPERATIONS", max(most, OPTIONS["chains"] * 500.0))
    assert cs.cost(small_posterior(), **OPTIONS).gradient_seconds > 0


def test_any_numbers_are_of_the_shapes_and_forms_of_the_density_itself(monkeypatch):
    """Arrays of the wrong kind would compile, and time, another program."""
    posterior, seen = small_posterior(), []
    monkeypatch.setattr(estimate, "gradient_seconds", lambda density, _: seen.append(density) or 1.0)
    for precision in ("double", "mixed"):
        cs.cost(posterior, **OPTIONS, precision=precision)
        own = Sampling(**OPTIONS, precision=precision).density(posterior)
        assert jax.tree.structure(seen[-1]) == jax.tree.structure(own)
        for mine, theirs in zip(jax.tree.leaves(seen[-1]), jax.tree.leaves(own), strict=True):
            assert jax.typeof(mine) == jax.typeof(theirs)


def test_options_are_those_of_sample():
    with pytest.raises(cs.InvalidInput, match="unknown keyword 'draw' of cost: did you mean 'draws'"):
        cs.cost(small_posterior(), draw=3)
    with pytest.raises(cs.InvalidInput, match="`chains` is 0"):
        cs.cost(small_posterior(), chains=0)


def test_a_run_that_ends_by_itself_may_take_few_steps_or_many():
    given = estimate._steps(Sampling(**OPTIONS))
    open_ended = estimate._steps(Sampling(warmup=30, draws=2000, until_ess=100.0))
    assert given == (70, 70)
    assert open_ended == (130, 2030)


def test_a_sampler_that_says_nothing_of_gradients_leaves_time_open(monkeypatch):
    monkeypatch.setattr(SAMPLERS, "_entries", dict(SAMPLERS._entries))
    cs.register_sampler("silent", lambda settings: SAMPLERS["hmc"](settings)._replace(gradients=None))
    found = cs.cost(small_posterior(), **{**OPTIONS, "sampler": "silent"})
    assert (found.gradients, found.draw_seconds, found.seconds) == (None, None, None)
    assert found.gradient_seconds > 0
    assert "time: not known" in str(found)


@pytest.mark.parametrize("sampler", ["hmc", "mclmc", "mclmc-unadjusted", "blackjax-nuts"])
def test_samplers_say_how_many_gradients_draws_of_the_bench_took(sampler):
    """Of targets with no images, one hidden layer: moves of `codes` count by their time."""
    rows = [row for row in json.loads(BENCH.read_text())["rows"] if row["sampler"] == sampler]
    took = {
        row["target"]: row["gradients_per_draw"] for row in rows if row["target"].startswith(("toy", "hyper", "tiny"))
    }
    assert took
    kernel = SAMPLERS[sampler](Settings())
    for target, gradients in took.items():
        fewest, most = kernel.gradients(TARGETS[target].posterior().density_shapes())
        assert fewest <= gradients <= most, target


def test_a_dry_run_says_all_and_writes_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = ["sample", "orthogonal", "--samples", "24", "--width", "8", "--sampler", "hmc", "--chains", "2"]

    def call(*more: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["codingschemes", *words, *more])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return left.value.code, captured.out, captured.err

    status, out, _ = call("--dry-run", "--json")
    assert status == 0
    said = json.loads(out)
    assert {"memory", "disk", "gradients", "gradient_seconds", "draw_seconds", "steps", "seconds"} <= set(said)
    assert said["disk"]["total"] == said["disk"]["draws"] + said["disk"]["checkpoint"] <= said["disk"]["free"]
    assert 0 < said["memory"]["total"] == sum(said["memory"][name] for name in footprint.Memory._fields)
    assert said["seconds"][0] < said["seconds"][1]
    assert call("--dry-run", "--resume")[0] == 2
    status, _, err = call()
    assert (status, "--out" in err) == (2, True)
    there_are(monkeypatch, 10**6)
    status, out, err = call("--dry-run", "--out", "run")
    assert (status, out) == (2, "")
    assert "lower --width" in err
    assert not any(tmp_path.iterdir())


def test_a_container_has_its_limit_less_what_is_used_files_aside(monkeypatch, tmp_path):
    held = devices.available_memory()
    if held is None or not Path("/proc/meminfo").exists():
        pytest.skip("this system does not say what memory is available")
    (tmp_path / "memory.max").write_text("10000000\n")
    (tmp_path / "memory.current").write_text("4000000\n")
    (tmp_path / "memory.stat").write_text("active_file 7\ninactive_file 1000000\n")
    monkeypatch.setattr(devices, "_control_groups", lambda: iter([tmp_path]))
    limited = devices.available_memory()
    (tmp_path / "memory.max").write_text("max\n")
    unlimited = devices.available_memory()
    assert 7_000_000 < limited < unlimited


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sampler", "activation", "width", "samples", "depth"),
    [
        ("hmc", "sigmoid", 400, 100, 1),
        ("hmc", "sigmoid", 100, 400, 1),
        ("hmc", "sigmoid", 400, 100, 2),
        ("codes", "sigmoid", 400, 100, 1),
        ("codes", "sigmoid", 100, 400, 1),
        ("codes", "relu", 100, 400, 1),
        ("nuts", "sigmoid", 400, 100, 1),
    ],
)
def test_memory_is_what_xla_sets_aside_for_the_loop(sampler, activation, width, samples, depth):
    """Within a fifth, parts that are known exactly included (benchmarks/cost.md)."""
    posterior = cs.Posterior(cs.tasks.orthogonal(samples=samples), cs.Network(activation, width=width, depth=depth))
    sampling = Sampling(sampler=sampler)
    kernel, density, mesh = SAMPLERS[sampler](sampling.settings), posterior.density(), chain_mesh(sampling.chains)
    key, membership = jax.random.PRNGKey(0), jnp.asarray(np.eye(3)[posterior.task.labels])
    _, states = chunks.begin(kernel, jax.random.split(key, 4), density.prior_draws(key, 4), density)
    common = nothing_in_common(kernel, states, density)
    program = place(chunks.Program(density, membership, key, common), mesh, EVERYWHERE)
    stretch = chunks.Stretch.of(0, 0, recording=True)
    loop = chunks.advance.lower(kernel, mesh, program, place(states, mesh, CHAIN), stretch)
    found = loop.compile().memory_analysis()
    said = footprint.footprint(posterior, sampling).memory
    arguments, results = found.argument_size_in_bytes, found.output_size_in_bytes
    assert said.buffers / mesh.size == pytest.approx(found.temp_size_in_bytes, rel=0.2)
    # of modes as many again may be found while these are there
    there = (said.states + said.records) / mesh.size + said.modes / 2
    assert there == pytest.approx(arguments + results, rel=0.2)
