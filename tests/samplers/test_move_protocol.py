"""Single moves under the checks that whole samplers pass: drawn data and exact ranks (`checks`).

A move by itself reaches only part of the posterior. With even odds a step is one of the move or one of a small step of
all coordinates: both are reversible, and so is their mixture.
"""

from typing import NamedTuple
from unittest import mock

import jax
import jax.numpy as jnp
import pytest
from checks import joint, ranks, verdict
from jaxtyping import Array
from known_answers import small_posterior
from problems import Problem, problem
from test_code_configurations import Faults, flipped, jumped, made_up, rotated, stirred

from codingschemes.posterior import Density, Position
from codingschemes.samplers import Info, Kernel, flips, reversals
from codingschemes.samplers.lower_rotations import lower_rotation_sweep
from codingschemes.samplers.recurrent_rotations import recurrent_rotation_sweep


class State(NamedTuple):
    key: Array
    position: Position


def kernel(move) -> Kernel:
    """Of a move (key, position, density) -> position."""

    def step(state: State, density: Density) -> tuple[State, Info]:
        key, kind_key, step_key = jax.random.split(state.key, 3)
        position = jax.lax.cond(
            jax.random.bernoulli(kind_key),
            lambda: move(step_key, state.position, density),
            lambda: stirred(step_key, state.position, density),
        )
        one = jnp.asarray(1.0)
        info = Info(density.potential(position), one, jnp.asarray(1), jnp.asarray(False), one)
        return State(key, position), info

    return Kernel(
        init=lambda key, position, density: State(key, position),  # noqa: ARG005
        step=step,
        position=lambda state: state.position,
        move=lambda state, position, density: state._replace(position=position),  # noqa: ARG005
        warmup=50,
    )


def jumps_of(faults: Faults):
    modes = made_up(problem("sigmoid reduced").density)
    return lambda key, position, density: jumped(key, position, density, modes, faults)


def rotations_of(visits: int):
    return lambda key, position, density: rotated(key, position, density, Faults(), visits)


def flips_of(faults: Faults):
    """Several, one after the other: few are accepted."""

    def move(key: Array, position: Position, density: Density) -> Position:
        return jax.lax.fori_loop(
            0, 8, lambda index, here: flipped(jax.random.fold_in(key, index), here, density, faults), position
        )

    return move


def flips_alone(key: Array, position: Position, density: Density) -> Position:
    return flips.flip_sweep(key, position, density, 3)[0]


def reversals_of(volume: float):
    """Their volume taken to a power."""
    genuine = reversals._reverse_neuron

    def reversed_with(*given):
        proposal = genuine(*given)
        return proposal._replace(log_volume=volume * proposal.log_volume)

    def move(key: Array, position: Position, density: Density) -> Position:
        with mock.patch.object(reversals, "_reverse_neuron", reversed_with):
            return reversals.reversal_sweep(key, position, density, 3)[0]

    return move


def recurrent(key: Array, position: Position, density: Density) -> Position:
    return recurrent_rotation_sweep(key, position, density, 2)


def deep(depth: int, space: str) -> Problem:
    """Sigmoid neurons that saturate, below others; more than samples, so that function space is a form of its own."""
    posterior = small_posterior("sigmoid", samples=3, width=4, depth=depth, temperature=0.03, weight_variance=8.0)
    return Problem(f"sigmoid, {depth} layers, {space}", posterior.density(space))


def rotations_below(visits: int):
    return lambda key, position, density: lower_rotation_sweep(key, position, density, visits)[0]


def deep_relu(space: str) -> Problem:
    posterior = small_posterior("relu", samples=3, width=4, depth=2, bias=True, temperature=0.1, weight_variance=3.0)
    return Problem(f"ReLU, 2 layers, {space}", posterior.density(space))


def steps() -> Problem:
    posterior = small_posterior("relu", samples=3, width=4, depth=3, bias=True, recurrent=True, weight_variance=2.0)
    return Problem("recurrent", posterior.density())


#: A reversible move, and where it acts. Layers that take turns are reversible in an odd number of visits, two
#: rotations, the second of a pair drawn by weight, never.
MOVES = {
    "jumps": (jumps_of(Faults()), lambda: problem("sigmoid reduced")),
    "a rotation": (rotations_of(1), lambda: problem("relu weights")),
    "flips in weights": (flips_alone, lambda: deep(2, "weights")),
    "flips in function space": (flips_alone, lambda: deep(3, "function")),
    "reversals in weights": (reversals_of(1.0), lambda: deep(2, "weights")),
    "reversals in function space": (reversals_of(1.0), lambda: deep(3, "function")),
    "a rotation below, in weights": (rotations_below(1), lambda: deep_relu("weights")),
    "a rotation below, in function space": (rotations_below(1), lambda: deep_relu("function")),
    "recurrent rotations": (recurrent, steps),
}
BROKEN = {
    "jumps without volumes": (jumps_of(Faults(volume=0.0)), lambda: problem("sigmoid reduced")),
    "jumps without the prior": (jumps_of(Faults(prior=0.0)), lambda: problem("sigmoid reduced")),
    "reversals without volumes": (reversals_of(0.0), lambda: deep(2, "reduced")),
    "flips that nothing takes up": (flips_of(Faults(taken_up=0.0)), lambda: deep(2, "reduced")),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MOVES)
def test_joint_distribution_and_ranks_of_moves(name):
    move, where = MOVES[name]
    kept, at = kernel(move), where()
    assert not verdict(joint, kept, at, seed=21)
    assert not verdict(ranks, kept, at, seed=22)


@pytest.mark.slow
def test_joint_distribution_of_rotations_of_pairs_drawn_by_weight():
    assert not verdict(joint, kernel(rotations_of(2)), problem("relu weights"), seed=23)
    assert not verdict(joint, kernel(rotations_below(2)), deep_relu("weights"), seed=26)


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_broken_moves_fail(name):
    move, where = BROKEN[name]
    lost, at = kernel(move), where()
    assert verdict(joint, lost, at, seed=24) or verdict(ranks, lost, at, seed=25)
