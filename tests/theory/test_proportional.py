"""The proportional limit as a prediction: where it is the lazy limit, where the mean field, and at test inputs."""

import numpy as np
import pytest

import codingschemes as cs
from codingschemes.theory import predict


def posterior(activation, *, width, temperature=0.1, samples=12, **network):
    task = cs.tasks.orthogonal(samples=samples, ratios=(0.5, 0.25, 0.25), test=5)
    return cs.Posterior(task, cs.Network(activation, width=width, **network), temperature=temperature)


@pytest.mark.parametrize("options", [{}, {"depth": 2}, {"depth": 2, "bias": True}])
@pytest.mark.parametrize("activation", ["linear", "erf"])
def test_of_many_more_neurons_than_samples_it_is_the_lazy_limit(activation, options):
    off = []
    for width in (1000, 4000):
        wide = posterior(activation, width=width, scaling="lazy", **options)
        renormalised, lazy = predict(wide, "proportional"), predict(wide, "lazy")
        assert renormalised.certificate.holds
        pairs = [(renormalised.outputs, lazy.outputs), (renormalised.test_outputs, lazy.test_outputs)]
        pairs.append((renormalised.test_variance, lazy.test_variance[:, None]))
        off.append([np.abs(here - there).max() for here, there in pairs])
    assert np.allclose(np.array(off[0]) / off[1], 4, rtol=0.1)  # what learning adds is of order P / N


def test_of_linear_networks_with_strong_readouts_it_is_the_mean_field():
    """At fixed N T, P and outputs of order one the determinant is a part of order P/N."""
    off = []
    for width in (400, 1600):
        learning = posterior("linear", width=width, depth=2, temperature=0.1 / width)
        renormalised, wide = predict(learning, "proportional"), predict(learning)
        pairs = zip(
            (renormalised.outputs, renormalised.kernel, *renormalised.lower_kernels),
            (wide.outputs, wide.kernel, *wide.lower_kernels),
            strict=True,
        )
        off.append([np.abs(here - there).max() for here, there in pairs])
    assert np.allclose(np.array(off[0]) / off[1], 4, rtol=0.1)


def test_test_inputs_that_equal_training_inputs_get_their_outputs():
    drawn = posterior("relu", width=30, scaling="lazy", depth=2)
    twin = drawn.task.with_inputs(drawn.task.inputs, drawn.task.inputs[:5], "test inputs copied")
    prediction = predict(cs.Posterior(twin, drawn.network, temperature=0.1), "proportional")
    assert np.allclose(prediction.test_outputs, prediction.outputs[:5], atol=1e-8)
    assert prediction.kernel is None
    assert prediction.details.kernel_scales.shape == (1,)
    assert {each.holds for each in prediction.assumptions} == {True, False}
