"""Single neurons drawn from a theory add up to what it says of the network."""

import numpy as np
import pytest
from theory_problems import standard_error, toy_posterior

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
    total = np.tensordot(drawn.weight / 60, each, 1)
    many = drawn.weight < 1  # neurons of which each is one are not drawn, and add no error
    error = drawn.weight[many].sum() / 60 * standard_error(each[many], options.get("particles", many.sum()))
    expected = np.stack([prediction.outputs[labels == label].mean(axis=0) for label in range(3)])
    assert np.all(np.abs(total - expected) < 4 * error)
    assert 4 * error.max() < expected.max()  # so that neurons without readouts fail
