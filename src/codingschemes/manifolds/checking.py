"""Are the manifolds of a network invariant, and which dynamics stay on them? All questions at once, with controls."""

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from jaxtyping import Float

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.manifolds.activation_class import ActivationClass, classify
from codingschemes.manifolds.conserved import balances
from codingschemes.manifolds.counting import count
from codingschemes.manifolds.dynamics import Method, descend
from codingschemes.manifolds.manifold import Manifold, Neurons, controls, manifold_of, random_neurons, ray_family
from codingschemes.manifolds.orbits import network_orbit
from codingschemes.manifolds.partitions import Partition, effective_width, partitions
from codingschemes.manifolds.problem import Problem
from codingschemes.manifolds.stability import normal_stability
from codingschemes.manifolds.tangency import gradients, tangency_residuals

INVARIANT = 1e-12
"""Relative normal gradients below this are round-off."""
MOST = 10_000
_DRAWS = 5
_LARGEST_ORBIT = 60


@dataclass(frozen=True)
class Departure:
    """How far training left the manifold it started on.

    Attributes:
        manifold, method: which.
        displaced: whether training started 1e-15 of the weights' norm off the manifold, as round-off may put it.
        projected: whether weights were projected after every step.
        start, end: relative distances to the manifold.
        loss: first and last.
    """

    manifold: str
    method: str
    displaced: bool
    projected: bool
    start: float
    end: float
    loss: tuple[float, float]


@dataclass(frozen=True)
class OrbitRow:
    """The dimension of an orbit through a point of a manifold, between bounds.

    Attributes:
        partition: of the manifold.
        fields, dimension: lower bounds, from vector fields alone and with brackets.
        upper: the dimension of the manifold, less one for every block if |a|^2 - |w|^2 is conserved.
    """

    partition: str
    fields: int
    dimension: int
    upper: int


@dataclass(frozen=True)
class Check:
    """What was found.

    Attributes:
        kind: the class of the activation.
        residuals: effective width -> (manifolds, largest tangency residual).
        control_residuals: residual of every subspace that is no manifold.
        drifts: of optimisers started on a manifold.
        condensing: whether that manifold attracts there: its normal Hessian is positive definite.
        orbits: one row an effective width; none where there are more than 60 weights.
        balance_drift: largest change of |a|^2 - |w|^2 relative to the largest of them along the flow, for homogeneous
            activations.

    Example:
        >>> found = cs.manifolds.check(problem, 2, steps=10)
        >>> found.holds, list(found.residuals)
        (True, [0, 1, 2])
    """

    kind: ActivationClass
    residuals: dict[int, tuple[int, float]]
    control_residuals: dict[str, float]
    drifts: tuple[Departure, ...]
    condensing: bool
    orbits: tuple[OrbitRow, ...]
    balance_drift: float | None

    @property
    def holds(self) -> bool:
        """Whether every manifold is invariant to round-off and every control is not."""
        largest = max(residual for _, residual in self.residuals.values())
        return largest < INVARIANT and min(self.control_residuals.values(), default=1.0) > 1e-2

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "class": self.kind.symmetry,
            "holds": self.holds,
            "largest_residual": max(residual for _, residual in self.residuals.values()),
            "residuals": [
                {"effective_width": width, "manifolds": number, "largest_residual": residual}
                for width, (number, residual) in self.residuals.items()
            ],
            "controls": [{"control": name, "residual": value} for name, value in self.control_residuals.items()],
            "condensing": self.condensing,
            "drifts": [vars(drift) for drift in self.drifts],
            "orbits": [vars(row) for row in self.orbits],
            "balance_drift": self.balance_drift,
        }


@known_keywords
def check(problem: Problem, width: int, *, steps: int = 1000, seed: int = 0) -> Check:
    """Tangency on every manifold and on controls, drift of optimisers, orbit dimensions, conserved quantities.

    In exact arithmetic, gradient flow, GD, SGD and Adam (which commutes with permutations and signs of coordinates)
    stay on every manifold of a partition; Adam leaves the ray families of homogeneous activations. In floating point,
    whatever leaves the manifold grows where the manifold repels, and drifts that start displaced show it.

    Weights are standard normal. Training starts on the manifold where neurons 1 and 2 are one; learning rates are a
    fifth of the inverse largest curvature there (Adam: 0.01).

    Args:
        problem: network, data and loss.
        width: neurons.
        steps: of training.
        seed: of the weights.

    Raises:
        InvalidInput: a single neuron, or more than 10,000 manifolds.

    Example:
        >>> cs.manifolds.check(problem, 2, steps=10).holds
        True
    """
    kind = classify(problem.activation)
    if width < 2:
        raise InvalidInput("a single neuron cannot merge: give a width of at least 2")
    total = count(kind.symmetry, width)
    if total > MOST:
        raise InvalidInput(f"width {width} has {total} manifolds, too many to check one by one: lower the width")
    rng = np.random.default_rng(seed)
    inputs, outputs = problem.inputs.shape[1], problem.targets.shape[1]
    draws = Neurons(rng.normal(size=(_DRAWS, width, outputs)), rng.normal(size=(_DRAWS, width, inputs)))
    listed = list(partitions(kind.symmetry, width))
    found = tangency_residuals(problem, [manifold_of(partition, kind) for partition in listed], draws)
    residuals: dict[int, tuple[int, float]] = {}
    for partition, residual in zip(listed, found, strict=True):
        level = effective_width(partition, kind)
        number, largest = residuals.get(level, (0, 0.0))
        residuals[level] = (number + 1, max(largest, float(residual)))
    wrong = controls(kind, width)
    merged = Partition(((1, 2), *((neuron,) for neuron in range(3, width + 1))))
    start = manifold_of(merged, kind).project(random_neurons(rng, width, inputs, outputs))
    rays = ray_family(merged, np.arange(1.0, width + 1)) if kind.homogeneous else None
    return Check(
        kind=kind,
        residuals=dict(sorted(residuals.items())),
        control_residuals={
            control.name: float(residual)
            for control, residual in zip(wrong, tangency_residuals(problem, wrong, draws), strict=True)
        },
        drifts=_drifts(problem, manifold_of(merged, kind), start, steps, rays),
        condensing=all(block.condensing for block in normal_stability(problem, merged, start)),
        orbits=_orbits(problem, kind, width, inputs, outputs, seed),
        balance_drift=_balance_drift(problem, start, steps) if kind.homogeneous else None,
    )


