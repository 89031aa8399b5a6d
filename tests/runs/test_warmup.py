"""A warm-up ends when chains have settled, with the stated rate of false alarms, and not before."""

import itertools

import numpy as np
import pytest
from scipy import stats

from codingschemes.runs.precision import Precision, is_look, next_look
from codingschemes.runs.warmup import FALSE_ALARM, FALSE_RETURN, ROUND, Trace, memory, settled

CHAINS, REPEATS = 4, 400


def autoregressive(memory: float, parts: int, entries: int = 1, seed: int = 0) -> np.ndarray:
    """REPEATS stationary windows of unit variance, (repeat, chain, part, entry)."""
    noise = np.random.default_rng(seed).normal(size=(REPEATS, CHAINS, parts, entries))
    series = np.empty_like(noise)
    series[:, :, 0] = noise[:, :, 0]
    for part in range(1, parts):
        series[:, :, part] = memory * series[:, :, part - 1] + np.sqrt(1 - memory**2) * noise[:, :, part]
    return series


def alarms(windows: np.ndarray) -> int:
    return sum(not settled(window, FALSE_ALARM) for window in windows)


@pytest.mark.parametrize("entries", [1, 20])
@pytest.mark.parametrize(("memory", "parts"), [(0.0, 10), (0.0, 100), (0.3, 40), (0.5, 100), (0.8, 200)])
def test_settled_chains_are_sent_on_as_rarely_as_stated(memory, parts, entries):
    found = alarms(autoregressive(memory, parts, entries))
    assert stats.binomtest(found, REPEATS, FALSE_ALARM, alternative="greater").pvalue > 1e-4


@pytest.mark.parametrize("memory", [0.0, 0.5])
def test_one_invariant_raises_as_many_false_alarms_as_stated(memory):
    found = alarms(autoregressive(memory, 100))
    assert stats.binomtest(found, REPEATS, FALSE_ALARM).pvalue > 1e-4


def test_chains_that_have_not_settled_go_on():
    stationary = autoregressive(0.5, 100)
    drift = np.linspace(0, 3, 100)[:, None]
    elsewhere = np.array([0, 0, 0, 2])[:, None, None]
    walk = np.cumsum(autoregressive(0.0, 100, seed=1), axis=2)
    for windows in (stationary + drift, stationary + elsewhere, walk):
        assert alarms(windows) > 0.9 * REPEATS


def test_numbers_that_are_undefined_or_never_move_tell_nothing_and_jumps_between_still_chains_do():
    window = autoregressive(0.0, 40, entries=3)[0]
    window[..., 1], window[..., 2] = np.nan, 4.0
    assert settled(window, FALSE_ALARM) == settled(window[..., :1], FALSE_ALARM)
    still = np.zeros((CHAINS, 40, 1))
    still[0] = 1.0
    assert not settled(still, FALSE_ALARM)


def test_memory_is_that_of_the_slowest_entry_cautiously():
    """Of 20 that remember nothing next to none is taken for slow; where there are numbers enough it is found."""
    windows = autoregressive(0.0, 10, entries=20)
    assert np.quantile([memory(window) for window in windows], 0.95) < 2
    slow = np.concatenate([autoregressive(0.0, 400), autoregressive(0.9, 400)], axis=3)
    found = np.array([memory(window) for window in slow])
    assert ((found > 0.6 * 19) & (found < 1.2 * 19)).mean() > 0.95


def test_memory_of_what_never_moves_or_is_undefined_is_none():
    window = autoregressive(0.5, 40, entries=3)[0]
    window[..., 1], window[..., 2] = np.nan, 4.0
    assert memory(window) == memory(window[..., :1])
    assert memory(window[..., 1:]) == 1


def test_what_is_judged_does_not_depend_on_how_steps_were_cut_into_chunks():
    rng = np.random.default_rng(0)
    shapes = {
        "energy": (), "training_loss": (), "kernel_block": (1, 2, 2), "kernel_diagonal": (1, 2),
        "kernel_eigenvalue": (1, 3), "activity_norm_quantile": (1, 6), "readout_norm_quantile": (6,),
    }  # fmt: skip
    series = {name: rng.normal(size=(2, ROUND, *shape)) for name, shape in shapes.items()}
    whole, cut = Trace.blank(shapes, 2), Trace.blank(shapes, 2)
    whole.add(series, 0)
    ends = [0, 1, 8, 33, 90, ROUND]
    for first, last in itertools.pairwise(ends):
        cut.add({name: values[:, first:last] for name, values in series.items()}, first)
    np.testing.assert_array_equal(whole.means, cut.means)
    np.testing.assert_allclose(whole.means[:, :20, 0].mean(axis=1), series["energy"].mean(axis=1))
    assert not whole.means[:, 20:].any()


@pytest.mark.parametrize(("memory", "parts"), [(0.0, 20), (0.5, 50), (0.8, 160)])
def test_draws_of_settled_chains_are_given_up_as_rarely_as_stated(memory, parts):
    found = sum(Trace(window).apart(0, parts * ROUND // 20) for window in autoregressive(memory, parts, 20))
    assert stats.binomtest(found, REPEATS, FALSE_RETURN, alternative="greater").pvalue > 1e-4


def test_draws_with_a_chain_elsewhere_for_some_of_them_are_given_up():
    """Whatever came before the draws."""
    step = ROUND // 20
    windows = autoregressive(0.5, 60)
    leaves = np.where(np.arange(60) < 40, 4.0, 0.0)[:, None] * np.array([0, 0, 0, 1])[:, None, None]
    assert np.mean([Trace(window).apart(20 * step, 60 * step) for window in windows + leaves]) > 0.9
    settles = np.where(np.arange(60) < 20, 4.0, 0.0)[:, None]
    assert np.mean([Trace(window).apart(20 * step - 2, 60 * step + 2) for window in windows + settles]) < 0.05


def test_looks_are_at_fixed_numbers_of_draws():
    looks = [draws for draws in range(1, 400) if is_look(draws)]
    assert looks[0] == next_look(0)
    assert [next_look(draws) for draws in looks[:-1]] == looks[1:]
    assert next_look(looks[2] - 1) == looks[2]


def test_precision_is_that_of_the_slowest_invariant():
    rng = np.random.default_rng(0)
    draws = {
        name: rng.normal(size=(4, 200))
        for name in ("energy", "training_loss", "outputs", "kernel_block", "kernel_diagonal", "kernel_eigenvalue")
    }
    draws |= {"activity_norm_quantile": np.ones((4, 200)), "readout_norm_quantile": np.full((4, 200), np.nan)}
    assert Precision(ess=500.0, rhat=1.05).reached(draws.__getitem__)
    assert not Precision(ess=5e3).reached(draws.__getitem__)
    slow = {**draws, "outputs": np.cumsum(draws["outputs"], axis=1)}
    assert not Precision(ess=500.0).reached(slow.__getitem__)
    assert not Precision(rhat=1.05).reached(slow.__getitem__)
    assert not Precision(ess=1.0).reached(lambda _: np.ones((4, 200)))
