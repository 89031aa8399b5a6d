"""The compiled part of a run: a chunk of steps on all chains, recorded as they go.

A chunk of any length is one compiled program: its length and whether it records are run-time values.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as Spec
from jaxtyping import Array, Bool, Float, Int

from codingschemes.compiled import QUICKLY
from codingschemes.devices import CHAIN, EVERYWHERE, place
from codingschemes.posterior import Density, Position
from codingschemes.runs.observables import observe
from codingschemes.runs.packing import ByDtype, Layout, Rows, Variable
from codingschemes.samplers import Kernel
from codingschemes.samplers.settling import in_common

#: The longest chunk, in iterations, is as long as its neurons fill this many bytes a chain; within limits.
_CHUNK_BYTES = 2e6
_SHORTEST, _LONGEST = 50, 2000
#: Draws are observed together, as many as make up this many numbers a chain; within limits.
_BLOCK_NUMBERS = 1e4
_MOST_TOGETHER = 50
#: What every step tells about itself.
STATS = Layout(
    Variable("sample_stats", name, (), np.dtype(kind))
    for name, kind in {
        "lp": float,
        "acceptance_rate": float,
        "n_steps": int,
        "diverging": bool,
        "step_size": float,
        "switches": int,
    }.items()
)

#: Compiled with what calls it, but traced once.
_observe = jax.jit(observe)


def capacity(density: Density) -> int:
    """The longest chunk, in iterations; also the length of the stored chunks along `draw`."""
    return int(np.clip(_CHUNK_BYTES / (np.dtype(np.float32).itemsize * _neurons(density)), _SHORTEST, _LONGEST))


def _neurons(density: Density) -> int:
    """Numbers recorded of the neurons in each draw."""
    network = density.network
    return network.width * (network.depth * density.targets.shape[0] + density.targets.shape[1])


def _together(density: Density) -> int:
    """Draws that are observed together: of small networks one alone costs little but the start of each operation."""
    return int(np.clip(_BLOCK_NUMBERS / _neurons(density), 1, _MOST_TOGETHER))


def row_count(density: Density) -> int:
    """Rows that the records of a chunk have room in."""
    size = _together(density)
    return (-(-capacity(density) // size) + 1) * size


class Program(NamedTuple):
    """What steps leave as it is.

    Attributes:
        density: what is sampled.
        membership: one-hot class of each training sample.
        record_key: randomness of what is recorded, folded with the iteration and the chain.
        common: what chains have in common after a search (see `samplers.kernel.Search`); None where that is nothing.
    """

    density: Density
    membership: Float[Array, "P G"]
    record_key: Array
    common: Any = None


class Machine(NamedTuple):
    """What moves the chains of a run: compiled programs are made from it and the states."""

    kernel: Kernel
    mesh: Mesh
    program: Program

    @property
    def parts(self) -> tuple[Kernel, Mesh, Program]:
        """What programs are compiled from: not the length of the warm-up."""
        return self.kernel.without_schedule(), self.mesh, self.program

    def informed(self, states: Any) -> "Machine":
        """With what these states have in common."""
        return self._replace(program=_informed(*self.parts, states))

    def searched(self, states: Any, *, wanted: bool = True) -> tuple["Machine", Any]:
        """After chains have searched together, with their states then; where not `wanted` programs are compiled, and
        what comes back means nothing."""
        program, states = search(*self.parts, states, jnp.asarray(wanted))
        return self._replace(program=program), states


@functools.partial(jax.jit, static_argnums=0, compiler_options=QUICKLY)
def begin(kernel: Kernel, keys: Array, positions: Position, density: Density) -> tuple[Array, Any]:
    """Energies and states of all chains before their first step. One program: step by step it would be a hundred."""
    return jax.vmap(density.potential)(positions), jax.vmap(kernel.init, (0, 0, None))(keys, positions, density)


def observed_layout(program: Program) -> Layout:
    """What is observed of every draw; shapes in the place of arrays are enough."""
    key = program.record_key
    position = jax.eval_shape(lambda density, key: density.prior_draw(key), program.density, key)
    return Layout.of(jax.eval_shape(_observe, key, position, program.density, program.membership))


class Stretch(NamedTuple):
    """Steps to take: run-time values of a program.

    Attributes:
        first: iteration.
        length: how many, at most `capacity`.
        recording: whether what is observed of them is recorded.
    """

    first: Int[Array, ""]
    length: Int[Array, ""]
    recording: Bool[Array, ""]

    @classmethod
    def of(cls, first: int, length: int, *, recording: bool) -> "Stretch":
        return cls(jnp.asarray(first), jnp.asarray(length), jnp.asarray(recording))


@functools.partial(jax.jit, static_argnums=(0, 1), compiler_options=QUICKLY)
def advance(kernel: Kernel, mesh: Mesh, program: Program, states: Any, stretch: Stretch) -> tuple[Any, Rows]:
    """A stretch of steps of every chain, chains spread over the devices of `mesh`.

    Returns:
        The new states, and the records of these steps: zeros for what is observed where not `recording`.
    """
    chains = jax.tree.leaves(states)[0].shape[0]
    layout = observed_layout(program)
    on_devices = jax.shard_map(
        functools.partial(_advance_here, kernel, layout),
        mesh=mesh,
        in_specs=(EVERYWHERE, CHAIN, CHAIN, EVERYWHERE),
        out_specs=(CHAIN, Spec(None, *CHAIN), Spec(None, *CHAIN)),
        check_vma=False,
    )
    states, observed, stats = on_devices(program, states, jnp.arange(chains), stretch)
    return states, Rows(observed, stats, stretch.first % _together(program.density), layout, STATS)


def _advance_here(
    kernel: Kernel,
    layout: Layout,
    program: Program,
    states: Any,
    chains: Array,
    stretch: Stretch,
) -> tuple[Any, ByDtype, ByDtype]:
    """`advance` for the chains of one device."""
    first, count, recording = stretch
    step = jax.vmap(kernel.step_with(program.common), (0, None))
    size = _together(program.density)
    # An iteration has the same place among those observed with it wherever chunks begin: so has its last digit.
    start = first // size * size

    def observed(position: Position, iteration: Array, chain: Array) -> ByDtype:
        key = jax.random.fold_in(jax.random.fold_in(program.record_key, iteration), chain)
        return layout.pack(_observe(key, position, program.density, program.membership))

    def observe_block(positions: Position, begin: Array) -> ByDtype:
        each = jax.vmap(jax.vmap(observed, (0, None, 0)), (0, 0, None))
        return each(positions, begin + jnp.arange(size), chains)

    def iterate(states: Any) -> tuple[Any, tuple[Position, ByDtype]]:
        states, info = step(states, program.density)
        stats = {
            "lp": -info.potential,
            "acceptance_rate": info.acceptance_rate,
            "n_steps": info.gradients,
            "diverging": info.diverging,
            "step_size": info.step_size,
            "switches": jnp.broadcast_to(jnp.asarray(info.switches), info.potential.shape),
        }
        return states, (jax.vmap(kernel.position)(states), jax.vmap(STATS.pack)({"sample_stats": stats}))

    unobserved = layout.blank(size, len(chains))
    blank = _blank(jax.eval_shape(jax.vmap(kernel.position), states), size), STATS.blank(size, len(chains))

    def block(index: Array, carry: tuple[Any, tuple[ByDtype, ByDtype]]) -> tuple[Any, tuple[ByDtype, ByDtype]]:
        states, rows = carry
        begin = start + index * size

        def body(offset: Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
            states, row = iterate(carry[0])
            return states, jax.tree.map(lambda stack, value: stack.at[offset].set(value), carry[1], row)

        ends = jnp.maximum(first - begin, 0), jnp.minimum(first + count - begin, size)
        states, (positions, stats) = jax.lax.fori_loop(*ends, body, (states, blank))
        seen = jax.lax.cond(recording, lambda: observe_block(positions, begin), lambda: unobserved)
        rows = jax.tree.map(
            lambda stack, values: jax.lax.dynamic_update_slice_in_dim(stack, values, index * size, axis=0),
            rows,
            (seen, stats),
        )
        return states, rows

    length = row_count(program.density)
    rows = layout.blank(length, len(chains)), STATS.blank(length, len(chains))
    blocks = (first + count - start + size - 1) // size
    moved, (seen, stats) = jax.lax.fori_loop(0, blocks, block, (states, rows))
    return moved, seen, stats


def search(kernel: Kernel, mesh: Mesh, program: Program, states: Any, wanted: Bool[Array, ""]) -> tuple[Program, Any]:
    """The program and the states of all chains after they have searched together (see `samplers.kernel.Search`), in
    programs that do nothing where not `wanted`."""
    if kernel.search is None:
        return program, states
    own, told = _explore(kernel, mesh, program, states, wanted)
    states = _adopt(kernel, mesh, program, states, own, place(told, mesh, EVERYWHERE), wanted)
    return _informed(kernel, mesh, program, states), states


def _informed(kernel: Kernel, mesh: Mesh, program: Program, states: Any) -> Program:
    """The program with what the chains have in common. It is made on one device: what all cores read lies in memory
    once."""
    if kernel.search is None:
        return program
    first = Mesh(mesh.devices.flat[:1], mesh.axis_names)
    common = _common(kernel, *place((program.density, states), first, EVERYWHERE))
    return program._replace(common=place(common, mesh, EVERYWHERE))


@functools.partial(jax.jit, static_argnums=0, compiler_options=QUICKLY)
def _common(kernel: Kernel, density: Density, states: Any) -> Any:
    return in_common(kernel, states, density)


@functools.partial(jax.jit, static_argnums=(0, 1), compiler_options=QUICKLY)
def _explore(kernel: Kernel, mesh: Mesh, program: Program, states: Any, wanted: Bool[Array, ""]) -> tuple[Any, Any]:
    assert kernel.search is not None
    lend, explore = kernel.search.lend, kernel.search.explore

    def found(everywhere: Program, state: Any) -> tuple[Any, Any]:
        return explore(lend(state, everywhere.common), everywhere.density)

    return _each_chain(found, mesh, program, wanted, states)


@functools.partial(jax.jit, static_argnums=(0, 1), compiler_options=QUICKLY)
def _adopt(
    kernel: Kernel, mesh: Mesh, program: Program, states: Any, own: Any, told: Any, wanted: Bool[Array, ""]
) -> Any:
    assert kernel.search is not None
    adopt = kernel.search.adopt

    def adopted(everywhere: tuple[Density, Any], state: Any, own: Any) -> Any:
        density, told = everywhere
        return adopt(state, own, told, density)

    return _each_chain(adopted, mesh, (program.density, told), wanted, states, own)


def _each_chain(function: Callable[..., Any], mesh: Mesh, everywhere: Any, wanted: Array, *along: Any) -> Any:
    """`function` of what is the same everywhere and of each chain's own, one chain after the other on each device, as
    it needs more memory than a step; zeros where not `wanted`."""

    @functools.partial(jax.jit, inline=True)  # traced once for its shapes and for itself
    def each(everywhere: Any, along: tuple[Any, ...]) -> Any:
        return jax.lax.map(lambda one: function(everywhere, *one), along)

    def here(everywhere: Any, wanted: Array, *along: Any) -> Any:
        shapes = jax.eval_shape(each, everywhere, along)
        return jax.lax.cond(wanted, lambda: each(everywhere, along), lambda: _blank(shapes))

    chains = (CHAIN,) * len(along)
    spread = jax.shard_map(
        here, mesh=mesh, in_specs=(EVERYWHERE, EVERYWHERE, *chains), out_specs=CHAIN, check_vma=False
    )
    return spread(everywhere, wanted, *along)


def _blank(shapes: Any, *leading: int) -> Any:
    return jax.tree.map(lambda leaf: jnp.zeros((*leading, *leaf.shape), leaf.dtype), shapes)
