"""Runs that end by themselves: as precise as asked for, and the same whether or not they were cut off."""

import itertools
import os
import signal

import numpy as np
import pytest
from known_answers import small_posterior

import codingschemes as cs
from codingschemes import convergence
from codingschemes.diagnostics import diagnose
from codingschemes.runs import configuration, driver, precision, rounds, warmup
from codingschemes.runs.configuration import resolve
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.precision import is_look
from codingschemes.runs.status import status
from codingschemes.runs.store import DrawStore

#: `codes`: its state holds the most that follows from the rest of it.
OPTIONS = {"sampler": "codes", "chains": 2, "seed": 6, "start": "prior", "progress": False}
UNTIL = {"until_ess": 20.0, "draws": 200}
#: Shorter rounds and earlier looks than outside of tests; every search is made in them.
ROUND, FIRST_LOOK = 40, 20


@pytest.fixture(scope="module", autouse=True)
def _short():
    with pytest.MonkeyPatch.context() as patch:
        for module in (configuration, warmup):
            patch.setattr(module, "ROUND", ROUND)
        patch.setattr(precision, "_FIRST", FIRST_LOOK)
        yield


def jumping_posterior() -> cs.Posterior:
    """One whose neurons jump, several in a step."""
    return small_posterior(temperature=0.1, weight_variance=8.0)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, _short) -> cs.Run:
    return cs.sample(jumping_posterior(), out=tmp_path_factory.mktemp("runs") / "run", **OPTIONS, **UNTIL)


def test_a_run_ends_as_soon_as_it_is_precise_enough(uninterrupted):
    assert uninterrupted.provenance["ended"] == "precision"
    assert uninterrupted.finished
    assert is_look(uninterrupted.draw_count)
    assert diagnose(uninterrupted).convergence.ess_min >= UNTIL["until_ess"]
    assert uninterrupted.provenance["settled"]
    assert uninterrupted.provenance["warmup_steps"] % ROUND == 0


def _same(run: cs.Run, other: cs.Run) -> None:
    for group in DIMENSIONS:
        for name in DIMENSIONS[group]:
            np.testing.assert_array_equal(run.values(group, name), other.values(group, name), err_msg=name)


