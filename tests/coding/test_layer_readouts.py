import numpy as np
import pytest
from known_answers import correlated_task
from sklearn.linear_model import Ridge

import codingschemes as cs
from codingschemes.coding.neurons import direct_readout, layer_populations


@pytest.mark.parametrize("width", [5, 20], ids=["fewer neurons than samples", "more"])
def test_lower_layers_are_read_by_ridge_regression(width: int) -> None:
    """At the strength T / (gamma sigma_a)^2 that the posterior over readouts implies."""
    posterior = cs.Posterior(correlated_task(8), cs.Network("relu", width=width, depth=2), temperature=0.03)
    scale, prior = posterior.network.readout_scale, posterior.prior
    activity = np.random.default_rng(0).standard_normal((2, width, 8))
    found = direct_readout(posterior, activity)
    for each, readout in zip(activity, found, strict=True):
        ridge = Ridge(prior.temperature / (scale**2 * prior.readout_variance), fit_intercept=False)
        np.testing.assert_allclose(
            readout, ridge.fit(each.T, posterior.task.targets).coef_.T / scale, rtol=1e-6, atol=1e-9
        )


def test_the_last_layer_keeps_its_own_readout() -> None:
    posterior = cs.Posterior(correlated_task(8), cs.Network("relu", width=5, depth=2), temperature=0.03)
    rng = np.random.default_rng(0)
    activity, readout = rng.random((3, 4, 2, 5, 8)), rng.standard_normal((3, 4, 5, 2))
    first, last = layer_populations(posterior, activity, readout)
    assert first.draws == last.draws == (3, 4)
    np.testing.assert_array_equal(last.readout, readout)
    np.testing.assert_allclose(first.readout[1, 2], direct_readout(posterior, activity[1, 2, 0]))
