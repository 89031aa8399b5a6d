"""Layers of networks that other libraries trained."""

import importlib.util
import time
import warnings

import equinox
import jax
import numpy as np
import pytest
from planted_populations import factorised
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import codingschemes as cs
from codingschemes.reports.described import report_population

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


def test_layers_of_equinox_give_its_outputs():
    model = equinox.nn.MLP(5, 3, 7, depth=2, activation=jax.nn.tanh, key=jax.random.PRNGKey(0))
    found = cs.populations.from_equinox(model, INPUTS, LABELS)
    assert list(found) == ["layer 1", "layer 2"]
    assert (found["layer 1"].readout, found["layer 2"].bounds) == (None, (-1, 1))
    outputs = found["layer 2"].activity @ found["layer 2"].readout + np.asarray(model.layers[-1].bias)
    np.testing.assert_allclose(outputs, jax.vmap(model)(INPUTS), atol=1e-6)
    with pytest.raises(cs.InvalidInput, match="takes an equinox"):
        cs.populations.from_equinox(model.layers[0], INPUTS, LABELS)


@pytest.mark.skipif(importlib.util.find_spec("flax") is not None, reason="Flax is installed")
def test_without_flax_one_sentence_says_so():
    with pytest.raises(cs.InvalidInput, match="pip install flax"):
        cs.populations.from_flax(None, INPUTS, LABELS)


def test_layers_of_flax_give_its_outputs():
    nnx, linen = pytest.importorskip("flax.nnx"), pytest.importorskip("flax.linen")
    own = nnx.Sequential(nnx.Linear(5, 7, rngs=nnx.Rngs(0)), nnx.relu, nnx.Linear(7, 3, rngs=nnx.Rngs(1)))
    (layer,) = cs.populations.from_flax(own, INPUTS, LABELS).values()
    assert (layer.activation, layer.size) == ("relu", 7)
    np.testing.assert_allclose(layer.activity @ layer.readout + own.layers[-1].bias[...], own(INPUTS), atol=1e-5)
    model = linen.Sequential([linen.Conv(4, (2,)), linen.relu, lambda x: x.mean(1), linen.Dense(6), linen.tanh])
    maps = INPUTS[:, :, None]
    variables = model.init(jax.random.PRNGKey(0), maps)
    found = cs.populations.from_flax(model, maps, LABELS, variables)
    assert [(each.size, each.activation) for each in found.values()] == [(4, "relu"), (4, None), (6, "tanh")]
    np.testing.assert_allclose(found["layer 1"].activity, found["layer 2"].activity, atol=1e-6)
    np.testing.assert_allclose(found["layer 3"].activity, model.apply(variables, maps), atol=1e-6)
    with pytest.raises(cs.InvalidInput, match="give its `variables`"):
        cs.populations.from_flax(model, maps, LABELS)
    with pytest.raises(cs.InvalidInput, match="takes a Sequential"):
        cs.populations.from_flax(linen.Dense(3), INPUTS, LABELS)


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


@pytest.mark.parametrize("kind", ["perceptron", "convolutional"])
def test_a_network_that_learned_digits_is_described_with_its_report_in_a_minute(kind, tmp_path):
    torch = pytest.importorskip("torch")
    nn, began = torch.nn, time.process_time()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    images, labels = load_digits(return_X_y=True)
    images = torch.as_tensor(images / 16, dtype=torch.float32)
    targets = torch.as_tensor(labels)
    if kind == "perceptron":
        model = nn.Sequential(nn.Linear(64, 48), nn.Tanh(), nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, 10))
        shapes = {"1": 48, "3": 32}
    else:
        images = images.reshape(-1, 1, 8, 8)
        model = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 24, 2), nn.ReLU(),
                              nn.Flatten(), nn.Linear(96, 10))  # fmt: skip
        shapes = {"1": 16, "4": 24}
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), targets).backward()
        optimizer.step()
    accuracy = float((model(images).argmax(1) == targets).float().mean())
    assert accuracy > 0.95
    found = cs.populations.from_torch(model, images, labels)
    assert {name: each.size for name, each in found.items()} == shapes
    scores = {}
    for name, population in found.items():
        described = cs.describe(population, bootstraps=2, shuffles=2, max_samples=15, max_dichotomies=2, max_splits=2)
        page = report_population(described, tmp_path / name)
        assert "How abstract is it?" in page.read_text()
        scores[name] = described.abstraction.decoding.value
    assert min(scores.values()) > 0.5  # chance is .1
    if kind == "perceptron":
        last = found["3"]
        outputs = last.activity @ last.readout + model[4].bias.detach().numpy()
        assert np.mean(outputs.argmax(1) == last.labels) == pytest.approx(accuracy)
        assert scores["3"] > 0.85
        assert described.layer.collapse.nc3 > 0
        assert described.layer.collapse.nc4 < 0.2
    assert time.process_time() - began < 60
