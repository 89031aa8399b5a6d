"""What samplers without a Metropolis test share: a trajectory that lost the energy is refused."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from codingschemes.posterior import Scalar
from codingschemes.samplers.transition import DIVERGENCE, Point, TransitionInfo


def unless_diverged(
    moved: Point, point: Point, error: Scalar, *, acceptance_rate: Scalar, gradients: Array
) -> tuple[Point, TransitionInfo]:
    """The end of a trajectory, or its beginning where the integrator lost the energy on the way.

    Nothing else would bring an unadjusted chain back: beyond the stable step it climbs, with finite energies, to where
    only a vanishing step can move it.

    Args:
        moved, point: where the trajectory ended and began.
        error: energy that its steps failed to conserve, in all; not finite where the trajectory left for infinity.
        acceptance_rate: of its steps, 0 if it is refused.
        gradients: evaluations spent.
    """
    diverging = ~(error <= DIVERGENCE)  # so that NaN diverges
    kept = jax.tree.map(lambda new, old: jnp.where(diverging, old, new), moved, point)
    return kept, TransitionInfo(jnp.where(diverging, 0.0, acceptance_rate), gradients, diverging)
