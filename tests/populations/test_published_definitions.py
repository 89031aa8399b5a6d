"""Abstraction of common data by decodanda, the package of that name for it, where it is installed: no version of it is
among those that the tests pin."""

import numpy as np
import pytest
from planted_populations import FACTORS, factorised
from sklearn.svm import SVC

import codingschemes as cs


@pytest.mark.filterwarnings("ignore")
def test_parallelism_and_ccgp_are_those_of_decodanda():
    """Differences that are meant: decodanda draws trials with replacement before each average, which adds noise (here
    little), and correlates coding directions (Pearson) where here their cosine is taken. Its own decoder shrinks the
    intercept with the weights, so that boundaries stay near the origin of the activities: contexts that lie elsewhere
    along them cost it less. With a free intercept, as here and as published, both agree."""
    decodanda = pytest.importorskip("decodanda")
    activity, labels = factorised(np.random.default_rng(0), trials=40, neurons=80, noise=1.0, parity=0.7)
    values = FACTORS[labels]
    data = {"raster": activity, "side": values[:, 0], "kind": values[:, 1], "trial": np.arange(len(labels))}
    conditions, options = {"side": [-1, 1], "kind": [-1, 1]}, {"verbose": False, "zscore": False}
    theirs = decodanda.Decodanda(data, conditions, classifier=SVC(kernel="linear"), **options)
    np.random.seed(0)  # noqa: NPY002 (decodanda's own generator)
    scores = cs.describe(cs.Population(activity, labels, factors=FACTORS), bootstraps=0, shuffles=0).abstraction
    dichotomies = {"side": [["00", "01"], ["10", "11"]], "kind": [["00", "10"], ["01", "11"]]}
    drawn = [theirs.parallelism_score_dichotomy(each) for each in dichotomies.values() for _ in range(20)]
    assert scores.parallelism.plain == pytest.approx(np.mean(drawn), abs=0.03)
    generalized = np.mean([theirs.CCGP_dichotomy(each, resamplings=5) for each in dichotomies.values()])
    assert scores.ccgp.value == pytest.approx(generalized, abs=0.05)
    assert 0.6 < scores.ccgp.value < 0.99  # neither chance nor perfect
    theirs = decodanda.Decodanda(data, conditions, **options)
    shrunk = np.mean([theirs.CCGP_dichotomy(each, resamplings=3) for each in dichotomies.values()])
    assert shrunk > generalized + 0.05