@pytest.mark.parametrize("stops", [(0, 5, 28), (ROUND - 1, 10_000)])
def test_a_run_that_was_cut_off_anywhere_equals_one_that_was_not(tmp_path, monkeypatch, uninterrupted, stops):
    """Before the first search, between searches, at the end of a round and while sampling; modes are computed again
    each time."""
    assert uninterrupted.draw_count > FIRST_LOOK
    assert uninterrupted.values("sample_stats", "switches").sum() > uninterrupted.draw_count
    waiting = [min(stop, uninterrupted.provenance["warmup_steps"] + FIRST_LOOK // 2) for stop in stops]
    original = driver.advance

    def interrupting(kernel, mesh, program, states, stretch):
        first, count = int(stretch.first), int(stretch.length)
        if waiting and first <= waiting[0] < first + count:
            waiting.pop(0)
            os.kill(os.getpid(), signal.SIGINT)
        return original(kernel, mesh, program, states, stretch)

    monkeypatch.setattr(driver, "advance", interrupting)
    monkeypatch.setattr(driver, "_CHUNK_SECONDS", 0.1)
    run = cs.sample(jumping_posterior(), out=tmp_path / "run", **OPTIONS, **UNTIL)
    for _ in stops:
        assert run.provenance["ended"] == "interruption"
        assert not run.finished
        run = cs.sample(jumping_posterior(), out=tmp_path / "run", resume=True, **OPTIONS, **UNTIL)
    assert run.provenance["ended"] == "precision"
    _same(run, uninterrupted)


@pytest.fixture
def apart_at_first(monkeypatch):
    """Chains that are found to differ at the first look at their draws."""
    seen = []

    def apart(self, first, end):
        seen.append(end - first)
        return first == ROUND and end - first == FIRST_LOOK

    monkeypatch.setattr(warmup.Trace, "settled", lambda *_: True)
    monkeypatch.setattr(warmup.Trace, "apart", apart)
    return seen


@pytest.mark.parametrize("options", [UNTIL, {"draws": 50}])
def test_a_run_whose_chains_turn_out_to_differ_goes_back_to_its_warm_up(apart_at_first, tmp_path, options):
    """With its draws as steps of it, however it ends; nothing of them is left."""
    run = cs.sample(small_posterior(), out=tmp_path / "run", **OPTIONS, **options)
    steps = 2 * ROUND + FIRST_LOOK
    assert (run.provenance["draws_given_up"], run.provenance["warmup_steps"]) == (FIRST_LOOK, steps)
    assert run.provenance["iteration"] == steps + run.draw_count
    assert run.provenance["settled"]
    assert apart_at_first[:2] == [FIRST_LOOK, FIRST_LOOK]
    assert cs.Run.open(run.path).values("posterior", "energy").shape == (2, run.draw_count)
    assert status(run.path).phase == "finished"
    _same(run, cs.sample(small_posterior(), **OPTIONS, **options))


def test_a_run_that_was_cut_off_on_its_way_back_equals_one_that_was_not(apart_at_first, tmp_path, monkeypatch):
    """Between what it goes on from, which says that there are no draws, and the draws that are still there."""
    truncate = DrawStore.truncate

    def cut_off(self, draws):
        if draws < self.draw_count:
            raise ConnectionError
        truncate(self, draws)

    with monkeypatch.context() as patch:
        patch.setattr(DrawStore, "truncate", cut_off)
        with pytest.raises(ConnectionError):
            cs.sample(small_posterior(), out=tmp_path / "run", **OPTIONS, **UNTIL)
    between = status(tmp_path / "run")
    assert (between.phase, between.steps) == ("cut off", ROUND + FIRST_LOOK)
    run = cs.sample(small_posterior(), out=tmp_path / "run", resume=True, **OPTIONS, **UNTIL)
    assert run.provenance["draws_given_up"] == FIRST_LOOK
    _same(run, cs.sample(small_posterior(), **OPTIONS, **UNTIL))


@pytest.mark.parametrize(("spent", "warmed_up"), [(0.4, warmup.MOST_ROUNDS * ROUND), (0.6, ROUND)])
def test_half_of_a_time_limit_ends_a_warm_up(monkeypatch, spent, warmed_up):
    """So that there are draws, which say how far chains are from each other."""
    monkeypatch.setattr(warmup.Trace, "settled", lambda *_: False)
    monkeypatch.setattr(warmup.Trace, "apart", lambda *_: True)
    monkeypatch.setattr(rounds, "seconds_spent", lambda *_: spent * 1000)
    options = {**OPTIONS, "sampler": "hmc", "draws": 10, "time_limit": 1000}
    run = cs.sample(small_posterior(), **options)
    assert (run.provenance["warmup_steps"], run.draw_count) == (warmed_up, 10)
    assert run.provenance["settled"] is False
    assert run.provenance["ended"] == "draws"


def test_no_run_goes_back_more_often_than_its_warm_up_has_room_for(monkeypatch):
    monkeypatch.setattr(warmup.Trace, "settled", lambda *_: True)
    monkeypatch.setattr(warmup.Trace, "apart", lambda *_: True)
    run = cs.sample(small_posterior(), **{**OPTIONS, "sampler": "hmc", "draws": 50})
    longest = resolve(small_posterior(), {}).longest_warmup
    assert longest - ROUND - FIRST_LOOK < run.provenance["warmup_steps"] <= longest
    assert run.draw_count == 50
    assert run.provenance["ended"] == "draws"


def test_a_finished_run_goes_on_to_a_new_precision_and_ends_at_its_cap(uninterrupted):
    again = cs.sample(jumping_posterior(), out=uninterrupted.path, resume=True, **OPTIONS, **UNTIL)
    assert again.draw_count == uninterrupted.draw_count
    cap = uninterrupted.draw_count + 7
    options = {**OPTIONS, "until_ess": 1e6, "draws": cap}
    more = cs.sample(jumping_posterior(), out=uninterrupted.path, resume=True, **options)
    assert (more.draw_count, more.provenance["ended"]) == (cap, "draws")


def test_a_look_holds_a_part_of_the_many_at_a_time(monkeypatch):
    """And judges all of them: the one output of the last part that does not move with the others is seen."""
    draws = np.random.default_rng(0).standard_normal((2, 100, 40, 3))
    series = dict.fromkeys(precision._IN_ORDER, draws[:, :, 0, 0]) | {"outputs": draws}
    held = []

    def moving(part):
        held.append(part.shape)
        return convergence.moving(part)

    monkeypatch.setattr(precision, "moving", moving)
    monkeypatch.setattr(precision, "_PART", 2 * 100 * 3 * 16)
    asked = precision.Precision(100.0, 1.05)
    assert asked.reached(series.__getitem__)
    assert held[-3:] == [(2, 100, 16, 3), (2, 100, 16, 3), (2, 100, 8, 3)]
    draws[1, :, -1, -1] += 3
    assert not asked.reached(series.__getitem__)


def test_looks_together_cost_as_much_as_the_last_few():
    looks = [draws for draws in range(1, 2000) if is_look(draws)]
    assert all(sum(looks[:index]) <= 2 * looks[index] for index in range(len(looks)))
    assert all(later <= 1.5 * look + 1 for look, later in itertools.pairwise(looks))


def test_what_is_left_out_is_chosen_and_recorded():
    found = resolve(small_posterior(), {})
    assert (found.start, found.warmup, found.until_ess, found.until_rhat) == ("mixed", None, 100, 1.05)
    assert resolve(small_posterior(), {"draws": 50}).until_ess is None
    assert resolve(small_posterior(), {"until_ess": 400.0}).until_rhat is None
    large = cs.Posterior(cs.tasks.orthogonal(samples=300), cs.Network(width=3000))
    assert resolve(large, {}).draws == 500 < resolve(small_posterior(), {}).draws


@pytest.mark.slow
def test_a_linear_network_is_sampled_until_its_slowest_invariant_is_precise():
    posterior = small_posterior("linear", samples=4, width=4)
    options = {"sampler": "hmc", "chains": 2, "warmup": 60, "until_ess": 150.0, "until_rhat": 1.05, "progress": False}
    run = cs.sample(posterior, **options)
    found = diagnose(run).convergence
    assert run.provenance["ended"] == "precision"
    assert found.ess_min >= 150
    assert found.rhat_max <= 1.05
    # at the look before it was not
    before = max(draws for draws in range(1, run.draw_count) if is_look(draws))
    assert not precision.Precision(150.0, 1.05).reached(lambda name: run.values("posterior", name)[:, :before])
