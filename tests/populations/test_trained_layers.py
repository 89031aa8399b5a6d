"""Layers of networks that other libraries trained."""

import importlib.util
import warnings

import numpy as np
import pytest
from planted_populations import factorised
from sklearn.neural_network import MLPClassifier

import codingschemes as cs

INPUTS, LABELS = factorised(np.random.default_rng(0), trials=6, neurons=5, noise=0.1)


def test_layers_of_scikit_learn_give_its_predictions():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged, and need not be
        model = MLPClassifier((8, 6), activation="tanh", max_iter=20, random_state=0).fit(INPUTS, LABELS)
    found = cs.populations.from_sklearn(model, INPUTS, LABELS)
    assert list(found) == ["layer 1", "layer 2"]
    assert (found["layer 1"].readout, found["layer 2"].bounds) == (None, (-1, 1))
    last = found["layer 2"]
    outputs = last.activity @ last.readout + model.intercepts_[-1]
    np.testing.assert_array_equal(outputs.argmax(1), model.predict(INPUTS))


def test_a_model_that_is_not_fitted_is_refused():
    with pytest.raises(cs.InvalidInput, match="call its fit first"):
        cs.populations.from_sklearn(MLPClassifier(), INPUTS, LABELS)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_without_pytorch_one_sentence_says_so():
    with pytest.raises(cs.InvalidInput, match="pip install torch"):
        cs.populations.from_torch(None, INPUTS, LABELS)


def test_modules_of_pytorch_are_hooked():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(
        torch.nn.Conv1d(1, 3, 2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(12, 4), torch.nn.Tanh()
    )
    inputs = torch.as_tensor(INPUTS[:, None], dtype=torch.float32)
    found = cs.populations.from_torch(model, inputs, LABELS)
    with torch.no_grad():
        outputs = model(inputs).numpy()
    np.testing.assert_allclose(found["4"].activity, outputs, atol=1e-6)
    assert found["1"].activity.shape == (24, 3)
    assert [each.bounds for each in found.values()] == [None, (-1, 1)]
    with pytest.raises(cs.InvalidInput, match="no module 'conv'"):
        cs.populations.from_torch(model, inputs, LABELS, layers=["conv"])
