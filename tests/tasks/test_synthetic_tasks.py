"""Orthogonal and hypercube tasks have the Gram matrices that their theories assume."""

import itertools
import math

import numpy as np
import pytest

from codingschemes import tasks
from codingschemes.errors import InvalidInput
from codingschemes.representation import (
    abstraction_scores,
    abstraction_scores_from_kernel,
    dichotomy_ccgp,
    dichotomy_parallelism,
)
from codingschemes.tasks.orthogonal import class_counts


def test_orthogonal_inputs() -> None:
    task = tasks.orthogonal(samples=20, ratios=[0.5, 0.25, 0.25], test=10, seed=3)
    rows = np.concatenate([task.inputs, task.test_inputs])
    assert rows.shape == (30, 30)
    np.testing.assert_allclose(rows @ rows.T / 30, np.eye(30), atol=1e-13)
    np.testing.assert_array_equal(np.bincount(task.labels), [10, 5, 5])
    assert task.class_names == ("0", "1", "2")
    assert task.factors is None


@pytest.mark.parametrize(
    ("samples", "shares", "smallest", "expected"),
    [
        (100, [1, 1, 1], 1, [34, 33, 33]),
        (10, [0.5, 0.25, 0.25], 1, [5, 3, 2]),
        (7, [0.6, 0.3, 0.1], 1, [4, 2, 1]),
        (5, [0.96, 0.02, 0.02], 1, [3, 1, 1]),
        (1, [0.5, 0.5], 0, [1, 0]),
        (0, [0.5, 0.5], 0, [0, 0]),
    ],
)
def test_class_counts(samples: int, shares: list[float], smallest: int, expected: list[int]) -> None:
    np.testing.assert_array_equal(class_counts(samples, np.array(shares), smallest), expected)


def test_orthogonal_refuses() -> None:
    with pytest.raises(InvalidInput, match="2 samples cannot cover 3 classes"):
        tasks.orthogonal(samples=2)
    with pytest.raises(InvalidInput, match="`ratios` has 2 numbers for 3 classes"):
        tasks.orthogonal(classes=3, ratios=[0.5, 0.5])
    with pytest.raises(InvalidInput, match="how many classes"):
        tasks.orthogonal(classes=[0, 1])
    with pytest.raises(InvalidInput, match="at most 10000"):
        tasks.orthogonal(samples=10**12)


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize(
    ("inputs", "labels_dim"),
    [(i, d) for i in ("whitened", "aligned", "clustered") for d in (1, 2, 3)] + [("anisotropic", d) for d in (2, 3)],
)
def test_hypercube_gram(inputs: str, labels_dim: int, repeats: int) -> None:
    g = 2.0
    task = tasks.hypercube(labels_dim=labels_dim, repeats=repeats, inputs=inputs, alignment=g, seed=1)
    samples = repeats * 2**labels_dim
    label_kernel = task.targets @ task.targets.T
    same_class = np.kron(np.eye(2**labels_dim), np.ones((repeats, repeats)))
    eigenvalues = np.geomspace(1 / 3, 3, labels_dim) - 1
    expected = {
        "whitened": np.eye(samples),
        "aligned": np.eye(samples) + g * label_kernel,
        "clustered": (same_class + g * np.eye(samples)) / (1 + g),
        "anisotropic": np.eye(samples) + task.targets @ np.diag(eigenvalues) @ task.targets.T / samples,
    }[inputs]
    np.testing.assert_allclose(task.inputs @ task.inputs.T, expected, atol=1e-11)


def test_hypercube_eigenvalues_on_labels() -> None:
    """Along the labels and along 1, with the constant input of a bias added as in the table of the theory."""
    g, n, samples = 0.5, 4, 16
    ones = np.ones(samples)
    s = 1 / (1 + g)
    expected = {
        "whitened": (1 + samples, 1, 1),
        "aligned": (1 + samples, 1 + g * samples, 1 + g * samples),
        "clustered": (s * n + s * g + samples, s * n + s * g, s * n + s * g),
        "anisotropic": (1 + samples, 1 / (1 + g), 1 + g),
    }
    for inputs, values in expected.items():
        task = tasks.hypercube(inputs=inputs, alignment=g)
        kernel = task.inputs @ task.inputs.T + np.outer(ones, ones)
        for direction, value in zip((ones, *task.targets.T), values, strict=True):
            np.testing.assert_allclose(kernel @ direction, value * direction, atol=1e-11)


