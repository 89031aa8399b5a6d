"""Sparse parity: a label that no single coordinate says anything about."""

import numpy as np
from jaxtyping import Float

from codingschemes.errors import InvalidInput
from codingschemes.tasks.combinations import all_combinations, combination_names
from codingschemes.tasks.options import reads_options
from codingschemes.tasks.preprocessing import preprocess as preprocess_task
from codingschemes.tasks.task import Task

_COUNTED = 62
"""Coordinates whose combinations a 64-bit number counts; beyond, no two inputs agree in so many of them."""


@reads_options
def parity(
    dimension: int = 20,
    relevant: int = 3,
    samples: int = 100,
    test: int = 0,
    preprocess: str = "none",
    seed: int = 0,
) -> Task:
    """Learn the product of k of the d coordinates of inputs that are uniform on {-1, +1}^d: target -1/+1, one output.

    The first k coordinates are the relevant ones. Training and test inputs are drawn together without replacement, so
    that no test input was trained on; |x|^2 / N0 = 1 as it stands. The classes are the combinations of the relevant
    coordinates, which are the factors: 2^k classes share two targets, and an error of classification is one of parity.
    All correlations of the label with products of fewer coordinates vanish over all 2^d inputs (and with any product
    but its own), which makes it the standard case of a function that fixed kernels need very many samples for.

    Args:
        dimension: d.
        relevant: k, at most d.
        samples: training inputs P, different ones; each class needs one, so at least 2^k.
        test: held-out inputs.
        preprocess: steps applied to the inputs; see `preprocessing`.
        seed: fixes which inputs are drawn.

    Raises:
        InvalidInput: more relevant coordinates than there are, more inputs than 2^d, or a combination of relevant
            coordinates without a training input.

    Example:
        >>> task = cs.tasks.parity(dimension=20, relevant=3, samples=100, test=500)
        >>> task
        Task(parity, 100 samples of 20 features in 8 classes, 500 held out)
        >>> np.array_equal(task.targets[:, 0], task.inputs[:, :3].prod(axis=1))
        True
    """
    if relevant > dimension:
        raise InvalidInput(f"{relevant} of {dimension} coordinates cannot be relevant: lower `relevant`")
    if samples < 2**relevant:
        raise InvalidInput(
            f"{samples} samples cannot cover the {2**relevant} combinations of {relevant} relevant coordinates: "
            "raise `samples` or lower `relevant`"
        )
    if samples + test > 2**dimension:
        raise InvalidInput(
            f"{dimension} coordinates make {2**dimension} different inputs, fewer than {samples + test}: "
            "lower `samples` or `test`, or raise `dimension`"
        )
    drawn = different_inputs(dimension, samples + test, np.random.default_rng(seed))
    factors = all_combinations(relevant)
    classes = (drawn[:, :relevant] > 0) @ 2 ** np.arange(relevant)[::-1]
    train = np.argsort(classes[:samples], kind="stable")
    held_out = samples + np.argsort(classes[samples:], kind="stable")
    missing = np.setdiff1d(np.arange(len(factors)), classes[train])
    if len(missing):
        raise InvalidInput(
            f"{len(missing)} of {len(factors)} combinations of relevant coordinates have no training sample: raise "
            f"`samples`, lower `relevant`, or draw others with another `seed` of the task"
        )
    targets = factors.prod(axis=1, keepdims=True)
    task = Task(
        name="parity",
        inputs=drawn[train],
        targets=targets[classes[train]],
        labels=classes[train],
        class_names=combination_names(factors),
        target_names=("parity",),
        factors=factors,
        factor_names=tuple(f"coordinate {index + 1}" for index in range(relevant)),
        test_inputs=drawn[held_out],
        test_targets=targets[classes[held_out]],
        test_labels=classes[held_out],
        provenance={"source": f"parity of the first {relevant} of {dimension} coordinates -1/+1"},
    )
    return preprocess_task(task, preprocess)


def different_inputs(dimension: int, count: int, generator: np.random.Generator) -> Float[np.ndarray, "count d"]:
    """Corners of the hypercube, drawn uniformly without replacement."""
    counted = min(dimension, _COUNTED)
    numbers = generator.choice(2**counted, count, replace=False)
    bits = numbers[:, None] >> np.arange(counted)[::-1] & 1
    others = generator.integers(2, size=(count, dimension - counted))
    return 2.0 * np.column_stack([bits, others]) - 1
