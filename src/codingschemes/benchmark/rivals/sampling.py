"""A rival's run: its own warm-up, then draws recorded as those of every other sampler are."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from zarr.storage import MemoryStore

from codingschemes.benchmark.rivals.rival import RIVALS, Rival
from codingschemes.devices import CHAIN, EVERYWHERE, chain_mesh, place
from codingschemes.errors import InvalidInput, SamplingFailed
from codingschemes.posterior import Density, Posterior, Space
from codingschemes.runs import Run
from codingschemes.runs.chunks import Program, Stretch, advance, capacity
from codingschemes.runs.configuration import Sampling, describe, made_by
from codingschemes.runs.store import DrawStore
from codingschemes.samplers import Settings

#: Chunks take about this long, so that the time asked for is kept.
_CHUNK_SECONDS = 2.0


def sample_rival(
    name: str,
    posterior: Posterior,
    space: Space,
    settings: Settings,
    *,
    draws: int,
    seconds: float,
    seed: int,
    chains: int | None = None,
) -> Run:
    """Sample a posterior with a rival, in memory.

    Args:
        name: registered name.
        posterior, space: what is sampled, in which form.
        settings: its `warmup` in iterations.
        draws: of all chains together, at most.
        seconds: of sampling, about.
        seed: of everything random.
        chains: of another ensemble than the rival's own.

    Raises:
        InvalidInput: the rival is not for this posterior, or has no other ensemble.
        SamplingFailed: its warm-up, or a chain, has left for infinity.
    """
    rival, density = RIVALS[name](settings), posterior.density(space)
    if chains is not None:
        if rival.resized is None:
            raise InvalidInput(f"{name} has {rival.chains} chains: ask for as many")
        rival = rival.resized(chains)
    tune_key, chain_key, record_key = jax.random.split(jax.random.PRNGKey(seed), 3)
    started = time.monotonic()
    states = _warmed_up(rival, tune_key, chain_key, density)
    warmup_seconds = time.monotonic() - started
    mesh, longest, kernel = chain_mesh(rival.chains), capacity(density), rival.kernel()
    membership = jnp.asarray(np.eye(posterior.task.class_count)[posterior.task.labels])
    program = place(Program(density, membership, record_key), mesh, EVERYWHERE)
    states = place(states, mesh, CHAIN)
    started = time.monotonic()
    jax.block_until_ready(advance(kernel, mesh, program, states, Stretch.of(0, 0, recording=True)))
    provenance: dict[str, Any] = {
        **made_by(Sampling(seed=seed)),
        "warmup_seconds": warmup_seconds,
        "compile_seconds": time.monotonic() - started,
        "sampling_seconds": 0.0,
    }
    store = DrawStore(MemoryStore(), chunk=longest)
    most, done, length = max(4, draws // rival.chains), 0, 1
    while done < most and (done < 4 or provenance["sampling_seconds"] < seconds):
        count = min(length, most - done)
        started = time.monotonic()
        states, rows = advance(kernel, mesh, program, states, Stretch.of(done, count, recording=True))
        records = rows.to_host(count)
        if not np.isfinite(records["sample_stats"]["lp"]).all():
            raise SamplingFailed(f"a chain of {name} has left for infinity: give it more `warmup`")
        elapsed = time.monotonic() - started
        provenance["sampling_seconds"] += elapsed
        store.append(records)
        done += count
        length = int(np.clip(count * _CHUNK_SECONDS / elapsed, 1, longest))
    config = describe(posterior, Sampling(space=space, warmup=settings.warmup, seed=seed))
    config["sampling"] |= {"sampler": name, "chains": rival.chains}
    return Run(posterior, config, provenance, store)


def _warmed_up(rival: Rival, tune_key: jax.Array, chain_key: jax.Array, density: Density) -> Any:
    """The states of all chains at the end of the warm-up."""
    tuned = rival.tune(tune_key, density, rival.warmup)
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tuned)):
        raise SamplingFailed("the warm-up left for infinity: give it more `warmup`, or another sampler")

    def start(key: jax.Array, position: Any, parameters: Any) -> Any:
        return rival.start(key, position, density, parameters=parameters)

    keys = jax.random.split(chain_key, rival.chains)
    return jax.block_until_ready(jax.vmap(start)(keys, tuned.positions, tuned.parameters))
