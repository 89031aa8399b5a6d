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
from codingschemes.samplers.neighbourhood import LastLayer, cavities_of

#: Relative residual of the forces, and the most vectors they are made of.
_RESIDUAL, _KRYLOV = 1e-3, 60
#: Concerted attempts a step where neurons hardly change their codes alone: together they cost as much as these jumps.
_ATTEMPTS = 4
#: Changes of code a sweep, of all neurons alone, that are enough.
_ENOUGH = 1.0


class Response(NamedTuple):
    """How a population gives way to a neuron that takes a mode, to first order.

    Attributes:
        kind: the first mode with the same code.
        weight: how much of all attempts a mode gets: as much for every code, shared in proportion to the neurons in its
            modes, and half a neuron each.
        shift: of the coordinates of neurons of each kind, for one more neuron in a mode, (mode, kind, component).
        attempts: concerted jumps that are worth trying in a step: none where all modes have one code.
    """

    kind: Int[Array, " K"]
    weight: Float[Array, " K"]
    shift: Float[Array, "K K R"]
    attempts: Int[Array, ""]


def response_of(modes: Modes, reference: Reference, density: Density) -> Response:
    """The response of the neurons that were searched, with one hidden layer."""
    own = jax.vmap(mode_of, (0, None))(reference.activity, modes)
    held = jnp.zeros(len(modes.found)).at[own].add(1.0)
    bits = modes.activity @ density.class_average > density.network.activation.midpoint
    kind = jnp.argmax(jnp.all(bits[:, None] == bits, axis=2) & modes.found, axis=1)
    count = jnp.zeros_like(held).at[kind].add(held)
    heavy = (held + 0.5) * modes.found
    share = heavy / jnp.zeros_like(heavy).at[kind].add(heavy)[kind]
    elsewhere = jnp.any(modes.found & (kind != kind[0]))  # those found come first
    stuck = elsewhere & (_crossing(modes, own, kind, reference, density) < _ENOUGH)
    shift = jax.lax.cond(
        stuck,
        lambda: _shifts(modes, count, reference, density),
        lambda: jnp.zeros((len(kind), *modes.centre.shape)),
    )
    return Response(
        kind=kind,
        weight=jnp.where(modes.found, share, 0.0),
        shift=jnp.where(jnp.isfinite(shift), shift, 0.0),
        attempts=jnp.where(stuck, _ATTEMPTS, 0),
    )


def _shifts(modes: Modes, count: Float[Array, " K"], reference: Reference, density: Density) -> Float[Array, "K K R"]:
    """What one more neuron in each mode does to the coordinates of neurons in each.

    With activity phi it adds c phi phi^T to S, and changes the force that every other neuron feels. Each follows its
    force within its mode (`Modes.response`), alike in all of a code, and that changes S again:

        f_k = f_k[c phi phi^T + sum_l n_l c (phi_l dphi_l^T + dphi_l phi_l^T)],    dphi_l = (d phi_l / d force) f_l,

    linear equations for the forces f, solved by GMRES; no exactness hangs on the solution.
    """
    basis, phi, inverse = density.basis, modes.activity, reference.inverse
    field = inverse @ density.targets
    felt, image = (phi @ field) @ field.T, phi @ inverse
    gain = jnp.where(modes.found[:, None], modes.gain, 0.0)
    count = count[:, None]

    def force(change: Callable[[Float[Array, "K P"]], Float[Array, "K P"]]) -> Float[Array, "K P"]:
        """The change of the force on each mode, from what a change of S makes of vectors."""
        of_felt, of_image = change(felt), change(image)
        return -density.scaled_readout_variance * (
            (of_felt - field.shape[1] * of_image) @ inverse + (of_image @ field) @ field.T
        )

    def given_way(forces: Float[Array, "K P"]) -> Float[Array, "K P"]:
        moved = gain * (modes.responses(forces) @ basis.T)
        return force(
            lambda x: density.scaled_readout_variance * ((x @ moved.T) @ (count * phi) + (x @ phi.T) @ (count * moved))
        )

    def shift(added: Float[Array, " P"]) -> Float[Array, "K R"]:
        alone = force(lambda x: density.scaled_readout_variance * jnp.outer(x @ added, added))
        forces, _ = jax.scipy.sparse.linalg.gmres(
            lambda forces: forces - given_way(forces), alone, tol=_RESIDUAL, restart=_KRYLOV, maxiter=1
        )
        return modes.responses(forces)

    return jax.lax.map(shift, jnp.where(modes.found[:, None], phi, 0.0))


def _crossing(
    modes: Modes, own: Int[Array, " N"], kind: Int[Array, " K"], reference: Reference, density: Density
) -> Float[Array, ""]:
    """How many neurons a sweep of jumps would take to another code, by Laplace's weights."""
    population = LastLayer(
        jnp.zeros((len(own), density.basis.shape[1])),
        density.basis,
        reference.activity,
        reference.inverse,
        reference.inverse @ density.targets,
        jnp.asarray(jnp.nan),  # the modes' weights are relative
    )

    images = modes.activity @ population.inverse

    def leaves(neuron: Array) -> Array:
        log_weights = frozen_weights(cavities_of(population, neuron[None], density), modes, images)
        return jnp.sum(jax.nn.softmax(log_weights[0]), where=kind != kind[own[neuron]])

    return jnp.sum(jax.lax.map(leaves, jnp.arange(len(own)))) / 2
