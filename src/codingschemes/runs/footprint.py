"""How much memory and disk a run takes, from the shapes of its arrays: known before anything is computed.

For N neurons, P samples, R <= P components, L layers and K modes of a neuron all chains together hold K R^2 numbers of
modes where neurons jump; all else is of the order of L N P and P^2 for each of them. What XLA sets aside while it works
is not known without compiling: multiples of these, measured (benchmarks/cost.md).
"""

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, get_args

import jax
import numpy as np

from codingschemes.devices import available_memory, chain_mesh, device_memory
from codingschemes.errors import InvalidInput, is_out_of_memory
from codingschemes.posterior import Density, Posterior, Space
from codingschemes.runs import folder
from codingschemes.runs.checkpoint import HELD
from codingschemes.runs.chunks import STATS, Program, begin, observed_layout, row_count
from codingschemes.runs.configuration import Sampling
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.packing import Layout
from codingschemes.runs.run import CHECKPOINT
from codingschemes.samplers import SAMPLERS, Kernel, default_sampler
from codingschemes.samplers.settling import in_common

#: Bytes of Python, the libraries, and what they compile.
_PROCESS = 1_250_000_000
#: What XLA sets aside for a step of a chain: arrays of all coordinates, of (layer, neuron, sample) and of
#: (layer, sample, sample); for moves of single neurons, which chains of a device make in turn, some more of the last.
_OF_COORDINATES, _OF_NEURONS, _OF_SAMPLES, _OF_SAMPLES_FOR_MOVES = 8, 4, 2, 2
#: The same for every level of a tree, of all coordinates.
_OF_TREE_LEVELS = 6
#: Copies of a chunk's records on the host: as they come, taken apart, put together to be written. What waits to be
#: written is there twice, too.
_COPIES = 3
_DOUBLE = np.dtype(float).itemsize
#: Fewer draws are not proposed.
_LEAST_DRAWS = 100


class Memory(NamedTuple):
    """Bytes that a run holds at most.

    Attributes:
        states: of all chains, before and after a chunk; and the data, on every device.
        modes: what chains have in common, and what they find in a search while that is still there; cores hold it once,
            accelerators each for itself.
        buffers: what XLA sets aside while it works.
        records: of a chunk.
        copies: of these, on the host.
        draws: all of them, of a run that is held in memory.
        process: Python, its libraries, compiled programs.
    """

    states: int
    modes: int
    buffers: int
    records: int
    copies: int
    draws: int
    process: int

    @property
    def on_devices(self) -> int:
        """The part of accelerators, all together."""
        return self.states + self.modes + self.buffers + self.records

    @property
    def total(self) -> int:
        """All parts."""
        return sum(self)


class Disk(NamedTuple):
    """Bytes that a run folder grows to, before compression: of random numbers it saves little.

    Attributes:
        draws: of all chains.
        checkpoint: twice, as the last one is there until the next is whole.
    """

    draws: int
    checkpoint: int

    @property
    def total(self) -> int:
        """All parts."""
        return sum(self)


class Footprint(NamedTuple):
    """What a run takes: memory while it goes on, and disk, none where it is held in memory."""

    memory: Memory
    disk: Disk


def footprint(posterior: Posterior, sampling: Sampling, *, in_memory: bool = False) -> Footprint:
    """What a run takes, from shapes alone."""
    density, chains = posterior.density_shapes(sampling.space), sampling.chains
    kernel, key = SAMPLERS[sampling.sampler](sampling.settings), jax.eval_shape(jax.random.PRNGKey, 0)
    task = posterior.task
    membership: Any = jax.ShapeDtypeStruct((task.sample_count, task.class_count), float)
    program = Program(density, membership, key)
    keys = jax.eval_shape(lambda key: jax.random.split(key, chains), key)
    positions = jax.eval_shape(lambda key, density: density.prior_draws(key, chains), key, density)
    _, states = begin.eval_shape(kernel, keys, positions, density)
    observed = observed_layout(program)
    rows = jax.eval_shape(lambda: [layout.blank(row_count(density), chains) for layout in (observed, STATS)])
    draws = stored_bytes(observed, chains, sampling.draws)
    mesh, common = chain_mesh(chains), jax.eval_shape(lambda *given: in_common(kernel, *given), states, density)
    memory = Memory(
        states=2 * _bytes(states) + mesh.size * _bytes(program),
        modes=2 * _bytes(common) * (1 if device_memory(mesh) is None else mesh.size),
        buffers=_buffers(posterior, density, kernel, sampling),
        records=_bytes(rows),
        copies=_COPIES * _bytes(rows) + 2 * HELD,
        draws=draws if in_memory else 0,
        process=_PROCESS,
    )
    return Footprint(memory, Disk(0, 0) if in_memory else Disk(draws, 2 * _bytes(states)))


