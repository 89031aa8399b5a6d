"""Binary labels in all their combinations, on inputs whose Gram matrix is prescribed."""

import itertools

import numpy as np
from jaxtyping import Float

from codingschemes.errors import InvalidInput
from codingschemes.tasks.options import reads_options
from codingschemes.tasks.preprocessing import preprocess as preprocess_task
from codingschemes.tasks.rotations import LARGEST, random_orthogonal
from codingschemes.tasks.task import Task, no_test_samples


@reads_options
def hypercube(
    labels_dim: int = 2,
    repeats: int = 4,
    inputs: str = "whitened",
    alignment: float = 1.0,
    preprocess: str = "none",
    seed: int = 0,
) -> Task:
    """Learn dY binary labels, of which every combination occurs in n samples: P = n 2^dY, targets -1/+1.

    The Gram matrix of the inputs is exactly X X^T = G(inputs, alignment) of `gram`; a random rotation hides the
    basis. Samples of one combination follow each other. This is the setting of Wang, Johnston and Fusi
    (arXiv 2510.09816), where the energy has no scale factors: sample it with scaling "none".

    Args:
        labels_dim: dY, binary labels.
        repeats: n, samples of each combination.
        inputs: "whitened", "aligned", "anisotropic" or "clustered"; see `gram`.
        alignment: g in `gram`; whitened inputs have none and ignore it.
        preprocess: steps applied to the inputs; see `preprocessing`.
        seed: fixes the rotation.

    Raises:
        InvalidInput: too many samples for a dense kernel, or anisotropic inputs with a single label.

    Example:
        >>> cs.tasks.hypercube(labels_dim=2, repeats=4).factors
        array([[-1., -1.],
               [-1.,  1.],
               [ 1., -1.],
               [ 1.,  1.]])
    """
    combinations = np.array(list(itertools.product((-1.0, 1.0), repeat=labels_dim)))
    samples = repeats * len(combinations)
    if samples > LARGEST:
        raise InvalidInput(f"{samples} samples are too many for a dense kernel: lower `repeats` or `labels_dim`")
    labels = np.repeat(np.arange(len(combinations)), repeats)
    targets = combinations[labels]
    rotation = random_orthogonal(samples, np.random.default_rng(seed))
    class_names = tuple("".join("+" if factor > 0 else "-" for factor in row) for row in combinations)
    task = Task(
        name="hypercube",
        inputs=square_root(gram(targets, labels, inputs, alignment)) @ rotation,
        targets=targets,
        labels=labels,
        class_names=class_names,
        target_names=tuple(f"label {index + 1}" for index in range(labels_dim)),
        factors=combinations,
        **no_test_samples(features=samples, outputs=labels_dim),
        provenance={"source": f"all {len(combinations)} combinations of {labels_dim} labels, {inputs} inputs"},
    )
    return preprocess_task(task, preprocess)


def gram(targets: Float[np.ndarray, "P dY"], labels: np.ndarray, inputs: str, g: float) -> Float[np.ndarray, "P P"]:
    """The Gram matrix X X^T of the inputs.

    With Y the P x dY targets, v_i its columns (orthogonal, |v_i|^2 = P) and 1_class the matrix that is 1 between
    samples of one combination and 0 elsewhere:

    - whitened: I.
    - aligned: I + g Y Y^T.
    - anisotropic: I + sum_i (mu_i - 1) v_i v_i^T / P, that is, I but for the eigenvalues mu_i along v_i. They are
      spaced evenly in the logarithm from 1 / (1 + g) for the first label to 1 + g for the last.
    - clustered: s (1_class + g I) with s = 1 / (1 + g), so that every input has norm 1 as in the whitened case.
      Small g means tight clusters.
    """
    samples, labels_dim = targets.shape
    identity = np.eye(samples)
    match inputs:
        case "whitened":
            return identity
        case "aligned":
            return identity + g * targets @ targets.T
        case "anisotropic":
            if labels_dim == 1:
                raise InvalidInput("anisotropic inputs differ between labels: raise `labels_dim` to 2 or more")
            eigenvalues = (1 + g) ** np.linspace(-1, 1, labels_dim)
            return identity + (targets * (eigenvalues - 1)) @ targets.T / samples
        case "clustered":
            return ((labels[:, None] == labels) + g * identity) / (1 + g)
    raise InvalidInput(f"there are no {inputs!r} inputs: choose whitened, aligned, anisotropic or clustered")


def square_root(matrix: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """The symmetric square root of a positive semidefinite matrix."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(eigenvalues, 0, None))) @ vectors.T
