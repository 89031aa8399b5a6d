"""What is learned, and on which inputs, where abstraction is asked for: labels, controls with known answers, images."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from codingschemes.tasks import Task, context, hypercube, make_task
from codingschemes.tasks.combinations import square_root
from codingschemes.tasks.task import no_test_samples, one_hot_targets

#: Samples of each of four conditions: two leave one to test a decoder on.
_REPEATS = 2
LABELS, WITH_XOR, XOR, CONTEXT, CONDITIONS, IMAGES = (
    "two labels",
    "two labels and their XOR",
    "XOR alone",
    "label by context",
    "one output a condition",
    "images",
)


def _conditions() -> Task:
    """One output for each of four conditions, which two factors only name: nothing ties conditions together."""
    task = hypercube(repeats=_REPEATS)
    none = no_test_samples(features=task.inputs.shape[1], outputs=task.class_count)
    targets = one_hot_targets(task.labels, task.class_count)
    return replace(task, targets=targets, target_names=task.class_names, **none)


#: On orthogonal inputs of norm 1.
_PRESCRIBED: dict[str, Callable[[], Task]] = {
    LABELS: lambda: hypercube(repeats=_REPEATS),
    WITH_XOR: lambda: hypercube(repeats=_REPEATS, labels="factors,xor"),
    XOR: lambda: hypercube(repeats=_REPEATS, labels="xor"),
    CONTEXT: lambda: context(repeats=1),  # eight conditions: as many samples as the others
    CONDITIONS: _conditions,
}
GEOMETRIES = (*_PRESCRIBED, IMAGES)


def prescribed(geometry: str) -> Task:
    """The task of a geometry other than images; its factors are the latent variables, learned or not."""
    return _PRESCRIBED[geometry]()


def images(dataset: str, samples: int, seed: int) -> Task:
    """Parity and magnitude of digits, |x|^2 = 1 on average."""
    task = make_task(dataset, samples=samples, labels="parity-magnitude", seed=seed)
    size = np.sqrt(np.mean(np.sum(task.inputs**2, axis=1)))
    return _with_gram(task, task.inputs @ task.inputs.T / size**2, "|x|^2 = 1 on average")


def aligned(task: Task, along: str, strength: float) -> Task:
    """The task with inputs of Gram matrix X X^T + g V V^T.

    Args:
        along: V is the factors of the samples (`labels`), or their product (`xor`).
        strength: g.
    """
    assert task.factors is not None
    factors = task.factors[task.labels]
    directions = {"labels": factors, "xor": factors.prod(axis=1, keepdims=True)}[along]
    gram = task.inputs @ task.inputs.T + strength * directions @ directions.T
    return _with_gram(task, gram, f"inputs along {along}, {strength:g}")


def _with_gram(task: Task, gram: Float[np.ndarray, "P P"], step: str) -> Task:
    """All that a network sees of its training inputs is their Gram matrix. As many features as samples: inputs of all
    kinds then make one compiled program."""
    inputs = square_root(gram)
    return task.with_inputs(inputs, np.zeros((0, inputs.shape[1])), step)
