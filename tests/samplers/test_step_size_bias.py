"""Samplers without a Metropolis test are biased by their step size, and the bias goes with the step."""

import numpy as np
import pytest
from known_answers import small_posterior

import codingschemes as cs
from codingschemes.diagnostics import mean_and_error
from codingschemes.samplers import SAMPLERS, Settings


def virial_excess(target_acceptance: float) -> tuple[float, float, float]:
    """<theta . grad U>/dimension - 1, zero for an unbiased sampler; its error; the step size."""
    run = cs.sample(
        small_posterior("tanh", samples=4, width=4),
        sampler="langevin",
        target_acceptance=target_acceptance,
        warmup=200,
        draws=1000,
        chains=4,
        progress=False,
    )
    mean, error = mean_and_error(run.values("posterior", "virial"))
    return float(mean) - 1, float(error), float(run.values("sample_stats", "step_size")[:, -1].mean())


def test_langevins_bias_shows_at_a_coarse_step_and_shrinks_with_its_square():
    coarse, coarse_error, long = virial_excess(0.85)
    fine, fine_error, short = virial_excess(0.99)
    assert abs(coarse) > 4 * coarse_error
    expected = coarse * (short / long) ** 2
    assert abs(fine - expected) < 4 * np.hypot(fine_error, coarse_error)
    assert abs(fine) < abs(coarse) / 3


@pytest.mark.parametrize(("sampler", "exact"), [("langevin", False), ("mclmc-unadjusted", False), ("hmc", True)])
def test_samplers_say_whether_they_are_exact(sampler, exact):
    assert SAMPLERS[sampler](Settings()).exact == exact
