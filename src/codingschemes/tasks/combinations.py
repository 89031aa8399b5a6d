"""Conditions that are all combinations of binary factors, on inputs whose Gram matrix is prescribed."""

import itertools

import numpy as np
from jaxtyping import Float, Int

from codingschemes.errors import InvalidInput
from codingschemes.tasks.rotations import LARGEST, random_orthogonal
from codingschemes.tasks.task import Task, no_test_samples


def all_combinations(count: int) -> Float[np.ndarray, "G F"]:
    """Every combination of `count` factors -1/+1, in the order of counting."""
    return np.array(list(itertools.product((-1.0, 1.0), repeat=count)))


def combination_names(combinations: Float[np.ndarray, "G F"]) -> tuple[str, ...]:
    """One sign a factor: `+-`."""
    return tuple("".join("+" if factor > 0 else "-" for factor in row) for row in combinations)


def factorial_task(
    name: str,
    factor_names: tuple[str, ...],
    targets: Float[np.ndarray, "G C"],
    target_names: tuple[str, ...],
    repeats: int,
    inputs: str,
    alignment: float,
    seed: int,
) -> Task:
    """A task whose classes are all combinations of its factors, each in `repeats` samples that follow each other.

    The Gram matrix of the inputs is exactly X X^T = G(inputs, alignment) of `gram`; a random rotation hides the basis.

    Args:
        name: the task's registered name.
        factor_names: one name a factor.
        targets: what is learned of each combination, in the order of `all_combinations`.
        target_names: one name an output.
        repeats: samples of each combination.
        inputs, alignment: of `gram`.
        seed: fixes the rotation.

    Raises:
        InvalidInput: too many samples for a dense kernel, or inputs that there are not.
    """
    combinations = all_combinations(len(factor_names))
    samples = repeats * len(combinations)
    if samples > LARGEST:
        raise InvalidInput(f"{samples} samples are too many for a dense kernel: ask for fewer combinations or repeats")
    labels = np.repeat(np.arange(len(combinations)), repeats)
    rotation = random_orthogonal(samples, np.random.default_rng(seed))
    return Task(
        name=name,
        inputs=square_root(gram(combinations[labels], labels, inputs, alignment)) @ rotation,
        targets=targets[labels],
        labels=labels,
        class_names=combination_names(combinations),
        target_names=target_names,
        factors=combinations,
        factor_names=factor_names,
        **no_test_samples(features=samples, outputs=len(target_names)),
        provenance={"source": f"all {len(combinations)} combinations of {', '.join(factor_names)}; {inputs} inputs"},
    )


def gram(
    factors: Float[np.ndarray, "P F"], labels: Int[np.ndarray, " P"], inputs: str, g: float
) -> Float[np.ndarray, "P P"]:
    """The Gram matrix X X^T of the inputs.

    With Y the P x F factors of the samples, v_i its columns (orthogonal, |v_i|^2 = P) and 1_class the matrix that is 1
    between samples of one combination and 0 elsewhere:

    - whitened: I.
    - aligned: I + g Y Y^T.
    - anisotropic: I + sum_i (mu_i - 1) v_i v_i^T / P, that is, I but for the eigenvalues mu_i along v_i. They are
      spaced evenly in the logarithm from 1 / (1 + g) for the first factor to 1 + g for the last.
    - clustered: s (1_class + g I) with s = 1 / (1 + g), so that every input has norm 1 as in the whitened case.
      Small g means tight clusters.
    """
    samples, factor_count = factors.shape
    identity = np.eye(samples)
    match inputs:
        case "whitened":
            return identity
        case "aligned":
            return identity + g * factors @ factors.T
        case "anisotropic":
            if factor_count == 1:
                raise InvalidInput("anisotropic inputs differ between labels: raise `labels_dim` to 2 or more")
            eigenvalues = (1 + g) ** np.linspace(-1, 1, factor_count)
            return identity + (factors * (eigenvalues - 1)) @ factors.T / samples
        case "clustered":
            return ((labels[:, None] == labels) + g * identity) / (1 + g)
    raise InvalidInput(f"there are no {inputs!r} inputs: choose whitened, aligned, anisotropic or clustered")


def square_root(matrix: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """The symmetric square root of a positive semidefinite matrix."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(eigenvalues, 0, None))) @ vectors.T
