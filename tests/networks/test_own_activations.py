"""Activations of one's own: claims are checked, sources found again."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import codingschemes as cs
from codingschemes.networks import ACTIVATIONS
from codingschemes.networks.own import contradiction, record, restore, source_of
from codingschemes.networks.shape import find_kinks
from codingschemes.runs import folder
from codingschemes.runs.configuration import Sampling, describe, made_by
from codingschemes.runs.store import DrawStore

pytestmark = pytest.mark.usefixtures("forgotten", "without_type_checks")


@pytest.fixture
def forgotten():
    """What a test registers is gone after it."""
    known = dict(ACTIVATIONS._entries)
    yield
    ACTIVATIONS._entries.clear()
    ACTIVATIONS._entries.update(known)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of one's own with an activation."""
    (tmp_path / "my_activations.py").write_text(
        "import jax.numpy as jnp\n\ndef softsign(z):\n    return z / (1 + jnp.abs(z))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "my_activations:softsign"
    sys.modules.pop("my_activations", None)


def test_claims_of_the_package_hold_by_its_own_checks():
    for activation in ACTIVATIONS.values():
        assert contradiction(activation.function, activation.family) is None, activation.name
        assert find_kinks(activation.function) == activation.kinks, activation.name


@pytest.mark.parametrize(
    ("function", "family", "kinks"),
    [
        (lambda z: z / (1 + jnp.abs(z)), "odd", ()),
        (lambda z: jnp.where(z > 0, z, 0.1 * z), "smooth", (0.0,)),
        (lambda z: 0.5 + jnp.arctan(z) / jnp.pi, "sigmoidal", ()),
        (lambda z: jnp.maximum(z, 0.0) ** 2, "threshold", ()),
        (jnp.sin, "smooth", ()),
        (jax.nn.relu6, "threshold", (0.0, 6.0)),
        (lambda z: jnp.tanh(z) + 0.3 * jnp.abs(z - 0.37), "smooth", (0.37,)),
    ],
)
def test_families_and_kinks_are_found(function, family, kinks):
    found = cs.register_activation("mine", function)
    assert (found.family, found.kinks) == (family, pytest.approx(kinks, abs=1e-12))
    assert cs.Network("mine", width=3).activation is found


@pytest.mark.parametrize(
    ("function", "claim", "words"),
    [
        (lambda z: jnp.where(z > 0, z, 0.1 * z), {"family": "odd"}, r"phi\(-z\) is not -phi\(z\).*family='smooth'"),
        (lambda z: jnp.where(z > 0, z, 0.1 * z), {"kinks": [1.0]}, "slope of mine jumps at z = 0, .*leave `kinks` out"),
        (lambda z: z**3, {"family": "odd"}, "does not saturate"),
        (jnp.sin, {"family": "odd"}, "does not saturate|falls"),
        (jnp.tanh, {"family": "sigmoidal"}, "negative somewhere.*family='odd'"),
        (jax.nn.softplus, {"family": "threshold"}, "not zero for z < 0"),
        (lambda z: 2 * z, {"family": "linear"}, "not phi"),
        (jnp.tanh, {"family": "foo"}, "there is no family 'foo' of activations: choose one of linear"),
        (np.tanh, {}, "does not act on arrays of jax"),
        (lambda z: z / (1 + jnp.sum(jnp.abs(z))), {}, "does not act elementwise"),
        (jnp.log, {}, "is not finite"),
        (jnp.sum, {}, "elementwise"),
        ("tanh", {}, "takes a function"),
        (jnp.tanh, {"familiy": "odd"}, "did you mean 'family'"),
    ],
)
def test_what_contradicts_its_claim_is_refused(function, claim, words):
    with pytest.raises(cs.InvalidInput, match=words):
        cs.register_activation("mine", function, **claim)
    assert "mine" not in ACTIVATIONS


def test_names_are_taken_once():
    with pytest.raises(cs.InvalidInput, match="there is an activation 'tanh' already"):
        cs.register_activation("tanh", jnp.sin)

    def cell():
        return lambda z: jnp.tanh(2 * z)

    first = cs.register_activation("mine", cell())
    assert cs.register_activation("mine", cell()) is first
    with pytest.raises(cs.InvalidInput, match="already"):
        cs.register_activation("mine", lambda z: jnp.tanh(3 * z))


def test_module_and_function_name_an_activation(module):
    network = cs.Network(module, width=3)
    assert (network.activation.family, network.activation.source) == ("odd", module)
    for wrong in ("nowhere_at_all:f", "my_activations:soft", "my_activations:", ":f", "math:pi"):
        with pytest.raises(cs.InvalidInput, match=r"cannot be imported|no function"):
            cs.Network(wrong)


def test_a_recorded_activation_is_registered_again(module):
    import my_activations

    said = record(cs.register_activation("softsign", my_activations.softsign))
    assert said == {"name": "softsign", "source": module, "family": "odd", "kinks": []}
    del ACTIVATIONS._entries["softsign"]
    restore(said)
    assert ACTIVATIONS["softsign"].function is my_activations.softsign
    del ACTIVATIONS._entries["softsign"]
    with pytest.raises(cs.InvalidInput, match=r"cannot be imported .*or call cs\.register_activation\('softsign'"):
        restore({**said, "source": "gone_away:softsign"})
    assert source_of(lambda z: z) is None
    with pytest.raises(cs.InvalidInput, match=r"register_activation\('mine', function\) before.*module:function"):
        restore({"name": "mine", "source": None, "family": "odd", "kinks": []})


def test_a_run_opens_with_the_activation_that_its_configuration_names(module, tmp_path):
    import my_activations

    cs.register_activation("softsign", my_activations.softsign)
    posterior = cs.Posterior(cs.tasks.orthogonal(samples=6), cs.Network("softsign", width=4), temperature=1e-2)
    path = tmp_path / "run"
    folder.create(path, posterior, describe(posterior, Sampling()), made_by(Sampling()))
    DrawStore(path / "draws.zarr")
    del ACTIVATIONS._entries["softsign"]
    assert cs.Run.open(path).posterior.network.activation.function is my_activations.softsign
