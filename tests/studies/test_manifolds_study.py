"""Parts of the study on planted cases, and claims that follow from planted numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.manifolds import Neurons, classify, descend
from codingschemes.networks import ACTIVATIONS
from codingschemes.studies import ManifoldsStudy
from codingschemes.studies.manifolds import claims
from codingschemes.studies.manifolds.figures import figures, shown
from codingschemes.studies.manifolds.gated import GATED, LOOKS, NEURONS, SINES, growing, lesson, students
from codingschemes.studies.manifolds.training import long_path, parity_problem, training_rows
from codingschemes.tasks import make_task

SMALL = ManifoldsStudy()


def test_a_student_of_a_gated_unit_follows_a_channel_to_where_it_is_one():
    sigma, rng = ACTIVATIONS["tanh"], np.random.default_rng(1)
    learned = lesson(GATED, sigma, rng)
    found = students(learned, sigma, 2, rng)
    (pair,) = growing(found, classify(sigma))
    error = found[-1][1]
    assert error < 1e-6
    # what is missing is of second order in the gap
    assert pair.product == pytest.approx(2 * learned.gate, rel=0.01)


def test_a_student_of_two_neurons_is_they():
    sigma, rng = ACTIVATIONS["tanh"], np.random.default_rng(1)
    found = students(lesson(NEURONS, sigma, rng), sigma, 2, rng)
    assert found[-1][1] < 1e-20
    assert not growing(found, classify(sigma))


TASK = make_task("digits", samples=20, classes=["3", "8"], seed=0)


def test_stages_of_a_long_path_are_one_training():
    problem = parity_problem(TASK, "relu")
    assert set(np.asarray(problem.targets).ravel()) == {-1.0, 1.0}
    products = np.asarray(problem.inputs[:, :-1] @ problem.inputs[:, :-1].T) * TASK.inputs.shape[1]
    np.testing.assert_allclose(products, TASK.inputs @ TASK.inputs.T, atol=1e-9)
    rng = np.random.default_rng(0)
    start = Neurons(0.1 * rng.normal(size=(10, 1)), 0.1 * rng.normal(size=(10, problem.inputs.shape[1])))
    path = long_path(problem, start, "gd", 1e-3, 60)
    assert path.step.tolist() == [0, 10, 20, 30, 45, 60, 75]
    whole = descend(problem, start, "gd", rate=1e-3, steps=75, snapshots=3)
    np.testing.assert_allclose(path.neurons.weight[-1], whole.neurons.weight[-1], atol=1e-12)
    np.testing.assert_allclose(path.loss[-1], whole.loss[-1])


def test_small_relu_weights_come_to_a_manifold_and_large_ones_do_not():
    small, large = (pd.DataFrame(training_rows(TASK, "relu", size, 10, 2000, 0)) for size in (1e-4, 1.0))
    assert small.nearest_few.iloc[-1] < 0.1
    assert large.nearest_few.min() > 0.3
    assert small.loss.iloc[-1] < 0.1 * small.loss.iloc[0]


def planted(wrong: bool = False) -> pd.DataFrame:
    """All parts: small weights condense, ReLU to a manifold; twice as many neurons have as many codes; channels have
    their limit; small students recover. Or none of it."""
    rows = []
    for activation in ("tanh", "relu"):
        for size in (1e-4, 1.0):
            for seed in range(4):
                condensed = size < 1 and not wrong
                for step, few in ((0, 30), (10, 2 if condensed else 30), (100, 6 if condensed else 30)):
                    near = 0.01 if condensed and activation == "relu" and step else 0.4
                    near = 0.4 - near if wrong else near
                    row = {"part": "training", "activation": activation, "size": size, "seed": seed, "step": step}
                    row |= {
                        "loss": 1 / (1 + step),
                        "strict": 30,
                        "blocks": "20, 10",
                        "direction": few,
                        "nearest_few": near,
                    }
                    rows.append({**row, "channels": np.nan if activation == "relu" else 0})
    for width in (20, 40):
        for source in ("posterior", "prior", "trained"):
            for chain in range(4):
                first = {"nearest": {"posterior": 0.03, "prior": 0.1, "trained": 1e-15}[source], "channels": 0.0}
                for level in ("codes", "activities", "seen weights", "weights"):
                    for tolerance in np.geomspace(1e-2, 1.0, 9):
                        distinct = width if level == "weights" or wrong else 5 + 0.1 * (-1) ** chain
                        row = {"part": "redundancy", "width": width, "source": source, "chain": chain, "level": level}
                        rows.append({**row, "tolerance": tolerance, "distinct": distinct, **first})
                        first = {}
    for teacher in (GATED, NEURONS, SINES):
        for seed in range(8):
            there = (teacher == GATED) != wrong or (teacher == SINES and seed < 7)
            for look, gap in zip(LOOKS, (0.4, 0.2, 0.1, 0.05), strict=True):
                row = {"part": "channels", "activation": "tanh", "teacher": teacher, "seed": seed, "step": look}
                row["loss"] = 1e-1 * gap**4 if teacher == GATED else 1e-9
                if there:
                    row |= {"apart": 2 / gap, "gap": gap, "product": 1.0 + 1e-3 * (-1) ** seed}
                if look == LOOKS[-1]:
                    row |= {"channels": int(there), "from_unit": 1e-3 * (1 + seed) if there else np.nan}
                rows.append(row)
    for size in (1e-6, 0.5):
        for samples in (12, 24):
            for seed in range(4):
                error = (0.02 if samples == 24 else 0.5) * (1 + 0.1 * seed) if (size < 0.1) != wrong else 3.0
                row = {"part": "recovery", "size": size, "samples": samples, "seed": seed, "test_error": error}
                rows.append({**row, "training_error": 0.0, "fewest": 3})
    return pd.DataFrame(rows)


def test_verdicts_follow_from_the_parts():
    found = {claim.claim: claim for claim in claims.claims(planted(), (1e-4, 1.0))}
    assert {claim.verdict for claim in found.values()} == {"holds"}
    assert len(found) == 6 + 5 + 7 + 3
    assert found["Redundancy: wider networks have no more codes"].sampled == pytest.approx(1)
    slope = found["The loss in a channel falls with the fourth power of the distance of weights"]
    assert slope.sampled == pytest.approx(4)
    wrong = {claim.claim: claim.verdict for claim in claims.claims(planted(wrong=True), (1e-4, 1.0))}
    for said in (
        "Directions of tanh neurons condense when training starts from small weights",
        "Redundancy: wider networks have no more codes",
        "What two neurons can fit, they fit outside of channels",
        "From large weights it does not",
    ):
        assert wrong[said] == "does not hold"


def test_all_parts_are_drawn_and_listed():
    table = planted()
    drawn = figures(table, (1e-4, 1.0))
    assert list(drawn) == ["training", "redundancy", "channels", "recovery"]
    heads, *rows = shown(table)
    assert {len(row) for row in rows} == {len(heads)}
    assert ["channels", f"tanh, {GATED}", "share of students in one", "1"] in rows


def test_jobs_are_one_a_width():
    assert [job.posterior.network.width for job in SMALL.jobs(Path("runs"))] == [25, 50]


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"dataset": "cifar10"}, "that of digits or mnist"),
        ({"sizes": (1.0, 1e-4)}, "a small one and a large one"),
        ({"widths": (50,)}, "give two, the smaller first"),
        ({"starts": 0}, "nothing to study"),
    ],
)
def test_what_cannot_be_studied_is_refused(sizes, words):
    with pytest.raises(InvalidInput, match=words):
        replace(SMALL, **sizes)
