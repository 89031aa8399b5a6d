"""A task, a theory and a metric from outside the package, by one line each, through what reads them. Activations and
samplers have tests of their own (`test_foreign_activations.py`, `samplers/test_own_samplers.py`)."""

import numpy as np
import pytest

import codingschemes as cs
from codingschemes.populations.measures import MEASURES, Measure
from codingschemes.reports.distances import draw_distances
from codingschemes.tasks import TASKS, Task, TaskEntry, make_task
from codingschemes.tasks.options import reads_options
from codingschemes.tasks.task import no_test_samples
from codingschemes.theory import THEORIES, Assumption, Certificate, Prediction

pytestmark = pytest.mark.usefixtures("without_type_checks")


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """What a test registers is gone after it."""
    for registry in (TASKS, THEORIES, MEASURES):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))


@reads_options
def signs(samples: int = 6, preprocess: str = "none", seed: int = 0) -> Task:
    """One input a sample, whose sign is to be told."""
    inputs = np.random.default_rng(seed).normal(size=(samples, 1))
    labels = np.arange(samples) % 2
    return Task(
        name="signs",
        inputs=np.where(labels[:, None] == 1, 1, -1) * np.abs(inputs),
        targets=2.0 * labels[:, None] - 1,
        labels=labels,
        class_names=("-", "+"),
        target_names=("sign",),
        factors=np.array([[-1.0], [1.0]]),
        **no_test_samples(features=1, outputs=1),
    )


def test_a_task():
    TASKS.register("signs", TaskEntry(signs, scaling="none"))
    task = make_task("signs", samples=4, seed=3)
    assert np.array_equal(np.sign(task.inputs), task.targets)
    again = make_task(task.name, **task.provenance["options"])
    np.testing.assert_array_equal(again.inputs, task.inputs)
    for wrong, words in (
        (lambda: make_task("sings"), "there is no task 'sings': did you mean 'signs'"),
        (lambda: make_task("signs", classes=2), "the task signs does not take `classes`: it takes `samples`"),
        (lambda: make_task("signs", samples=0), "`samples` takes a whole number of at least 1, not 0"),
        (lambda: signs(sample=4), "unknown keyword 'sample' of signs: did you mean 'samples'"),
    ):
        with pytest.raises(cs.InvalidInput, match=words):
            wrong()


def interpolation(posterior: cs.Posterior, *, error: float = 0.0) -> Prediction:
    """The network gives the targets, which is so at T = 0 where it can."""
    return Prediction(
        theory="interpolation",
        posterior=posterior,
        outputs=posterior.task.targets,
        kernel=None,
        certificate=Certificate(gap=error, tolerance=1e-6, meaning="error", bounds={}),
        assumptions=(Assumption("The temperature is 0.", posterior.prior.temperature == 0),),
    )


def test_a_theory():
    THEORIES.register("interpolation", interpolation)
    posterior = cs.Posterior(signs(), cs.Network("tanh", width=4), temperature=0.1)
    prediction = cs.predict(posterior, "interpolation")
    assert prediction.to_json()["theory"] == "interpolation"
    assert prediction.certificate.holds
    assert not cs.predict(posterior, "interpolation", error=1.0).certificate.holds
    with pytest.raises(cs.InvalidInput, match="keyword 'eror' of the interpolation theory: did you mean 'error'"):
        cs.predict(posterior, "interpolation", eror=1.0)
    with pytest.raises(cs.InvalidInput, match="no theory 'interpolate': did you mean 'interpolation'"):
        cs.predict(posterior, "interpolate")


def test_a_metric():
    """Beside the package's own in every comparison and its figure."""

    def size_ratio(one, other):
        return float(np.linalg.norm(one) / np.linalg.norm(other))

    MEASURES.register("size_ratio", Measure(size_ratio, same=1.0, title="ratio of sizes"))
    activity = np.random.default_rng(0).normal(size=(8, 5))
    labels = np.arange(8) % 2
    found = cs.populations.distances([cs.Population(activity, labels), cs.Population(2 * activity, labels)])
    np.testing.assert_allclose(found.values["size_ratio"], [[1, 0.5], [0.5, 1]])
    np.testing.assert_allclose(found.values["procrustes"], 0, atol=1e-6)
    assert "ratio of sizes" in [axis.get_title("left") for axis in draw_distances(found).axes]
