"""Compiled programs of a process that samples one posterior after the other."""

import os
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import small_posterior

import codingschemes as cs
from codingschemes import compiled
from codingschemes.compiled import make_room
from codingschemes.devices import CHAIN, EVERYWHERE, chain_mesh, place
from codingschemes.runs import chunks, packing

MAPS = Path("/proc/self/maps")


@pytest.mark.skipif(not MAPS.exists(), reason="a system that does not say what memory a process has")
@pytest.mark.parametrize("share", [0.0, 1.0], ids=["crowded", "with room"])
def test_programs_are_forgotten_before_linux_would_abort_the_process(monkeypatch, share):
    traced = []

    @jax.jit
    def program(x):
        traced.append(x)
        return jnp.sin(x)

    program(1.0)
    monkeypatch.setattr(compiled, "_CROWDED", share)
    make_room()
    program(1.0)
    assert len(traced) == (2 if share == 0.0 else 1)


def test_room_is_made_before_a_run_compiles(monkeypatch):
    class Asked(Exception):
        pass

    def ask() -> None:
        raise Asked

    monkeypatch.setattr("codingschemes.runs.driver.make_room", ask)
    with pytest.raises(Asked):
        cs.sample(small_posterior(), draws=1, warmup=0, progress=False)


def test_placing_on_cores_compiles_nothing(caplog):
    """On two devices each shape was a program of its own, of 40 ms: a third of a second before every run."""
    mesh = chain_mesh(4)
    arrays = {"split": jnp.ones((4, 3, 7)), "key": jax.random.split(jax.random.PRNGKey(0), 4), "weak": jnp.full(4, 0.5)}
    typed = jax.random.split(jax.random.key(1), 4)
    with jax.log_compiles(), caplog.at_level("WARNING"):
        split = place(arrays, mesh, CHAIN)
        whole = place(split, mesh, EVERYWHERE)
        again = place(split, mesh, CHAIN)
    assert not [record.message for record in caplog.records if "ompiling" in record.message]
    for name, array in arrays.items():
        np.testing.assert_array_equal(split[name], array)
        np.testing.assert_array_equal(whole[name], array)
        assert again[name] is split[name]
        assert not split[name].weak_type
    np.testing.assert_array_equal(jax.random.key_data(place(typed, mesh, CHAIN)), jax.random.key_data(typed))


def test_what_chains_do_one_after_the_other_is_traced_once():
    traced = []

    def double(shift, value):
        traced.append(value)
        return {"doubled": 2 * value + shift}

    mesh = chain_mesh(4)
    chains, shift = place(jnp.arange(4.0), mesh, CHAIN), place(jnp.asarray(1.0), mesh, EVERYWHERE)
    both = jax.jit(lambda wanted: chunks._each_chain(double, mesh, shift, wanted, chains)["doubled"])
    np.testing.assert_array_equal(both(jnp.asarray(True)), 2 * np.arange(4.0) + 1)
    np.testing.assert_array_equal(both(jnp.asarray(False)), np.zeros(4))
    assert len(traced) == 1


def test_records_are_taken_from_every_device_in_the_order_of_chains():
    """And from rows that are not copied as a whole: most of them are empty."""
    layout = packing.Layout([packing.Variable("neurons", "readout", (3,), np.dtype(np.float32))])
    numbers = np.arange(5 * 4 * 3, dtype=np.float32).reshape(5, 4, 3)
    observed = {"float32": place(np.swapaxes(numbers, 0, 1), chain_mesh(4), CHAIN)}
    observed = jax.tree.map(lambda rows: jnp.swapaxes(rows, 0, 1), observed)
    rows = packing.Rows(observed, {}, jnp.asarray(1), layout, packing.Layout())
    np.testing.assert_array_equal(rows.to_host(3)["neurons"]["readout"], np.swapaxes(numbers[1:4], 0, 1))


CUT_OFF = """
import jax, jax.numpy as jnp
from codingschemes.compiled import compiling

jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
from pathlib import Path

folder = Path(jax.config.jax_compilation_cache_dir)
program = jax.jit(lambda x: jnp.sin(x) + 1)
with compiling("first", 1):
    program(1.0)
(file,) = folder.glob("jit__lambda*-cache")
whole = file.stat().st_size
file.write_bytes(file.read_bytes()[: whole // 2])
jax.clear_caches()
with compiling("second", 1):
    program(1.0)
(file,) = folder.glob("jit__lambda*-cache")
assert file.stat().st_size > 0.9 * whole
"""


def test_a_program_that_was_cut_off_is_replaced_without_a_word(tmp_path):
    where = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path), "JAX_ENABLE_X64": "1"}
    made = subprocess.run(
        [sys.executable, "-W", "error", "-c", CUT_OFF], env={**os.environ, **where}, capture_output=True, text=True
    )
    assert (made.returncode, made.stderr) == (0, "")


def test_programs_that_nobody_reads_any_more_are_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "_ledger_path", lambda: tmp_path / "seconds.json")
    for name, days in (("old", 91), ("read lately", 89)):
        file = tmp_path / f"{name}-cache"
        file.touch()
        os.utime(file, times=(time.time() - days * 86400, time.time() - 200 * 86400))
    with compiled.compiling("sampler", 1.0):
        pass
    assert sorted(each.name for each in tmp_path.iterdir()) == ["read lately-cache", "seconds.json"]


@pytest.mark.slow
@pytest.mark.parametrize(("first", "heard"), [("import codingschemes; ", False), ("", True)])
def test_alarms_of_slow_compilation_do_not_reach_users(first, heard):
    """Folding a constant takes more than a second here."""
    slow = (
        "import jax, numpy as np; a = np.eye(450); jax.jit(lambda: jax.numpy.asarray(a) @ jax.numpy.asarray(a) + 1)()"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "JAX_"))}
    found = subprocess.run(
        [sys.executable, "-c", first + slow],
        env={**environment, "JAX_ENABLE_X64": "1", "JAX_ENABLE_COMPILATION_CACHE": "false"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("slow_operation_alarm" in found.stderr) == heard
