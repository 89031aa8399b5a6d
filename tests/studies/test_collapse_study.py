"""Collapse of planted networks, and claims that follow from planted layers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.posterior import Posterior
from codingschemes.studies import CollapseStudy
from codingschemes.studies.collapse import claims
from codingschemes.studies.collapse.figures import figures, shown
from codingschemes.studies.collapse.measures import code_rows, collapse_rows, fitted
from codingschemes.studies.layer_figures import KernelPair
from codingschemes.tasks import make_task
from codingschemes.theory import predict

SMALL = CollapseStudy("digits", samples=12, width=10)
TASK = make_task("orthogonal", samples=12, ratios=(0.5, 0.25, 0.25))


def coded(noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two chains of three networks of twelve neurons, four of which answer to each class."""
    bits = np.repeat(np.eye(3), 4, axis=0)
    activity = np.clip(0.02 + 0.96 * bits[:, TASK.labels] + noise * rng.normal(size=(2, 3, 12, 12)), 0, 1)
    return activity[:, :, None], np.broadcast_to(bits + noise * rng.normal(size=(2, 3, 12, 3)), (2, 3, 12, 3))


def test_collapsed_networks_have_the_numbers_of_an_orthogonal_frame():
    activity, readout = coded(0.0, np.random.default_rng(0))
    for row in collapse_rows(activity, readout, TASK):
        measured = [row[name] for name in ("nc1", "within", "nc2_norms", "nc2_simplex", "permutation", "rotation")]
        np.testing.assert_allclose(measured, 0, atol=1e-7)
        # class means are what readouts are, but for the part that all classes share: 2 - 2 cos
        assert row["nc3"] == pytest.approx(2 - 2 * (2 / 3) ** 0.5)


def test_codes_alone_keep_the_geometry_and_lose_what_is_within_classes():
    posterior = Posterior(TASK, Network("sigmoid", width=12), temperature=1e-3)
    networks = coded(0.02, np.random.default_rng(0))
    sampled, codes = list(collapse_rows(*networks, TASK)), list(code_rows(*networks, posterior))
    assert len(codes) == 2
    for own, alone in zip(sampled, codes, strict=True):
        assert own["within"] > 1e-4
        assert alone["within"] < 1e-20
        assert alone["nc3"] == pytest.approx(own["nc3"], abs=0.02)
    without = np.random.default_rng(1).uniform(size=networks[0].shape)
    assert not list(code_rows(without, networks[1], posterior))


def test_fitted_linear_networks_are_exact_draws_given_their_readouts():
    """Given readouts, outputs are Gaussian: in every direction with prior variance c and target y, the squared distance
    of the outputs from the targets is T c / (c + T) + (T y / (c + T))^2 on average."""
    temperature = 1e-2
    prediction = predict(Posterior(TASK, Network("linear", width=30, depth=2), temperature=temperature), "mean-field")
    rng, scale = np.random.default_rng(0), prediction.posterior.network.readout_scale
    assert prediction.neurons is not None
    readout = prediction.neurons.readout[rng.integers(len(prediction.neurons.readout), size=(100, 30))]
    activity = fitted(prediction, readout, rng)
    missed = scale * np.einsum("knp,knc->kpc", activity, readout) - TASK.targets
    values, vectors = np.linalg.eigh(prediction.lower_kernels[-1])
    expected = []
    for each in scale * readout:
        sizes, axes = np.linalg.eigh(each.T @ each)
        prior = values[:, None] * sizes
        wanted = vectors.T @ TASK.targets @ axes
        expected.append(
            np.mean(temperature * prior / (prior + temperature) + (temperature * wanted / (prior + temperature)) ** 2)
        )
    assert np.mean(missed**2) == pytest.approx(np.mean(expected), rel=4 * (2 / missed.size) ** 0.5)


def planted(steps: float) -> pd.DataFrame:
    """Two layers of two activations at two temperatures; NC1 falls by 10 to the `steps` from layer to layer. Theory is
    right."""
    rows = []
    for activation in ("linear", "sigmoid"):
        for temperature in (1e-3, 1e-2, np.inf):
            for source in ("prior",) if np.isinf(temperature) else ("sampled", "theory", "codes"):
                for layer in (1, 2) if source in ("sampled", "prior") else (2,):
                    for chain, aside in enumerate((-1, 1, -1, 1)):
                        noise = 0.001 * aside
                        rows.append(
                            {
                                "inputs": "orthogonal",
                                "activation": activation,
                                "temperature": temperature,
                                "source": source,
                                "layer": layer,
                                "chain": chain,
                                "scheme": "redundant",
                                "trust": "converged",
                                "certified": source == "theory" or None,
                                "nc1": 10.0 ** (-steps * layer + noise) * min(temperature, 1) * 100,
                                "within": 0.02 + noise,
                                **dict.fromkeys(claims.GEOMETRY, 0.1 + noise),
                                "permutation": (0.2 if activation == "sigmoid" else 0.8) + min(temperature, 1) + noise,
                                "rotation": 0.1 + noise / 2,
                                "alike": 0.95 + noise,
                                "target": 0.9,
                            }
                        )
    return pd.DataFrame(rows)


def test_verdicts_follow_from_the_layers():
    found = {claim.claim: claim for claim in claims.claims(planted(1.0), "digits")}
    assert {claim.verdict for claim in found.values()} == {"holds"}
    assert found["Linear networks collapse further from layer to layer"].sampled == pytest.approx(-1)
    assert found["Heat undoes the collapse of sigmoid networks"].sampled == pytest.approx(1)
    assert found["NC1 of linear networks is theory's"].sampled == pytest.approx(0.001)
    flat = {claim.claim: claim.verdict for claim in claims.claims(planted(-0.5), "digits")}
    assert flat["Sigmoid networks collapse further from layer to layer"] == "does not hold"


def test_temperatures_without_convergence_are_left_to_the_figures():
    table = planted(1.0)
    table.loc[(table.temperature == 1e-3) & (table.activation == "sigmoid"), "trust"] = "not converged"
    said = [claim.measured for claim in claims.claims(table, "digits")]
    assert said
    assert not any("0.001" in words for words in said)
    table.trust = "not converged"
    assert any("0.001" in claim.measured for claim in claims.claims(table, "digits"))


def test_settings_without_theory_are_drawn_and_listed():
    table = planted(1.0)
    table = table[(table.source != "theory") | (table.activation == "linear")]
    kernels = {
        ("orthogonal", each, t): [KernelPair(np.eye(4), None)] * 2 for each in ("linear", "sigmoid") for t in (1e-3,)
    }
    drawn = figures(table, kernels)
    assert list(drawn) == ["along_temperature", "kernels", "kernels_alike", "likeness_of_draws"]
    assert len(shown(table)) == 1 + 2 * (2 * 3 + 2) + 2 * 2 - 2


def test_jobs_are_all_points_once():
    jobs = SMALL.jobs(Path("runs"))
    assert len({job.name for job in jobs}) == len(jobs) == 3 * (3 + 3)
    assert not any("digits" in job.name for job in replace(SMALL, image_temperatures=()).jobs(Path("runs")))


@pytest.mark.parametrize(
    ("sizes", "words"),
    [({"dataset": "letters"}, "choose one of mnist, digits, cifar10"), ({"chains": 1}, "two `chains`")],
)
def test_what_cannot_be_studied_is_refused(sizes, words):
    with pytest.raises(InvalidInput, match=words):
        replace(SMALL, **sizes)
