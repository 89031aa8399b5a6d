"""Chains side by side on several devices: all of them used, the draws those of one device.

Each count of devices needs a process of its own: JAX fixes it when it starts.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).parents[1]

PROGRAM = """
import sys

import jax
import numpy as np
from known_answers import small_posterior

import codingschemes
from codingschemes.runs import driver

count = int(sys.argv[1])
assert jax.device_count() == count
advance, used = driver.advance, []


def watching(*arguments):
    states, rows = advance(*arguments)
    used.extend(len(leaf.sharding.device_set) for leaf in jax.tree.leaves(states))
    return states, rows


driver.advance = watching
posterior = small_posterior(samples=4, width=3)
run = codingschemes.sample(posterior, sampler="mala", chains=4, warmup=20, draws=10, progress=False)
assert set(used) == {count}, used
np.savez(sys.argv[2], preactivation=run.values("neurons", "preactivation"), energy=run.values("posterior", "energy"))
"""


@pytest.fixture(scope="module")
def draws(tmp_path_factory) -> dict[int, dict[str, np.ndarray]]:
    made = {}
    for count in (1, 4):
        path = tmp_path_factory.mktemp("devices") / "draws.npz"
        environment = {
            **os.environ,
            "JAX_NUM_CPU_DEVICES": str(count),
            "PYTHONPATH": os.pathsep.join([*sys.path, str(TESTS)]),
        }
        subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM, str(count), str(path)], check=True, env=environment
        )
        made[count] = dict(np.load(path))
    return made


@pytest.mark.parametrize("name", ["preactivation", "energy"])
def test_four_devices_give_the_draws_of_one(draws, name):
    np.testing.assert_allclose(draws[4][name], draws[1][name], rtol=1e-6, atol=1e-6)
