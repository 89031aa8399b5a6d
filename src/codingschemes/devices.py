"""Chains side by side on all devices: the cores of a CPU count as devices of their own. And what memory there is."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as Spec

import codingschemes.settings  # noqa: F401  (before anything of JAX)

CHAIN = Spec("chain")
EVERYWHERE = Spec()
_MEMORY = Path("/proc/meminfo")
_CGROUPS = Path("/sys/fs/cgroup")
#: Files of the limit and of the use of memory, in both versions of cgroups.
_LIMITS = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))


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

    What cores hold is cut on the host, which they share memory with: on a device each shape is cut by a program of its
    own.
    """
    shared: Any = NamedSharding(mesh, spec if mesh.size > 1 else EVERYWHERE)

    def placed(leaf: Any) -> Any:
        if isinstance(leaf, jax.Array) and leaf.sharding == shared and not leaf.weak_type:
            return leaf
        if not isinstance(leaf, jax.Array) or _on_these_cores(leaf, mesh):
            return np.asarray(leaf)
        return jax.lax.convert_element_type(leaf, leaf.dtype)

    return jax.device_put(jax.tree.map(placed, values), shared)


def _on_these_cores(leaf: jax.Array, mesh: Mesh) -> bool:
    """Whether all that an array lies on, and the mesh, are cores of this process; no host has arrays of typed keys."""
    devices = [*leaf.devices(), *mesh.devices.flat]
    ours = all(each.platform == "cpu" and each.process_index == jax.process_index() for each in devices)
    return ours and not jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.extended)


def device_memory(mesh: Mesh) -> int | None:
    """Bytes free on each of these accelerators, on the fullest; None where they are cores, or do not say."""
    found = [device.memory_stats() for device in mesh.devices.flat if device.platform != "cpu"]
    if not found or not all(each and "bytes_limit" in each for each in found):
        return None
    return min(each["bytes_limit"] - each.get("bytes_in_use", 0) for each in found)


def available_memory() -> int | None:
    """Bytes of memory that this process may hold, what it holds already included; None where the system does not say.

    On Linux what the kernel takes for available, or what is left of the limit of a container (cgroup) where that is
    less; elsewhere all there is.
    """
    try:
        with _MEMORY.open() as file:
            kilobytes = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable"))
        held = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, StopIteration):
        names = ("SC_PHYS_PAGES", "SC_PAGE_SIZE")
        known = set(names) <= set(getattr(os, "sysconf_names", ()))
        return os.sysconf(names[0]) * os.sysconf(names[1]) if known else None
    return min([1024 * kilobytes, *_left_in_containers()]) + held


def _left_in_containers() -> Iterator[int]:
    """Bytes below the limits of the containers and batch jobs that the process is in; files kept in memory give way."""
    for group in _control_groups():
        for limit, used in _LIMITS:
            with contextlib.suppress(OSError, ValueError):  # ValueError: "max", no limit
                left = int((group / limit).read_text()) - int((group / used).read_text())
                lines = (group / "memory.stat").read_text().splitlines()
                yield left + max(int(line.split()[1]) for line in lines if "inactive_file " in line)


def _control_groups() -> Iterator[Path]:
    """The folders of the control groups for memory that the process is in, and of those above them."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory"):
                root = _CGROUPS / controllers
                here = root / path.lstrip("/")
                yield from (each for each in (here, *here.parents) if each.is_relative_to(root))
