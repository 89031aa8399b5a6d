"""Compiled programs of a process that samples one posterior after the other."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from known_answers import small_posterior

import codingschemes as cs
from codingschemes import compiled
from codingschemes.compiled import make_room

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
