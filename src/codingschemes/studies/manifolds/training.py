"""Training from small and from large weights: loss, and the manifolds that are near, along the way."""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd

from codingschemes.manifolds import (
    LOSSES,
    Neurons,
    Path,
    Problem,
    channels,
    classify,
    descend,
    detect,
    random_neurons,
)
from codingschemes.manifolds.dynamics import Method
from codingschemes.networks import ACTIVATIONS
from codingschemes.tasks import Task

#: Relative, at which neurons count as one.
TOLERANCE = 0.1
#: Of the learning rate over one sample: for up to about forty neurons at inputs of length one, half of what is stable.
_RATE = 0.1
#: Times as many steps in every stage, each with as many snapshots.
_LONGER, _SNAPSHOTS = 1.5, 3
_FIRST = 30


def parity_problem(task: Task, activation: str) -> Problem:
    """Whether digits are odd: one output of -1 and 1, inputs in the span of the images, of length one, and a bias.

    Args:
        task: of images of digits.
        activation: registered name.
    """
    odd = np.array([int(name) % 2 for name in task.class_names])[task.labels]
    left, singular, _ = np.linalg.svd(task.inputs, full_matrices=False)
    seen = left * singular / np.sqrt(task.inputs.shape[1])
    inputs = np.hstack([seen, np.ones((len(seen), 1))])
    targets = 2.0 * odd[:, None] - 1
    return Problem(jnp.asarray(inputs), jnp.asarray(targets), ACTIVATIONS[activation], LOSSES["squared"])


def at_snapshot(path: Path, index: int) -> Neurons:
    """The network of a snapshot, as numpy arrays.

    Args:
        path: of training.
        index: of the snapshot.
    """
    return Neurons(*(np.asarray(part[index]) for part in path.neurons))


def long_path(problem: Problem, start: Neurons, method: Method, rate: float, steps: int) -> Path:
    """Training with snapshots that are further and further apart.

    Args:
        problem: what is learned.
        start: the weights.
        method, rate: as for `descend`.
        steps: about how many.
    """
    stages: list[tuple[np.ndarray, Neurons, np.ndarray]] = []
    length, made = _FIRST, 0
    while made < steps:
        path = descend(problem, start, method, rate=rate, steps=length, snapshots=_SNAPSHOTS)
        first = 1 if stages else 0
        neurons = Neurons(*(np.asarray(part[first:]) for part in path.neurons))
        stages.append((np.asarray(path.step[first:]) + made, neurons, np.asarray(path.loss[first:])))
        start, made = at_snapshot(path, -1), made + int(path.step[-1])
        length = int(length * _LONGER) // _SNAPSHOTS * _SNAPSHOTS
    step, neurons, loss = zip(*stages, strict=True)
    joined = Neurons(*(np.concatenate(parts) for parts in zip(*neurons, strict=True)))
    return Path(np.concatenate(step), joined, np.concatenate(loss))  # type: ignore[arg-type]


def narrow(width: int) -> int:
    """Neurons that are few: a tenth, and two at least, which it takes for outputs of both signs.

    Args:
        width: of the network.
    """
    return max(width // 10, 2)


def training_rows(task: Task, activation: str, size: float, width: int, steps: int, seed: int) -> list[dict[str, Any]]:
    """A row a snapshot: loss, effective widths, and the relative distance to manifolds of few neurons.

    Args:
        task: of images of digits.
        activation: registered name.
        size: of the first weights.
        width: neurons.
        steps: of gradient descent.
        seed: of the first weights.
    """
    problem = parity_problem(task, activation)
    samples, inputs = problem.inputs.shape
    begin = random_neurons(np.random.default_rng(seed), width, inputs, 1)
    start = Neurons(size * begin.readout / np.sqrt(width), size * begin.weight)
    path = long_path(problem, start, "gd", _RATE / samples, steps)
    kind, at, few = classify(problem.activation), np.array([TOLERANCE]), narrow(width)
    rows = []
    for index, step in enumerate(path.step):
        neurons = at_snapshot(path, index)
        found = detect(neurons, kind, tolerances=at, tolerance=TOLERANCE)
        few_enough = found.distances[found.widths <= few]
        rows.append(
            {
                "activation": activation,
                "size": size,
                "seed": seed,
                "step": float(step),
                "loss": float(path.loss[index]) / samples,
                "strict": int(found.strict[0]),
                "direction": int(found.direction[0]),
                "nearest_few": float(few_enough.min(initial=1.0)),
                "blocks": ", ".join(
                    str(len(block)) for block in sorted(found.partition.blocks, key=len, reverse=True)[:6]
                ),
            }
        )
    rows[-1]["channels"] = np.nan if kind.homogeneous else len(channels(neurons, kind))
    return rows


def passed(rows: pd.DataFrame) -> pd.DataFrame:
    """A path a row: the fewest directions, the nearest that it came to a manifold of few neurons, and the end.

    Args:
        rows: of `training_rows`, of any number of paths.
    """
    paths = rows[rows.step > 0].groupby(["activation", "size", "seed"], sort=False)
    return paths.agg(
        fewest_directions=("direction", "min"),
        fewest=("strict", "min"),
        nearest_few=("nearest_few", "min"),
        last_direction=("direction", "last"),
        last_few=("nearest_few", "last"),
        loss=("loss", "last"),
        channels=("channels", "last"),
    ).reset_index()


def closest(rows: pd.DataFrame) -> Iterator[tuple[str, float, float, str]]:
    """Where the first start was nearest to a manifold of few neurons: activation, size, step, and how many neurons were
    one at the tolerance, the largest blocks first.

    Args:
        rows: of `training_rows`.
    """
    first = rows[(rows.step > 0) & (rows.seed == rows.seed.min())]
    for (activation, size), path in first.groupby(["activation", "size"], sort=False):
        row = path.loc[path.nearest_few.idxmin()]
        yield str(activation), float(size), float(row.step), str(row.blocks)
