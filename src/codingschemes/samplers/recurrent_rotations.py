"""Pairs of neurons of a recurrent layer turn into each other, exactly.

With Q a rotation of neurons i and j, (u, W, a) -> (Q u, Q W Q^T, Q a): the inputs, the recurrent weights and the
readouts of the two are mixed, and the prior, a function of norms, stays as it is. So does the likelihood where the two
ReLU neurons point the same way at every step and sample, or where neurons of any activation are in their linear range:
one may take over the other's share, which gradients hardly ever find. In a layer that others are stacked upon this is
`rotations`; here a neuron's activity comes back, so that all neurons change and a trial costs a forward pass.

The angle is drawn by slice sampling on the circle (Murray, Adams & MacKay 2010), which never rejects. The first of a
pair is drawn with a chance proportional to |u_i|^2, the second uniformly: the chance of the pair, in either order, is a
function of |u_i|^2 + |u_j|^2 and of the sum over all, which the rotation conserves.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density, Position
from codingschemes.samplers.rotations import shrinking_angles, slice_angle

#: Angles tried together, and how many times before everything stays as it is.
_TRIALS = 4
_ROUNDS = 8


def recurrent_rotation_sweep(key: Array, position: Position, density: Density, visits: int) -> Position:
    """`visits` pairs, one after the other."""
    pair_key, level_key, angle_key = jax.random.split(key, 3)
    dtype = position["input"].dtype
    chosen = jax.random.uniform(pair_key, (visits, 2), dtype)
    levels = jnp.log(jax.random.uniform(level_key, (visits,), dtype))
    angles = jax.vmap(shrinking_angles)(jax.random.uniform(angle_key, (visits, _ROUNDS, _TRIALS), dtype))

    def visit(index: Array, position: Position) -> Position:
        pair = _drawn_pair(position, chosen[index])

        def log_density(angles: Float[Array, " K"]) -> Float[Array, " K"]:
            return -jax.vmap(lambda angle: density.misfit(rotate(position, pair, angle)))(angles)

        return rotate(position, pair, slice_angle(log_density, angles[index], levels[index]))

    return jax.lax.fori_loop(0, visits, visit, position)


def _drawn_pair(position: Position, uniform: Float[Array, " 2"]) -> Int[Array, " 2"]:
    weights = jnp.cumsum(jnp.sum(position["input"] ** 2, axis=1))
    first = jnp.argmax(weights > uniform[0] * weights[-1])
    apart = 1 + jnp.floor(uniform[1] * (len(weights) - 1)).astype(int)
    return jnp.stack([first, (first + apart) % len(weights)])


def rotate(position: Position, pair: Int[Array, " 2"], angle: Float[Array, ""]) -> Position:
    """The position with two neurons rotated into each other."""
    rotation = jnp.array([[jnp.cos(angle), jnp.sin(angle)], [-jnp.sin(angle), jnp.cos(angle)]])

    def mix(rows: Float[Array, "N K"]) -> Float[Array, "N K"]:
        return rows.at[pair].set(rotation @ rows[pair])

    after = {name: mix(block) for name, block in position.items() if name != "hidden"}
    return {**after, "hidden": mix(mix(position["hidden"][0]).T).T[None]}
