"""Which theory is chosen for a posterior, before anything is solved."""

import numpy as np
import pytest

import codingschemes as cs
from codingschemes.theory import choose


def posterior(activation="sigmoid", *, correlated=False, classes=3, samples=12, tests=0, **network):
    task = cs.tasks.orthogonal(samples=samples, classes=classes, test=tests)
    if correlated:
        task = task.with_inputs(task.inputs + task.inputs[:1], task.test_inputs, "one of the inputs added to all")
    return cs.Posterior(task, cs.Network(activation, width=50, **network), temperature=1e-3)


@pytest.mark.parametrize(
    ("options", "theory", "said"),
    [
        ({"activation": "linear", "correlated": True}, "mean-field", "closed form"),
        ({"activation": "sigmoid"}, "mean-field", "quadrature at orthogonal inputs"),
        ({"activation": "relu"}, "mean-field", "bulk and outliers at orthogonal inputs"),
        ({"activation": "sigmoid", "correlated": True}, "mean-field", "particles at correlated inputs"),
        ({"activation": "sigmoid", "classes": 4}, "mean-field", "particles"),
        ({"activation": "relu", "correlated": True}, "mean-field", "heavy neurons at correlated inputs"),
        ({"activation": "tanh", "depth": 3}, "mean-field", "particles in every layer"),
        ({"activation": "relu", "depth": 2}, "proportional", "beyond one hidden layer"),
        ({"activation": "linear", "depth": 2, "correlated": True}, "mean-field", "closed form"),
        ({"activation": "linear", "depth": 2, "bias": True}, "proportional", "without bias"),
        ({"activation": "softplus"}, "proportional", "does not cover softplus"),
        ({"activation": "sigmoid", "scaling": "lazy"}, "proportional", "1/sqrt(N)"),
        ({"activation": "sigmoid", "scaling": "lazy", "samples": 5}, "lazy", "1/sqrt(N)"),
        (
            {"activation": "sigmoid", "samples": 1500, "tests": 1},
            "proportional",
            "at most 4000 training outputs, not 4500",
        ),
    ],
)
def test_the_theory_that_covers_a_posterior_is_chosen_with_its_reason(options, theory, said):
    chosen = choose(posterior(**options))
    assert chosen.theory == theory
    assert said in chosen.reason
    assert options["activation"] in chosen.reason or theory != "mean-field"


@pytest.mark.parametrize("options", [{"activation": "relu", "depth": 2}, {"activation": "softplus"}])
def test_what_is_not_chosen_is_refused_for_the_same_reason(options):
    reason = choose(posterior(**options)).reason.partition("since ")[2]
    with pytest.raises(cs.InvalidInput) as refused:
        cs.predict(posterior(**options))
    assert reason in str(refused.value)
    assert np.isfinite(cs.predict(posterior(**options), "proportional").outputs).all()


def test_recurrent_networks_have_the_lazy_limit():
    recurrent = posterior("tanh", recurrent=True, depth=2)
    chosen = choose(recurrent)
    assert chosen.theory == "lazy"
    assert "share their weights" in chosen.reason
    assert np.isfinite(cs.predict(recurrent, chosen.theory).outputs).all()
