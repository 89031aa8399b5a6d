"""The mean field in the limit T -> 0."""

import numpy as np
import pytest

import codingschemes as cs
from codingschemes.errors import InvalidInput


def toy(activation: str, samples: int, depth: int = 1) -> cs.Posterior:
    task = cs.tasks.orthogonal(samples=samples, ratios=(0.5, 0.25, 0.25))
    return cs.Posterior(task, cs.Network(activation, width=100, depth=depth), temperature=1e-2)


@pytest.mark.slow
def test_shares_of_codes_tend_to_those_of_many_samples():
    """At ratios 1/2 : 1/4 : 1/4 to three digits .333, .333, .328, .006; corrections are of order 1/P."""
    shares = []
    for samples in (100, 200):
        found = cs.predict(toy("sigmoid", samples), zero_temperature=True)
        assert found.certificate.holds
        np.testing.assert_allclose(found.outputs, found.posterior.task.targets, atol=2e-4)
        shares.append({code.name: code.count / 100 for code in found.codes})
    limit = {code: 2 * shares[1][code] - shares[0][code] for code in ("110", "101", "011", "100")}
    assert limit == pytest.approx({"110": 0.333, "101": 0.333, "011": 0.328, "100": 0.006}, abs=6e-4)
    assert shares[0]["100"] > limit["100"] + 2e-3  # so that the limit is not in every number of samples


def test_linear_kernels_have_their_closed_form():
    """K = K0 + Y V^{-1} Y^T with V = s^2 lambda, lambda (lambda - 1) = P_c / s^2 class by class (K0 = I)."""
    found = cs.predict(toy("linear", 40), zero_temperature=True)
    variance = 1 / 40
    grown = (1 + np.sqrt(1 + 4 * np.array([20, 10, 10]) / variance)) / 2
    targets = found.posterior.task.targets
    kernel = np.eye(40) + targets / (variance * grown) @ targets.T
    np.testing.assert_allclose(found.kernel, kernel, atol=1e-4)
    warm = cs.predict(toy("linear", 40))
    assert np.abs(warm.kernel - kernel).max() > 0.01


def test_particles_have_no_limit():
    images = cs.Posterior(cs.tasks.digits(samples=12), cs.Network("sigmoid", width=20))
    for posterior in (images, toy("sigmoid", 12, depth=2)):
        with pytest.raises(InvalidInput, match=r"T -> 0 at orthogonal inputs.*lower `temperature`"):
            cs.predict(posterior, zero_temperature=True)
    with pytest.raises(InvalidInput, match="not by particles"):
        cs.predict(toy("relu", 12), method="particles", zero_temperature=True)
