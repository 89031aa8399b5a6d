"""Samplers from outside the package: registered by one call, recorded, found again, and right."""

import sys

import blackjax
import jax
import numpy as np
import pytest
from checks import stationarity, verdict
from known_answers import small_posterior
from problems import KNOWN, problem
from subjects import SETTINGS

import codingschemes as cs
from codingschemes.runs import Sampling, folder
from codingschemes.runs.configuration import describe, made_by
from codingschemes.runs.store import DrawStore
from codingschemes.samplers import SAMPLERS, Settings, from_blackjax
from codingschemes.samplers.own import record, restore
from codingschemes.tempering import Tempering

pytestmark = pytest.mark.usefixtures("forgotten", "without_type_checks")

MODULE = """
import blackjax
from codingschemes.samplers import from_blackjax

@from_blackjax
def barker(logdensity):
    return blackjax.barker(logdensity, step_size=0.4)
"""


@pytest.fixture
def forgotten():
    """What a test registers is gone after it."""
    known = dict(SAMPLERS._entries)
    yield
    SAMPLERS._entries.clear()
    SAMPLERS._entries.update(known)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of one's own with a sampler."""
    (tmp_path / "my_samplers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield "my_samplers:barker"
    sys.modules.pop("my_samplers", None)


@from_blackjax
def barker(logdensity):
    return blackjax.barker(logdensity, step_size=0.4)


def hmc_again(settings):
    return SAMPLERS["hmc"](settings)


@pytest.mark.slow
def test_exact_draws_stay_exact():
    assert not verdict(stationarity, barker(SETTINGS), problem(KNOWN[0]), seed=21)


def test_steps_tell_the_energy_of_their_positions_after_a_move_too():
    density, kernel = small_posterior(samples=4, width=3).density("weights"), barker(SETTINGS)
    keys = jax.random.split(jax.random.PRNGKey(22), 3)
    elsewhere = density.prior_draw(keys[2])

    @jax.jit
    def walk():
        state = kernel.init(keys[0], density.prior_draw(keys[1]), density)
        state = kernel.move(state, elsewhere, density)

        def body(state, _):
            after, info = kernel.step(state, density)
            return after, (kernel.position(after), info, density.potential(kernel.position(after)))

        return kernel.position(state), *jax.lax.scan(body, state, length=50)[1]

    begun, positions, info, potentials = walk()
    for name, block in elsewhere.items():
        np.testing.assert_array_equal(begun[name], block)
        assert 10 < len(np.unique(np.asarray(positions[name]), axis=0)) < 50  # some proposals are refused
    np.testing.assert_allclose(info.potential, potentials, rtol=1e-12)
    assert set(np.asarray(info.gradients)) == {1}


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ("nuts", "takes a function from Settings to a Kernel, not 'nuts'"),
        (lambda logdensity: blackjax.barker(logdensity, 0.1), "gives a SamplingAlgorithm: .* from_blackjax"),
        (lambda _: None, "gives a NoneType"),
    ],
)
def test_what_builds_no_kernel_is_refused(build, words):
    with pytest.raises(cs.InvalidInput, match=words):
        cs.register_sampler("mine", build)
    assert "mine" not in SAMPLERS


def test_names_are_taken_once():
    def cell(step_size):
        exec(MODULE.replace("0.4", str(step_size)), namespace := {"__name__": "__main__"})
        return namespace["barker"]

    first = cs.register_sampler("mine", cell(0.4))
    assert cs.register_sampler("mine", cell(0.4)) is first
    assert first(Settings()) is first(Settings())
    for name, build in (("mine", hmc_again), ("hmc", cell(0.4))):
        with pytest.raises(cs.InvalidInput, match=f"there is a sampler '{name}' already"):
            cs.register_sampler(name, build)


def test_a_run_opens_with_the_sampler_that_its_configuration_names(module, tmp_path):
    posterior, sampling = small_posterior(), Sampling(sampler=module)
    said = describe(posterior, sampling)
    assert said["sampler"] == {"name": module, "source": module}
    path = tmp_path / "run"
    folder.create(path, posterior, said, made_by(sampling))
    DrawStore(path / "draws.zarr")
    del SAMPLERS._entries[module]
    assert cs.Run.open(path).kernel.exact
    assert Tempering(sampler=module).kernel is SAMPLERS[module](Settings(10, None, 6))


def test_a_recorded_sampler_is_registered_again(module):
    import my_samplers

    said = record(cs.register_sampler("barker", my_samplers.barker))
    del SAMPLERS._entries["barker"]
    restore(said)
    assert SAMPLERS["barker"].source == module
    del SAMPLERS._entries["barker"]
    with pytest.raises(cs.InvalidInput, match=r"cannot be imported .*or call cs\.register_sampler\('barker'"):
        restore({**said, "source": "gone_away:barker"})
    with pytest.raises(
        cs.InvalidInput, match=r"register_sampler\('mine', function\) before.*--sampler module:function"
    ):
        restore({"name": "mine", "source": None})
    for wrong in ("nowhere_at_all:f", "my_samplers:walk", "math:pi"):
        with pytest.raises(cs.InvalidInput, match=r"the sampler .* cannot be imported|no function"):
            Sampling(sampler=wrong)


def test_a_function_is_not_a_name(module):
    with pytest.raises(cs.InvalidInput, match=r"takes the name of a sampler \(register_sampler .*\), not a function"):
        cs.sample(small_posterior(), sampler=hmc_again)
