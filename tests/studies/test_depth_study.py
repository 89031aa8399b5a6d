"""How alike draws are, and claims that follow from planted layers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ortho_group

from codingschemes.errors import InvalidInput
from codingschemes.studies import DepthStudy
from codingschemes.studies.depth import claims
from codingschemes.studies.depth.figures import figures, shown
from codingschemes.studies.layer_figures import KernelPair
from codingschemes.studies.layers import unlike

SMALL = DepthStudy("digits", samples=12, width=10)


def test_permutations_and_rotations_of_neurons_are_told_apart():
    rng = np.random.default_rng(0)
    network = rng.exponential(size=(8, 12))
    permuted = np.stack([[network[rng.permutation(8)] for _ in range(2)] for _ in range(4)])
    by_permutation, by_rotation = unlike(permuted)
    np.testing.assert_allclose([by_permutation, by_rotation], 0, atol=1e-6)
    turned = np.stack([[ortho_group.rvs(8, random_state=rng) @ network for _ in range(2)] for _ in range(4)])
    by_permutation, by_rotation = unlike(turned)
    np.testing.assert_allclose(by_rotation, 0, atol=1e-6)
    assert by_permutation.min() > 0.3


def test_jobs_are_all_points_once():
    jobs = SMALL.jobs(Path("runs"))
    assert len({job.name for job in jobs}) == len(jobs) == 3 * (3 + 2)
    assert {job.posterior.network.depth for job in jobs} == {1, 2, 3}


def planted(stays: float) -> pd.DataFrame:
    """Two layers that collapse by ten, of which the first of sigmoid networks forgets, and the last is remembered."""
    rows = []
    for activation, depth, temperature in [
        *((each, 1, temperature) for each in ("linear", "sigmoid") for temperature in (1e-3, 1e-2)),
        ("linear", 2, 1e-3),
        ("sigmoid", 2, 1e-3),
    ]:
        for layer in range(1, depth + 1):
            last = activation == "sigmoid" and layer == depth
            for chain, aside in enumerate((-1, 1, -1, 1)):
                noise = 0.005 * aside
                rows.append(
                    {
                        "activation": activation,
                        "depth": depth,
                        "temperature": temperature,
                        "layer": layer,
                        "chain": chain,
                        "scheme": "redundant",
                        "codes": "10 1.00",
                        "effective": 10.0,
                        "within": 0.5 / layer + noise,
                        "nc1": 10.0 ** (-layer + noise),
                        "drift": (stays if last else 0.2) + noise,
                        "permutation": (0.2 if activation == "sigmoid" else 0.8) + 10 * temperature + noise,
                        "rotation": 0.1,
                        "kernel_apart": 0.02 * layer + noise,
                        "certified": activation == "sigmoid" or None,
                    }
                )
    return pd.DataFrame(rows)


def test_verdicts_follow_from_the_layers():
    table = planted(stays=0.98)
    found = {claim.claim: claim for claim in claims.claims(table)}
    assert {claim.verdict for claim in found.values()} == {"holds"}
    assert len(found) == 9
    sharpen = found["Codes of sigmoid networks sharpen with depth"]
    assert (sharpen.sampled, sharpen.error) == (pytest.approx(0.25), pytest.approx(0, abs=1e-12))
    assert found["Linear networks collapse further from layer to layer"].sampled == pytest.approx(1)
    remembered = found["The last layer of sigmoid networks does not drift"]
    assert (remembered.sampled, remembered.error) == (pytest.approx(0.98), pytest.approx(0.005 / 3**0.5))
    kernels = found["Kernels of sigmoid networks are those of theory, layer by layer"]
    assert kernels.sampled == pytest.approx(0.04)
    assert "4 layers" in kernels.measured
    moving = {claim.claim: claim.verdict for claim in claims.claims(planted(stays=0.5))}
    assert moving["The last layer of sigmoid networks does not drift"] == "does not hold"


def test_drift_of_relu_networks_is_judged_with_their_scheme_at_hand():
    """Sparse and remembered with one layer at the lowest temperature, neither with two."""
    table = planted(stays=0.98)
    relu = table[table.activation == "sigmoid"].assign(activation="relu", certified=None, scheme="undecided")
    relu.loc[(relu.depth == 1) & (relu.temperature == 1e-3), "scheme"] = "sparse"
    relu.loc[(relu.depth == 1) & (relu.temperature == 1e-2), "drift"] = 0.0
    relu.loc[relu.depth == 2, "drift"] = 0.1
    found = [each for each in claims.claims(pd.concat([table, relu])) if each.claim == "ReLU networks do not drift"]
    deep, single = found
    assert "last of 2 hidden layers, undecided at T = 0.001" in deep.measured
    assert (deep.sampled, deep.verdict) == (pytest.approx(0.1), "does not hold")
    assert "one hidden layer, sparse at T = 0.001" in single.measured
    assert (single.sampled, single.verdict) == (pytest.approx(0.98), "holds")
    nearer = [each for each in claims.claims(pd.concat([table, relu])) if "nearer to permutations" in each.claim]
    assert [each.verdict for each in nearer] == ["holds", "holds"]


def test_theory_without_a_certificate_is_drawn_white_and_said():
    table = planted(stays=0.98)
    table["certified"] = [activation == "linear" for activation in table.activation]
    kernels = {(each, 2): [KernelPair(np.eye(4), np.eye(4))] * 2 for each in ("linear", "sigmoid")}
    drawn = figures(table, kernels)
    names = [axis.get_ylabel() for axis in drawn["kernels"].figure.axes if axis.get_ylabel()]
    assert names == ["Linear", "Sigmoid\n(no certificate)"]
    apart = drawn["by_layer"].figure.axes[-2:]
    white = [[line for line in axis.lines if line.get_markerfacecolor() == "white"] for axis in apart]
    assert [sum(len(line.get_xdata()) for line in lines) for lines in white] == [0, 1 + 2]


def test_layers_without_theory_are_drawn_and_listed():
    table = planted(stays=0.98)
    kernels = {
        ("linear", 2): [KernelPair(np.eye(4), None)] * 2,
        ("sigmoid", 2): [KernelPair(np.eye(4), -np.eye(4))] * 2,
    }
    drawn = figures(table, kernels)
    assert list(drawn) == ["by_layer", "kernels", "likeness_of_draws"]
    titles = [axis.get_title(loc="left") for axis in drawn["kernels"].figure.axes[:4]]
    assert titles == [f"layer {layer}\n{which}" for layer in (1, 2) for which in ("sampled", "predicted")]
    assert len(shown(table)) == 1 + 4 + 4


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"dataset": "letters"}, "choose one of mnist, digits, cifar10"),
        ({"depths": (2, 3)}, "`depths` with 1"),
        ({"chains": 1}, "two `chains`"),
        ({"temperature": 0.5}, "choose one of `temperatures`"),
    ],
)
def test_what_cannot_be_studied_is_refused(sizes, words):
    with pytest.raises(InvalidInput, match=words):
        replace(SMALL, **sizes)
