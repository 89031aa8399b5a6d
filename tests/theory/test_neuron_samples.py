"""Single neurons drawn from a theory add up to what it says of the network."""

import numpy as np
import pytest
from theory_problems import toy_posterior

from codingschemes.theory import predict


@pytest.mark.parametrize(
    ("activation", "options"),
    [
        ("linear", {}),
        ("sigmoid", {}),
        ("relu", {}),
        ("sigmoid", {"method": "particles", "particles": 1000}),
    ],
)
def test_outputs_are_the_sum_over_neurons(activation, options):
    posterior = toy_posterior(activation, samples=36, width=60, temperature=2e-4)
    prediction = predict(posterior, **options)
    drawn = prediction.neurons
    assert drawn.weight.sum() == pytest.approx(60)
    labels = posterior.task.labels
    each = posterior.network.readout_scale * 60 * drawn.activity[:, :, None] * drawn.readout[:, None, :]
    share = drawn.weight / 60
    total = np.tensordot(share, each, 1)
    error = np.sqrt(np.tensordot(share**2, (each - total) ** 2, 1))
    expected = np.stack([prediction.outputs[labels == label].mean(axis=0) for label in range(3)])
    assert np.all(np.abs(total - expected) < 5 * error + 0.002 * np.abs(expected))
