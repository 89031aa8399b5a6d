"""A run set against predictions with planted values: what agrees agrees, what was shifted is off by the shift."""

import dataclasses
import json

import numpy as np
import pytest
from known_answers import unclassified

import codingschemes as cs
import codingschemes.comparison.comparison as comparison_module
from codingschemes.coding.codes import find_codes
from codingschemes.coding.neurons import read_neurons
from codingschemes.comparison import compare
from codingschemes.comparison.quantities import _ratio, code_fractions
from codingschemes.diagnostics import mean_and_error
from codingschemes.reports.theory import agreement, table
from codingschemes.theory import Assumption, Certificate, NeuronGroup, Prediction, choose

EXACT = Certificate(gap=0.0, tolerance=1e-6, meaning="planted")


@pytest.fixture(scope="module")
def run():
    # the shapes of the reports' run: compiled once for both
    task = cs.tasks.orthogonal(samples=24, ratios=[0.5, 0.25, 0.25])
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=12), temperature=1e-3)
    return cs.sample(posterior, sampler="hmc", warmup=60, draws=60, chains=2, progress=False)


@pytest.fixture(scope="module")
def planted(run):
    """A prediction of exactly what the run has sampled."""
    neurons = read_neurons(run)
    found = neurons.populations
    bits = found.activity > 0.5
    groups = []
    for code in np.unique(bits.reshape(-1, 3), axis=0):
        member = (bits == code).all(axis=-1)
        groups.append(
            NeuronGroup(
                name="".join("01"[int(bit)] for bit in code),
                count=float(member.sum(axis=-1).mean()),
                activity=found.activity[member].mean(axis=0),
                readout=found.readout[member].mean(axis=0),
                preactivation=np.zeros(3),
            )
        )
    assert groups
    return Prediction(
        theory="planted",
        posterior=run.posterior,
        outputs=run.values("posterior", "outputs").mean(axis=(0, 1)),
        kernel=neurons.kernels[-1],
        certificate=EXACT,
        energy=float(run.values("posterior", "energy").mean()),
        codes=tuple(groups),
    )


def test_what_was_sampled_agrees_with_itself(run, planted):
    rows = compare(run, planted).rows
    assert {"energy", "training error", "output 0 for class 0", "kernel within class 1"} <= {r.quantity for r in rows}
    assert any(row.quantity.startswith("neurons with code") for row in rows)
    for row in rows:  # activities are stored in single precision
        assert row.sampled == pytest.approx(row.predicted, rel=1e-5, abs=1e-6), row


def test_a_shifted_prediction_is_off_by_the_shift_in_units_of_the_error(run, planted):
    shifted = dataclasses.replace(planted, outputs=planted.outputs + 0.1, energy=planted.energy * 2)
    rows = {row.quantity: row for row in compare(run, shifted).rows}
    row = rows["output 0 for class 0"]
    series = run.values("posterior", "outputs")[:, :, run.posterior.task.labels == 0, 0].mean(axis=2)
    assert row.mcse == pytest.approx(float(mean_and_error(series)[1]))
    assert row.z == pytest.approx(-0.1 / row.mcse)
    assert rows["energy"].relative_error == pytest.approx(-0.5)
    deviation, _ = compare(run, shifted).deviation("output")
    predicted = [row.predicted for name, row in rows.items() if name.startswith("output")]
    assert deviation == pytest.approx(0.1 / np.sqrt(np.mean(np.square(predicted))))


def test_means_over_neurons_survive_draws_without_any():
    """The ratio of totals, and an error that simulation confirms."""
    rng = np.random.default_rng(0)
    count = rng.poisson(0.7, size=(400, 4, 50, 1))
    total = count * 2.0 + np.sqrt(count) * rng.normal(size=count.shape)
    found = [mean_and_error(_ratio(t, c)) for t, c in zip(total, count, strict=True)]
    means, errors = np.array([[mean[0], error[0]] for mean, error in found]).T
    assert abs(means.mean() - 2) < 4 * means.std() / np.sqrt(400)
    assert errors.mean() == pytest.approx(means.std(), rel=0.15)


def test_fractions_of_codes_add_up_to_one(run):
    assert sum(code_fractions(find_codes(read_neurons(run).populations, (0.0, 1.0))).values()) == pytest.approx(1)