def _buffers(posterior: Posterior, density: Density, kernel: Kernel, sampling: Sampling) -> int:
    """Bytes that XLA sets aside on all devices together."""
    network, samples = posterior.network, posterior.task.sample_count
    numbers = density.dimension * _OF_COORDINATES
    if kernel.longest_tree is not None:  # the way back along a tree
        numbers += _OF_TREE_LEVELS * density.dimension * sampling.max_tree_depth
    numbers += network.depth * samples * (_OF_NEURONS * network.width + _OF_SAMPLES * samples)
    in_turn = 0
    if kernel.neuron_moves:
        in_turn = _DOUBLE * _OF_SAMPLES_FOR_MOVES * samples**2
    return sampling.chains * _DOUBLE * numbers + chain_mesh(sampling.chains).size * in_turn


def stored_bytes(observed: Layout, chains: int, draws: int) -> int:
    """Of stored draws before compression: what is observed, what steps tell, the number of each draw in every group."""
    a_draw = sum(math.prod(each.shape) * each.dtype.itemsize for each in (*observed, *STATS))
    return draws * (chains * a_draw + len(DIMENSIONS) * np.dtype(int).itemsize)


def check_room(posterior: Posterior, sampling: Sampling, out: Path | None, *, resumed: bool = False) -> Footprint:
    """What a run takes, where there is room for it.

    Args:
        out: the folder that it makes, or goes on in where `resumed`; None holds it in memory.

    Raises:
        InvalidInput: there is none, with what there would be room for; or the folder is taken or cannot be made.
    """
    needs = footprint(posterior, sampling, in_memory=out is None)
    if out is not None and not resumed:
        folder.check_free(out, needs.disk.draws // sampling.draws, sampling.draws, needs.disk.checkpoint)
    lack = _lack(needs.memory, sampling.chains)
    if lack is not None and resumed:
        raise InvalidInput(f"{lack}: go on with it on a larger machine")
    if lack is not None:
        fitting = _fitting(posterior, sampling, needs.memory, in_memory=out is None)
        fewer = "lower `width` or `samples`, or take a larger machine"
        raise InvalidInput(f"{lack}: " + (f"{' or '.join(fitting)} would fit" if fitting else fewer))
    return needs


@contextmanager
def within_memory(out: Path | None) -> Iterator[None]:
    """While inside, memory that runs out is said.

    Args:
        out: the folder of the run, whose draws are kept once there are any; None where it is held in memory.

    Raises:
        InvalidInput: in place of what Python and XLA raise then.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        less = "memory ran out: lower `chains`, `width` or `samples`, or take a larger machine"
        begun = out is not None and (out / CHECKPOINT).exists()
        kept = f"; what was kept in {out} can be gone on with there, with `resume=True`" if begun else ""
        raise InvalidInput(less + kept) from error


def _lack(memory: Memory, chains: int) -> str | None:
    """What there is no room for, as the beginning of a sentence."""
    devices = chain_mesh(chains)
    needed, each = memory.total, device_memory(devices)
    if each is not None:
        on_each = memory.on_devices // devices.size
        if on_each > each:
            return f"the run needs about {gigabytes(on_each)} on each device, and {gigabytes(each)} are free"
        needed -= memory.on_devices
    free = available_memory()
    if free is None or needed <= free:
        return None
    return f"the run needs about {gigabytes(needed)} of memory, and {gigabytes(free)} are there"


def _fitting(posterior: Posterior, sampling: Sampling, memory: Memory, *, in_memory: bool) -> list[str]:
    """What else there would be room for, as arguments in words."""

    def fits(**changed: Any) -> bool:
        other = dataclasses.replace(sampling, **changed)
        return _lack(footprint(posterior, other, in_memory=in_memory).memory, other.chains) is None

    found = []
    if in_memory:
        if _lack(memory._replace(draws=0), sampling.chains) is None:
            found.append("a folder `out`")
        draws = sampling.draws
        while draws >= 2 * _LEAST_DRAWS and not fits(draws=draws):
            draws //= 2
        if draws < sampling.draws and fits(draws=draws):
            found.append(f"`draws={draws}`")
    chains = sampling.chains
    while chains > 1 and not fits(chains=chains):
        chains //= 2
    if chains < sampling.chains and fits(chains=chains):
        found.append(f"`chains={chains}`")
    network = posterior.network
    spaces = [space for space in get_args(Space.__value__) if space != sampling.space]
    if network.depth == 1 or network.recurrent:  # there it is `reduced`, or is not
        spaces = [space for space in spaces if space != "function"]
    found += [f"`space='{space}'`" for space in spaces if fits(space=space, precision="double")]
    plain = default_sampler("cooling")
    if plain != sampling.sampler and fits(sampler=plain, precision="double"):
        found.append(f"`sampler='{plain}'`")
    return found


def gigabytes(count: int | float) -> str:
    """So many bytes, in words: "1.2 GB", "35 MB"."""
    size, unit = (count / 1e9, "GB") if count >= 1e9 else (count / 1e6, "MB")
    return f"{float(f'{size:.2g}'):g} {unit}"


def _bytes(tree: Any) -> int:
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
