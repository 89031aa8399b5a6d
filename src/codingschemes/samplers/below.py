"""What `codes` does to single neurons below the last layer in a step, and how often: flips and reversals of bounded
neurons, rotations of threshold neurons, mirror images of odd ones."""

import math
from typing import NamedTuple

import jax
from jaxtyping import Array, Int

from codingschemes.posterior import Density, Position
from codingschemes.samplers.flips import flip_sweep
from codingschemes.samplers.lower_rotations import lower_rotation_sweep
from codingschemes.samplers.mirrors import mirror
from codingschemes.samplers.reversals import reversal_sweep
from codingschemes.samplers.rotations import over_chains

#: Flips and reversals in a step, as shares of the neurons of a layer: each costs a third of a gradient.
_FLIPS, _REVERSALS = 1 / 6, 1 / 2
#: Pairs that rotate in a step, of each layer, and angles that a pair tries, about: each costs as much.
_PAIRS, _ANGLES = 1, 5


class Visits(NamedTuple):
    """In a step, to all layers below the last, as many to each: neurons that are asked to flip and for a reversal (in a
    layer of more features than there are classes), and pairs that rotate."""

    flips: int = 0
    reversals: int = 0
    rotations: int = 0

    @property
    def gradients(self) -> int:
        """The time they take, in gradients, about."""
        return (self.flips + self.reversals + _ANGLES * self.rotations + 2) // 3


def visits_below(density: Density) -> Visits:
    """How many there are in a step."""
    network = density.network
    layers = network.depth - 1
    if layers == 0 or network.width == 1 or network.recurrent:
        return Visits()
    if network.activation.family == "threshold":
        return Visits(rotations=layers * _PAIRS)
    if not network.activation.bounded:
        return Visits()
    flipped = _FLIPS if network.activation.family == "sigmoidal" else 0.0
    reversed_ = _REVERSALS if network.hidden_feature_count > density.class_average.shape[1] else 0.0
    return Visits(*(layers * math.ceil(share * network.width / layers) for share in (flipped, reversed_)))


def move_below(key: Array, position: Position, density: Density) -> tuple[Position, int | Int[Array, ""]]:
    """The position after these, mirror images of neurons of the last layer too; also how many proposals that was."""
    move_key, reversal_key, mirror_key = jax.random.split(key, 3)
    if density.network.activation.family == "odd":
        position = mirror(mirror_key, position, density)
    visits = visits_below(density)
    if visits.rotations:
        return _rotate(move_key, position, density, visits.rotations)
    if visits.flips:
        position, _ = flip_sweep(move_key, position, density, visits.flips)
    if visits.reversals:
        position, _ = reversal_sweep(reversal_key, position, density, visits.reversals)
    return position, visits.flips + visits.reversals


def _rotate(key: Array, position: Position, density: Density, pairs: int) -> tuple[Position, Int[Array, ""]]:
    def sweep(key: Array, position: Position, density: Density) -> tuple[Position, Int[Array, ""]]:
        return lower_rotation_sweep(key, position, density, pairs)

    return over_chains(sweep, density)(key, position, density)
