"""Single neurons drawn from a theory add up to what it says of the network."""

import numpy as np
import pytest
from theory_problems import standard_error, toy_posterior, toy_prediction

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
    if options:
        prediction = predict(toy_posterior(activation, samples=36, width=60, temperature=2e-4), **options)
    else:
        prediction = toy_prediction(activation, 2e-4)
    drawn, posterior = prediction.neurons, prediction.posterior
    width, labels = posterior.network.width, posterior.task.labels
    assert drawn.weight.sum() == pytest.approx(width)
    each = posterior.network.readout_scale * width * drawn.activity[:, :, None] * drawn.readout[:, None, :]
    total = np.tensordot(drawn.weight / width, each, 1)
    many = drawn.weight < 1  # neurons of which each is one are not drawn, and add no error
    error = drawn.weight[many].sum() / width * standard_error(each[many], options.get("particles", many.sum()))
    expected = np.stack([prediction.outputs[labels == label].mean(axis=0) for label in range(3)])
    assert np.all(np.abs(total - expected) < 4 * error)
    assert 4 * error.max() < expected.max()  # so that neurons without readouts fail
