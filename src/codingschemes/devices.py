"""Chains side by side on all devices: the cores of a CPU count as devices of their own."""

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as Spec

import codingschemes.settings  # noqa: F401  (before anything of JAX)

CHAIN = Spec("chain")
EVERYWHERE = Spec()


def chain_mesh(chains: int) -> Mesh:
    """As many devices as divide the chains evenly, along one axis named `chain`.

    Chains on different devices do not wait for each other's trajectories.
    """
    devices = jax.devices()
    used = max(count for count in range(1, len(devices) + 1) if chains % count == 0)
    return Mesh(np.array(devices[:used]), ("chain",))


def place[T](values: T, mesh: Mesh, spec: Spec) -> T:
    """The arrays of a pytree on the mesh: split by chain, or the same everywhere. What is placed once compiles once.

    Weak types, which Python numbers leave behind, are dropped: a compiled step returns arrays without them, and would
    be compiled again for its own results. So would one on a single device, which returns everything unsplit.
    """
    shared: Any = NamedSharding(mesh, spec if mesh.size > 1 else EVERYWHERE)
    typed = jax.tree.map(lambda leaf: jax.lax.convert_element_type(leaf, leaf.dtype), values)
    return jax.device_put(typed, shared)
