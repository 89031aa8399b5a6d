"""Long work: silent unless watched, shown by lines where there is no terminal, stopped at its time limit."""

import itertools
from types import SimpleNamespace

import jax
import pytest
from threadpoolctl import threadpool_info

import codingschemes as cs
from codingschemes import compiled, progress
from codingschemes.errors import InvalidInput, TimeLimitReached
from codingschemes.progress import announce, check_time, tracked, watched
from codingschemes.theory import THEORIES

POSTERIOR = cs.Posterior(cs.tasks.orthogonal(samples=12), cs.Network("sigmoid", width=6), temperature=1e-2)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when the test says so."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def test_loops_are_plain_and_silent_where_nobody_watches(capsys):
    announce("something long", 600.0)
    assert list(tracked(range(3), "counting")) == [0, 1, 2]
    with watched():
        assert list(tracked(iter("ab"), "spelling")) == ["a", "b"]
    check_time("anything")
    assert capsys.readouterr() == ("", "")


def test_lines_say_what_is_done_and_how_far_it_is(capsys, clock):
    with watched(shown=True):
        announce("the whole", 540.0)
        announce("a trifle", 1.0)
        for _ in tracked(range(2), "outer"):
            for _ in tracked(range(3), "inner"):
                clock.seconds += 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "the whole: about 9 minutes",
        "outer",
        "outer (0 of 2), inner (3 of 3)",
        "outer (1 of 2), inner (3 of 3)",
    ]


def test_a_watch_inside_another_is_shown_and_has_the_earlier_limit(capsys, clock):
    with watched(shown=True, time_limit=10.0), watched(time_limit=100.0):
        assert list(tracked(range(1), "in time")) == [0]
        clock.seconds += 10
        with pytest.raises(TimeLimitReached, match="time limit of 10 s was reached while counting"):
            list(tracked(itertools.count(), "counting"))
        with pytest.raises(TimeLimitReached, match="while descending"):
            check_time("descending")
    assert capsys.readouterr().err.splitlines() == ["in time", "counting"]
    assert list(tracked(range(2), "after it")) == [0, 1]


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_limit_that_is_none_is_refused(limit):
    with pytest.raises(InvalidInput, match="number of seconds above 0"):
        cs.predict(POSTERIOR, "lazy", time_limit=limit)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (7.4, "7 seconds"), (44.0, "40 seconds"), (100.0, "2 minutes"), (541.0, "10 minutes"),
     (9000.0, "2.5 hours")],
)  # fmt: skip
def test_durations_in_words(seconds, words):
    assert progress.duration(seconds) == words


@pytest.mark.parametrize(
    ("activation", "options"),
    [
        ("sigmoid", {}),
        ("sigmoid", {"method": "particles"}),
        ("relu", {}),
        ("sigmoid", {"theory": "global-minimum"}),
        ("relu", {"theory": "global-minimum"}),
    ],
)
def test_every_solver_stops_at_a_limit(activation, options):
    posterior = cs.Posterior(POSTERIOR.task, cs.Network(activation, width=6), temperature=1e-2)
    with pytest.raises(TimeLimitReached, match="raise `time_limit`"):
        cs.predict(posterior, **options, time_limit=1e-6)


@pytest.mark.parametrize(
    ("activation", "theory", "estimate"),
    [
        ("sigmoid", "mean-field", "mean field by particles: about"),
        ("relu", "mean-field", "mean field of ReLU at correlated inputs: about"),
        ("sigmoid", "global-minimum", "global minimum by the solver: about"),
    ],
)
def test_solvers_of_images_say_first_how_long_they_take(activation, theory, estimate, capsys):
    posterior = cs.Posterior(cs.tasks.digits(samples=99), cs.Network(activation, width=6), temperature=1e-2)
    with watched(shown=True), pytest.raises(TimeLimitReached):
        cs.predict(posterior, theory, time_limit=1e-6)
    assert capsys.readouterr().err.startswith(estimate)


def test_solvers_have_one_thread_each(monkeypatch):
    """With more, the small solves that they consist of take several times as long."""
    threads = []

    def probe(_):
        threads.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")
        raise InvalidInput("seen")

    monkeypatch.setitem(THEORIES._entries, "probe", probe)
    with pytest.raises(InvalidInput, match="seen"):
        cs.predict(POSTERIOR, "probe")
    assert threads
    assert set(threads) == {1}


def test_compiling_is_announced_with_what_it_took_last(capsys, tmp_path, monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(compiled, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))

    def said(name: str, **facts) -> str:
        with watched(shown=True), compiled.compiling(name, 30.0, **facts):
            now.seconds += 41
        return capsys.readouterr().err.strip()

    try:
        assert said("codes", shapes=[3]) == "compiling codes, once for this size: about 30 seconds"
        assert "compiled before for this size" in said("codes", shapes=[3])
        assert said("codes", shapes=[4]) == "compiling codes, once for this size: about 40 seconds"
        assert said("hmc", shapes=[4]) == "compiling hmc, once for this size: about 30 seconds"
        for shape, damaged in enumerate(('{"programs": []', '{"programs": [], "samplers": 3}', "[]"), 5):
            (tmp_path / "seconds.json").write_text(damaged)
            assert said("codes", shapes=[shape]) == "compiling codes, once for this size: about 30 seconds"
        assert [each.name for each in tmp_path.iterdir()] == ["seconds.json"]
        with pytest.raises(RuntimeError), compiled.compiling("codes", 30.0, shapes=[9]):
            raise RuntimeError
        assert "compiling codes" in said("codes", shapes=[9])  # what failed is not compiled
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
