"""What rivals end their own warm-up with leaves the posterior as it is, and finds it, as all samplers do."""

import functools

import jax
import numpy as np
import pytest
from checks import known_answer, stationarity, verdict
from problems import KNOWN, problem
from subjects import SETTINGS

from codingschemes.benchmark.rivals import RIVALS, Tuned
from codingschemes.samplers import Kernel

CASES = [(name, KNOWN[index % len(KNOWN)]) for index, name in enumerate(RIVALS)]


@functools.cache
def tuned(rival: str, name: str) -> Tuned:
    return RIVALS[rival](SETTINGS).tune(jax.random.PRNGKey(21), problem(name).density, SETTINGS.warmup)


@functools.cache
def kernel(rival: str, name: str) -> Kernel:
    """All copies take what the first chain has adapted."""
    return RIVALS[rival](SETTINGS).kernel(jax.tree.map(lambda leaf: leaf[0], tuned(rival, name).parameters))


@pytest.mark.slow
@pytest.mark.parametrize(("rival", "name"), CASES, scope="class")
class TestKnownAnswer:
    """The linear network with one output, whose posterior is one integral."""

    def test_moments_and_distributions_by_quadrature(self, rival, name):
        assert not verdict(known_answer, kernel(rival, name), problem(name), seed=11)

    def test_exact_draws_stay_exact(self, rival, name):
        assert not verdict(stationarity, kernel(rival, name), problem(name), seed=12)

    def test_chains_end_the_warm_up_in_places_of_their_own(self, rival, name):
        chains = np.asarray(tuned(rival, name).positions["input"])
        assert len(np.unique(chains[:, 0, 0])) == RIVALS[rival](SETTINGS).chains