def test_codes_of_less_than_half_a_neuron_are_not_given(run):
    codes = find_codes(read_neurons(run).populations, (0.0, 1.0))
    assignment = np.zeros((2, 60, 12), int)
    assignment[..., :4] = 1
    assignment[0, :30, 0] = 2  # a neuron in a quarter of the draws
    held = dataclasses.replace(codes, names=("110", "101", "010"), assignment=assignment)
    given = code_fractions(held)
    assert given == pytest.approx({"110": 8 / 11.75, "101": 3.75 / 11.75})


@pytest.mark.slow
def test_codes_that_the_theory_refuses_are_named_and_left_out(run, monkeypatch):
    sampled = {"110": 0.4, "101": 0.3, "011": 0.2, "000": 0.1}
    monkeypatch.setattr(comparison_module, "_frozen_fractions", lambda *_: sampled)
    comparison = compare(run)
    assert comparison.conditional
    shares = {group.name: group.count / 12 for group in comparison.prediction.codes}
    assert shares == pytest.approx({"110": 4 / 9, "101": 3 / 9, "011": 2 / 9}, abs=1e-6)
    assert any(note.endswith("not given to it: 000 (0.1)") for note in comparison.notes)
    monkeypatch.setattr(comparison_module, "_frozen_fractions", lambda *_: {"000": 1.0})
    none = compare(run)
    assert not none.conditional
    assert any("shares of equilibrium" in note for note in none.notes)


def test_of_a_regression_no_errors_are_compared():
    # as in tests/runs/test_arviz.py: compiled once for both
    regression = unclassified(np.linspace(0, 1, 16).reshape(8, 2))
    run = cs.sample(regression, sampler="hmc", warmup=2, draws=4, chains=2, progress=False)
    names = [row.quantity for row in compare(run, theory="lazy").rows]
    assert names
    assert "training error" not in names


def test_the_neurons_are_read_once(run, monkeypatch):
    reads = []
    monkeypatch.setattr(comparison_module, "read_neurons", lambda run: reads.append(run) or read_neurons(run))
    compare(run)
    assert len(reads) == 1


def test_doubts_are_told(run, planted):
    doubtful = dataclasses.replace(
        planted,
        certificate=Certificate(gap=0.5, tolerance=1e-3, meaning="duality gap"),
        assumptions=(Assumption("Inputs are orthogonal.", False), Assumption("one hidden layer", True)),
    )
    comparison = compare(run, doubtful)
    assert len(comparison.notes) == 2
    assert "not certified" in comparison.notes[0]
    assert comparison.notes[1] == "broken assumption: Inputs are orthogonal"
    json.dumps(comparison.to_json())


def test_a_prediction_of_something_else_is_refused(run, planted):
    other = cs.Posterior(run.posterior.task, run.posterior.network, temperature=2e-3)
    with pytest.raises(cs.InvalidInput, match="another posterior"):
        compare(run, dataclasses.replace(planted, posterior=other))


def test_what_a_theory_was_given_is_not_compared(run, planted):
    shifted = tuple(dataclasses.replace(group, count=group.count + 1) for group in planted.codes)
    free = dataclasses.replace(planted, codes=shifted)
    given = dataclasses.replace(free, conditional=True)
    counted = {row.quantity: row for row in compare(run, free).rows}
    comparison = compare(run, given)
    assert comparison.conditional
    for row in comparison.rows:
        is_share = row.quantity.startswith("neurons with code")
        assert row.given == is_share
        if is_share:
            assert np.isnan(row.z)
            assert np.isnan(row.relative_error)
            assert not counted[row.quantity].given
            assert np.isfinite(counted[row.quantity].relative_error)
    assert "neurons" in compare(run, free).deviations()
    assert "neurons" not in comparison.deviations()
    assert all(code["given"] for code in given.to_json()["codes"])
    assert any(row[2].endswith("(given)") for row in table(comparison))
    legend = [text.get_text() for text in agreement(comparison).legends[0].get_texts()]
    assert "given to the theory, not predicted" in legend
    assert len(agreement(compare(run, free)).legends[0].get_texts()) == len(legend) - 1


def test_the_theory_is_chosen_and_its_scheme_set_beside_the_sampled_one(run):
    comparison = compare(run)
    assert comparison.prediction.theory == "mean-field"
    assert comparison.notes[0] == choose(run.posterior).reason
    both = comparison.to_json()["scheme"]
    assert both["sampled"]["label"] == comparison.scheme.label
    assert both["predicted"]["label"] == comparison.prediction.scheme.label
    assert both["predicted"]["reason"] in comparison.scheme_words
    lazy = compare(run, theory="lazy")
    assert lazy.scheme is None
    assert "scheme" not in lazy.to_json()
    assert not lazy.scheme_words
