"""The compiled part of a run: a chunk of steps on all chains, recorded as they go.

A chunk of any length is one compiled program: its length and whether it records are run-time values.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as Spec
from jaxtyping import Array, Bool, Float, Int

from codingschemes.devices import CHAIN, EVERYWHERE
from codingschemes.posterior import Density
from codingschemes.runs.observables import Record, observe
from codingschemes.samplers import Kernel

#: The longest chunk, in iterations, is as long as its neurons fill this many bytes a chain; within limits.
_CHUNK_BYTES = 2e6
_SHORTEST, _LONGEST = 50, 500


def capacity(density: Density) -> int:
    """The longest chunk, in iterations; also the length of the stored chunks along `draw`."""
    network = density.network
    neurons = network.width * (network.depth * density.targets.shape[0] + density.targets.shape[1])
    return int(np.clip(_CHUNK_BYTES / (np.dtype(np.float32).itemsize * neurons), _SHORTEST, _LONGEST))


class Program(NamedTuple):
    """What stays the same over a run.

    Attributes:
        density: what is sampled.
        membership: one-hot class of each training sample.
        record_key: randomness of what is recorded, folded with the iteration and the chain.
    """

    density: Density
    membership: Float[Array, "P G"]
    record_key: Array


@functools.partial(jax.jit, static_argnums=(0, 1))
def advance(
    kernel: Kernel,
    mesh: Mesh,
    program: Program,
    states: Any,
    first: Int[Array, ""],
    count: Int[Array, ""],
    recording: Bool[Array, ""],
) -> tuple[Any, Record]:
    """`count` <= `capacity` steps of every chain from iteration `first` on, chains spread over the devices of `mesh`.

    Returns:
        The new states, and records of shape (capacity, chain, ...) whose first `count` rows are filled; only
        `sample_stats` where not `recording`.
    """
    chains = jax.tree.leaves(states)[0].shape[0]
    on_devices = jax.shard_map(
        functools.partial(_advance_here, kernel),
        mesh=mesh,
        in_specs=(EVERYWHERE, CHAIN, CHAIN, EVERYWHERE, EVERYWHERE, EVERYWHERE),
        out_specs=(CHAIN, Spec(None, *CHAIN)),
        check_vma=False,
    )
    return on_devices(program, states, jnp.arange(chains), first, count, recording)


def _advance_here(
    kernel: Kernel, program: Program, states: Any, chains: Array, first: Array, count: Array, recording: Array
) -> tuple[Any, Record]:
    """`advance` for the chains of one device."""
    step = jax.vmap(kernel.step, (0, None))

    def record(states: Any, iteration: Array) -> Record:
        positions = jax.vmap(kernel.position)(states)
        keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.fold_in(program.record_key, iteration), chains)
        return jax.vmap(observe, (0, 0, None, None))(keys, positions, program.density, program.membership)

    blank = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(record, states, first))

    def iterate(states: Any, iteration: Array) -> tuple[Any, Record]:
        states, info = step(states, program.density)
        observed = jax.lax.cond(recording, lambda: record(states, iteration), lambda: blank)
        stats = {
            "lp": -info.potential,
            "acceptance_rate": info.acceptance_rate,
            "n_steps": info.gradients,
            "diverging": info.diverging,
            "step_size": info.step_size,
            "switches": jnp.broadcast_to(jnp.asarray(info.switches), info.potential.shape),
        }
        return states, {**observed, "sample_stats": stats}

    def body(offset: Array, carry: tuple[Any, Record]) -> tuple[Any, Record]:
        states, rows = carry
        states, row = iterate(states, first + offset)
        return states, jax.tree.map(lambda stack, value: stack.at[offset].set(value), rows, row)

    row_shapes = jax.eval_shape(iterate, states, first)[1]
    rows = jax.tree.map(lambda leaf: jnp.zeros((capacity(program.density), *leaf.shape), leaf.dtype), row_shapes)
    return jax.lax.fori_loop(0, count, body, (states, rows))


def to_host(rows: Record, count: int) -> dict[str, dict[str, np.ndarray]]:
    """The filled rows as numpy arrays (chain, draw, ...)."""
    return jax.tree.map(lambda values: np.swapaxes(np.asarray(values)[:count], 0, 1), rows)