def curvature(problem: Problem, neurons: Neurons, rounds: int = 30) -> float:
    """The largest curvature of the loss in modulus, by power iteration on differences of gradients."""
    size = 1e-5
    rng = np.random.default_rng(0)
    direction = Neurons(*(rng.normal(size=np.shape(part)) for part in neurons))
    length = 1.0
    for _ in range(rounds):
        norm = np.linalg.norm(direction.concatenate())
        ends = [
            [np.asarray(part) + sign * size / norm * step for part, step in zip(neurons, direction, strict=True)]
            for sign in (1, -1)
        ]
        up, down = (
            Neurons(*each)
            for each in zip(*gradients(problem, Neurons(*map(np.stack, zip(*ends, strict=True)))), strict=True)
        )
        direction = Neurons(*((high - low) / (2 * size) for high, low in zip(up, down, strict=True)))
        length = float(np.linalg.norm(direction.concatenate()))
    return length


def _drifts(
    problem: Problem, manifold: Manifold, start: Neurons, steps: int, rays: Manifold | None
) -> tuple[Departure, ...]:
    rate = 0.2 / curvature(problem, start)
    runs: list[tuple[Manifold, Method, bool, bool]] = [
        *((manifold, method, False, False) for method in get_args(Method.__value__)),
        (manifold, "gd", True, False),
        (manifold, "adam", True, False),
        (manifold, "adam", True, True),
    ]
    if rays is not None:
        runs += [(rays, "gd", False, False), (rays, "adam", False, False), (rays, "adam", False, True)]
    found = []
    width, inputs = start.weight.shape
    noise = random_neurons(np.random.default_rng(0), width, inputs, start.readout.shape[1])
    for on, method, displaced, projected in runs:
        begin = on.project(start)
        if displaced:
            size = 1e-15 * np.linalg.norm(begin.concatenate()) / np.linalg.norm(noise.concatenate())
            begin = Neurons(begin.readout + size * noise.readout, begin.weight + size * noise.weight)
        speed = 0.01 if method == "adam" else rate / 4 if method == "sgd" else rate
        batch = max(1, problem.inputs.shape[0] // 4)
        path = descend(
            problem, begin, method, rate=speed, steps=steps, snapshots=1, batch=batch, onto=on if projected else None
        )
        end = Neurons(*(np.asarray(part[-1]) for part in path.neurons))
        losses = (float(path.loss[0]), float(path.loss[-1]))
        found.append(Departure(on.name, method, displaced, projected, on.distance(begin), on.distance(end), losses))
    return tuple(found)


def _orbits(
    problem: Problem, kind: ActivationClass, width: int, inputs: int, outputs: int, seed: int
) -> tuple[OrbitRow, ...]:
    if width * (inputs + outputs) > _LARGEST_ORBIT:
        return ()
    rng = np.random.default_rng(seed)
    chosen: dict[int, Partition] = {}
    for partition in partitions(kind.symmetry, width):
        if not partition.flat:
            chosen.setdefault(len(partition.blocks), partition)
    rows = []
    for blocks, partition in sorted(chosen.items()):
        manifold = manifold_of(partition, kind)
        point = manifold.project(random_neurons(rng, width, inputs, outputs))
        found = network_orbit(problem.activation, point, seed=seed)
        upper = manifold.dimension(inputs, outputs) - blocks * kind.homogeneous
        rows.append(OrbitRow(str(partition), found.fields, found.dimension, upper))
    return tuple(rows)


def _balance_drift(problem: Problem, start: Neurons, steps: int) -> float:
    rate = 0.2 / curvature(problem, start)
    path = descend(problem, start, "flow", rate=rate, steps=steps, snapshots=10)
    along: Float[np.ndarray, "S m"] = balances(path.neurons)
    return float(np.abs(along - along[0]).max() / np.abs(along).max())