def test_hypercube_labels() -> None:
    task = tasks.hypercube(labels_dim=2, repeats=2)
    assert task.class_names == ("--", "-+", "+-", "++")
    assert task.target_names == ("label 1", "label 2")
    assert not task.one_hot
    np.testing.assert_array_equal(task.factors, [[-1, -1], [-1, 1], [1, -1], [1, 1]])
    assert task.factor_names == task.target_names
    np.testing.assert_array_equal(task.targets, task.factors[task.labels])
    np.testing.assert_array_equal(task.labels, [0, 0, 1, 1, 2, 2, 3, 3])


def test_hypercube_refuses() -> None:
    with pytest.raises(InvalidInput, match="too many"):
        tasks.hypercube(labels_dim=2, repeats=10**9)
    with pytest.raises(InvalidInput, match="`labels_dim`"):
        tasks.hypercube(labels_dim=1, inputs="anisotropic")
    with pytest.raises(InvalidInput, match="exclusive or of a single label"):
        tasks.hypercube(labels_dim=1, labels="factors,xor")
    with pytest.raises(InvalidInput, match="factors, xor or factors,xor, not classes"):
        tasks.hypercube(labels="classes")


@pytest.mark.parametrize("labels_dim", [2, 3])
def test_hypercube_xor(labels_dim: int) -> None:
    task, both = (tasks.hypercube(labels_dim, repeats=2, labels=labels) for labels in ("xor", "factors,xor"))
    np.testing.assert_array_equal(task.targets[:, 0], task.factors[task.labels].prod(axis=1))
    np.testing.assert_array_equal(both.targets, np.column_stack([both.factors[both.labels], task.targets]))
    assert (task.target_names, both.target_names[-1]) == (("xor",), "xor")
    assert task.factor_names == both.target_names[:-1]
    np.testing.assert_array_equal(task.inputs, both.inputs)


def test_hypercube_xor_turns_abstraction_round() -> None:
    """Of the kernel that the targets have: the labels are parallel, their xor alone turns every direction round between
    contexts, and both together are four unrelated classes."""
    for labels, parallelism, accuracy in (("factors", 1, 1), ("xor", -1, 0), ("factors,xor", 0, 0.5)):
        task = tasks.hypercube(repeats=2, labels=labels)
        scores = abstraction_scores_from_kernel(task.targets @ task.targets.T, task.labels, task.factors)
        assert scores.parallelism == pytest.approx(parallelism, abs=1e-12)
        assert scores.ccgp == accuracy


@pytest.mark.parametrize("count", [1, 2, 3])
def test_parity_of_all_inputs_is_the_truth_table(count: int) -> None:
    task = tasks.parity(dimension=count, relevant=count, samples=2**count, seed=5)
    rows = list(itertools.product([-1.0, 1.0], repeat=count))
    np.testing.assert_array_equal(task.inputs, rows)
    np.testing.assert_array_equal(task.targets[:, 0], [math.prod(row) for row in rows])
    np.testing.assert_array_equal(task.labels, np.arange(2**count))


def test_parity_is_orthogonal_to_every_other_parity() -> None:
    task = tasks.parity(dimension=5, relevant=3, samples=32)
    for order in range(6):
        for chosen in itertools.combinations(range(5), order):
            expected = 32 if chosen == (0, 1, 2) else 0
            assert task.inputs[:, list(chosen)].prod(axis=1) @ task.targets[:, 0] == expected


@pytest.mark.parametrize("dimension", [20, 100])
def test_parity_of_few_inputs(dimension: int) -> None:
    task = tasks.parity(dimension, relevant=3, samples=100, test=300, seed=1)
    for inputs, targets, labels in (
        (task.inputs, task.targets, task.labels),
        (task.test_inputs, task.test_targets, task.test_labels),
    ):
        assert set(np.unique(inputs)) == {-1.0, 1.0}
        np.testing.assert_array_equal(targets[:, 0], [math.prod(row[:3]) for row in inputs])
        np.testing.assert_array_equal(task.factors[labels], inputs[:, :3])
    assert len(np.unique(np.concatenate([task.inputs, task.test_inputs]), axis=0)) == 400
    assert task.class_names[1] == "--+"
    assert task.factor_names == ("coordinate 1", "coordinate 2", "coordinate 3")


