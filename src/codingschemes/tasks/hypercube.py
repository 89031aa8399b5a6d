"""Binary labels in all their combinations, on inputs whose Gram matrix is prescribed."""

import numpy as np

from codingschemes.errors import InvalidInput
from codingschemes.tasks.combinations import all_combinations, factorial_task
from codingschemes.tasks.options import reads_options
from codingschemes.tasks.preprocessing import preprocess as preprocess_task
from codingschemes.tasks.task import Task


@reads_options
def hypercube(
    labels_dim: int = 2,
    repeats: int = 4,
    inputs: str = "whitened",
    alignment: float = 1.0,
    labels: str = "factors",
    preprocess: str = "none",
    seed: int = 0,
) -> Task:
    """Learn dY binary labels, of which every combination occurs in n samples: P = n 2^dY, targets -1/+1.

    The Gram matrix of the inputs is exactly X X^T = G(inputs, alignment), with Y the P x dY labels, v_i its columns
    and 1_class the matrix that is 1 between samples of one combination; a random rotation hides the basis. Samples of
    one combination follow each other. This is the setting of Wang, Johnston and Fusi (arXiv 2510.09816), where the
    energy has no scale factors: sample it with scaling "none".

    - whitened: I.
    - aligned: I + g Y Y^T.
    - anisotropic: I but for the eigenvalues along v_i, from 1 / (1 + g) for the first to 1 + g for the last label.
    - clustered: (1_class + g I) / (1 + g); small g means tight clusters.

    With `labels="xor"` the product of all labels is learned instead, which no single label helps to know, and with
    "factors,xor" beside them: the controls of abstraction. Where context and stimulus are the two labels, "xor" is the
    reversal of a stimulus's meaning between contexts; `context` is the other kind of context dependence.

    Args:
        labels_dim: dY, binary labels.
        repeats: n, samples of each combination.
        inputs: "whitened", "aligned", "anisotropic" or "clustered".
        alignment: g of these; whitened inputs have none and ignore it.
        labels: what is learned: "factors", the labels themselves; "xor", their product; or "factors,xor".
        preprocess: steps applied to the inputs; see `preprocessing`.
        seed: fixes the rotation.

    Raises:
        InvalidInput: too many samples for a dense kernel, anisotropic inputs or "xor" with a single label.

    Example:
        >>> cs.tasks.hypercube(labels_dim=2, repeats=4).factors
        array([[-1., -1.],
               [-1.,  1.],
               [ 1., -1.],
               [ 1.,  1.]])
        >>> cs.tasks.hypercube(labels="factors,xor").class_targets[0]
        array([-1., -1.,  1.])
    """
    learned = labels.split(",")
    if not set(learned) <= {"factors", "xor"}:
        raise InvalidInput(f"`labels` of the hypercube task is factors, xor or factors,xor, not {labels}")
    if "xor" in learned and labels_dim == 1:
        raise InvalidInput("the exclusive or of a single label is that label: raise `labels_dim` to 2 or more")
    combinations = all_combinations(labels_dim)
    names = tuple(f"label {index + 1}" for index in range(labels_dim))
    columns = {"factors": (combinations, names), "xor": (combinations.prod(axis=1, keepdims=True), ("xor",))}
    task = factorial_task(
        "hypercube",
        names,
        np.column_stack([columns[each][0] for each in learned]),
        tuple(name for each in learned for name in columns[each][1]),
        repeats,
        inputs,
        alignment,
        seed,
    )
    return preprocess_task(task, preprocess)
