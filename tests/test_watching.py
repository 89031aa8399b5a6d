"""Solvers tell how far they are and keep a time limit; unwatched they do neither."""

import pytest

import codingschemes as cs
from codingschemes.errors import TimeLimitReached
from codingschemes.watching import step, steps, watched


def test_steps_are_told_and_unwatched_they_are_plain_items():
    told = []
    with watched(lambda *said: told.append(said)):
        assert list(steps("counting", range(3))) == [0, 1, 2]
    assert told == [("counting", 0, 3), ("counting", 1, 3), ("counting", 2, 3)]
    assert list(steps("counting", range(3))) == [0, 1, 2]
    assert len(told) == 3


def test_a_step_after_the_limit_does_not_begin():
    with watched(lambda *_: None, time_limit=1e-9), pytest.raises(TimeLimitReached, match="while counting .1 of 3"):
        step("counting", 1, 3)
    step("counting", 1, 3)


@pytest.mark.parametrize(
    ("theory", "task"),
    [
        ("mean-field", cs.tasks.orthogonal(samples=8, classes=2)),
        ("mean-field", cs.tasks.digits(samples=8, classes=2)),
        ("global-minimum", cs.tasks.digits(samples=8, classes=2)),
    ],
)
def test_a_long_prediction_stops_at_its_limit(theory, task):
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=10), temperature=1e-2)
    told = []
    with watched(lambda *said: told.append(said), time_limit=1e-9), pytest.raises(TimeLimitReached, match="raise"):
        cs.predict(posterior, theory)
    assert told == []