def test_parity_inputs_are_all_drawn_alike() -> None:
    """Every one of the 16 inputs is held out in one seed or another, and only where it is not trained on."""
    held_out = set()
    for seed in range(64):
        task = tasks.parity(dimension=4, relevant=1, samples=12, test=4, seed=seed)
        assert len(np.unique(np.concatenate([task.inputs, task.test_inputs]), axis=0)) == 16
        held_out |= set(map(tuple, task.test_inputs))
    assert len(held_out) == 16


def test_parity_refuses() -> None:
    with pytest.raises(InvalidInput, match="4 of 3 coordinates cannot be relevant"):
        tasks.parity(dimension=3, relevant=4)
    with pytest.raises(InvalidInput, match="7 samples cannot cover the 8 combinations"):
        tasks.parity(samples=7)
    with pytest.raises(InvalidInput, match="8 different inputs, fewer than 9"):
        tasks.parity(dimension=3, samples=8, test=1)
    with pytest.raises(InvalidInput, match="combinations of relevant coordinates have no training sample"):
        tasks.parity(samples=8)


@pytest.mark.parametrize("stimuli", [2, 3])
def test_context_selects_the_stimulus(stimuli: int) -> None:
    task = tasks.context(stimuli, repeats=2, inputs="aligned", alignment=0.5, seed=2)
    assert task.class_count == 2 ** (1 + stimuli)
    for name, target in zip(task.class_names, task.class_targets, strict=True):
        selected = name[1] if name[0] == "-" else name[2]
        assert target == (1.0 if selected == "+" else -1.0)
    assert task.factor_names[:3] == ("context", "stimulus 1", "stimulus 2")
    latent = task.factors[task.labels]
    np.testing.assert_allclose(task.inputs @ task.inputs.T, np.eye(len(latent)) + 0.5 * latent @ latent.T, atol=1e-11)
    # Over all conditions: each stimulus alone is right in three of four, context and other stimuli say nothing.
    np.testing.assert_array_equal(
        task.factors.T @ task.class_targets / task.class_count, [[0], [0.5], [0.5], [0]][: 1 + stimuli]
    )


def test_context_abstraction_of_latents_and_of_the_label() -> None:
    task = tasks.context(repeats=2)
    latent = task.factors[task.labels]
    context, first, second = latent.T
    codes = {  # parallelism and CCGP of context, stimulus 1 and stimulus 2
        "factorised": (latent, (1, 1, 1), (1, 1, 1)),
        "conditions apart": (np.eye(8)[task.labels], (0, 0, 0), (0.5, 0.5, 0.5)),
        # stimulus 1 is there as it is and reversed by the context: equal, or at right angles in the two contexts
        "mixed": (np.column_stack([context, first, second, context * first]), (1 / 3, 1 / 3, 1), None),
        # the context's direction turns with stimulus 1, the direction of that with the context
        "reversed": (np.column_stack([context * first, second]), (-1 / 3, -1 / 3, 1), (0, 0, 1)),
    }
    for code, parallelism, accuracy in codes.values():
        scores = abstraction_scores(code, task.labels, task.factors)
        assert scores.parallelism_by_factor == pytest.approx(parallelism, abs=1e-12)
        if accuracy is not None:
            assert scores.ccgp_by_factor == accuracy
    label = task.class_targets.T
    assert dichotomy_ccgp(task.targets, task.labels, label).value == 1
    assert dichotomy_parallelism(task.targets, task.labels, label).value == 1
    for code in (latent, np.eye(8)[task.labels]):  # abstract in every latent or in none: at chance in the label
        assert dichotomy_ccgp(code, task.labels, label).value == 0.5


def test_context_refuses() -> None:
    with pytest.raises(InvalidInput, match="too many"):
        tasks.context(repeats=10_000)
