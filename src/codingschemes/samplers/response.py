"""How the other neurons give way when one takes another code: what concerted jumps have frozen, beside the modes."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density
from codingschemes.samplers.climbs import Reference
from codingschemes.samplers.jumps import frozen_weights
from codingschemes.samplers.modes import Modes, mode_of
from codingschemes.samplers.neighbourhood import cavities_of

#: Relative residual of the forces, and the most vectors they are made of.
_RESIDUAL, _KRYLOV = 1e-3, 60
#: Concerted attempts a step where neurons hardly change their codes alone: together they cost as much as these jumps.
_ATTEMPTS = 4
#: Changes of code a sweep, of all neurons alone, that are enough.
_ENOUGH = 1.0
#: How often codes that hold no neuron are tried, relative to those that hold many.
_HARDLY_ANY = 0.1


class Response(NamedTuple):
    """How a population gives way to a neuron that takes a code, to first order.

    Attributes:
        code: which of the codes that modes have a mode has.
        chance: how often attempts go from one code to another and back, symmetric, up to a factor.
        shift: of the coordinates of neurons of each code, for one more neuron with another, (that code, code,
            component); of either in its mode that holds most.
        attempts: concerted jumps that are worth trying in a step: none where all modes have one code.
    """

    code: Int[Array, " K"]
    chance: Float[Array, "H H"]
    shift: Float[Array, "H H R"]
    attempts: Int[Array, ""]


def response_of(modes: Modes, reference: Reference, neurons: Float[Array, "chains N P"], density: Density) -> Response:
    """The response of a population that was searched, with one hidden layer.

    Args:
        modes: those of the reference.
        reference: the population.
        neurons: activity in all chains: they say which codes neurons have.
        density: of the whole network.
    """
    bits = modes.activity @ density.class_average > density.network.activation.midpoint
    first = jnp.argmax(jnp.all(bits[:, None] == bits, axis=2) & modes.found, axis=1)
    ones, code = jnp.unique(first, size=min(len(first), 2 ** bits.shape[1]), return_inverse=True)
    of_code = (code == jnp.arange(len(ones))[:, None]) & modes.found
    in_mode = jnp.mean(jax.vmap(_held, (0, None))(neurons, modes), axis=0)
    heads, held = jnp.argmax(jnp.where(of_code, in_mode, -1.0), axis=1), of_code @ in_mode
    weight = jnp.any(of_code, axis=1) * (held + _HARDLY_ANY) / (held + 1)
    own = jax.vmap(mode_of, (0, None))(reference.activity, modes)
    stuck = (jnp.sum(weight > 0) > 1) & (_crossing(modes, own, code, reference, density) < _ENOUGH)
    shift = jax.lax.cond(
        stuck,
        lambda: _shifts(modes, heads, held, reference, density),
        lambda: jnp.zeros((len(heads), len(heads), modes.centre.shape[1])),
    )
    return Response(
        code=code,
        chance=jnp.outer(weight, weight) * ~jnp.eye(len(weight), dtype=bool),
        shift=jnp.where(jnp.isfinite(shift), shift, 0.0),
        attempts=jnp.where(stuck, _ATTEMPTS, 0),
    )


def _held(neurons: Float[Array, "N P"], modes: Modes) -> Float[Array, " K"]:
    """How many neurons each mode holds."""
    own = jax.vmap(mode_of, (0, None))(neurons, modes)
    return jnp.zeros(len(modes.found)).at[own].add(1.0)


def _shifts(
    modes: Modes, heads: Int[Array, " H"], count: Float[Array, " H"], reference: Reference, density: Density
) -> Float[Array, "H H R"]:
    """What one more neuron in the `heads` of each code does to the coordinates of neurons of each, as if all of these
    were in its head.

    With activity phi it adds c phi phi^T to S, and changes the force that every other neuron feels. Each follows its
    force within its mode (`Modes.response`), alike in all of a code, and that changes S again:

        f_k = f_k[c phi phi^T + sum_l n_l c (phi_l dphi_l^T + dphi_l phi_l^T)],    dphi_l = (d phi_l / d force) f_l,

    linear equations for the forces f, solved by GMRES; no exactness hangs on the solution.
    """
    basis, phi, inverse = density.basis, modes.activity[heads], reference.inverse
    field = inverse @ density.targets
    felt, image = (phi @ field) @ field.T, phi @ inverse
    gain = jnp.where(modes.found[heads, None], modes.gain[heads], 0.0)
    count = count[:, None]

    def responses(forces: Float[Array, "H P"]) -> Float[Array, "H R"]:
        return jax.lax.map(lambda row: modes.response(*row), (heads, forces))

    def force(change: Callable[[Float[Array, "H P"]], Float[Array, "H P"]]) -> Float[Array, "H P"]:
        """The change of the force on each code, from what a change of S makes of vectors."""
        of_felt, of_image = change(felt), change(image)
        return -density.scaled_readout_variance * (
            (of_felt - field.shape[1] * of_image) @ inverse + (of_image @ field) @ field.T
        )

    def given_way(forces: Float[Array, "H P"]) -> Float[Array, "H P"]:
        moved = gain * (responses(forces) @ basis.T)
        return force(
            lambda x: density.scaled_readout_variance * ((x @ moved.T) @ (count * phi) + (x @ phi.T) @ (count * moved))
        )

    def shift(added: Float[Array, " P"]) -> Float[Array, "H R"]:
        alone = force(lambda x: density.scaled_readout_variance * jnp.outer(x @ added, added))
        forces, _ = jax.scipy.sparse.linalg.gmres(
            lambda forces: forces - given_way(forces), alone, tol=_RESIDUAL, restart=_KRYLOV, maxiter=1
        )
        return responses(forces)

    return jax.lax.map(shift, jnp.where(modes.found[heads, None], phi, 0.0))


def _crossing(
    modes: Modes, own: Int[Array, " N"], code: Int[Array, " K"], reference: Reference, density: Density
) -> Float[Array, ""]:
    """How many neurons a sweep of jumps would take to another code, by Laplace's weights."""
    population = reference.population(density)
    images = modes.images(population.inverse)

    def leaves(neuron: Array) -> Array:
        log_weights = frozen_weights(cavities_of(population, neuron[None], density), modes, images)
        return jnp.sum(jax.nn.softmax(log_weights[0]), where=code != code[own[neuron]])

    return jnp.sum(jax.lax.map(leaves, jnp.arange(len(own)))) / 2
