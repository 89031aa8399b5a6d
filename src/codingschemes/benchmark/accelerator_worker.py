"""One task of the suite `accelerator`, in a process of its own: one JSON line for each row.

python -m codingschemes.benchmark.accelerator_worker '{"kind": "limits", "seconds": 20}'
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from threadpoolctl import threadpool_limits

from codingschemes.benchmark.accelerator import DeviceRow
from codingschemes.benchmark.measure import measure
from codingschemes.benchmark.table import read_references
from codingschemes.benchmark.targets import TARGETS, toy
from codingschemes.errors import InvalidInput, SamplingFailed, is_out_of_memory
from codingschemes.json_values import plain
from codingschemes.posterior import Posterior
from codingschemes.runs.arithmetic import factor_operations, operations
from codingschemes.runs.configuration import Arithmetic, Sampling
from codingschemes.runs.estimate import gradient_seconds
from codingschemes.settings import set_up_jax

#: Sides of the matrices that the limit is measured with: doubled until a product takes this long, at most so large.
_FIRST_SIDE, _LAST_SIDE, _LONG_ENOUGH = 512, 8192, 0.05
_PRODUCTS = 3
#: Of the time of a task, what its draws take, with as many rows as it has; the rest is for compiling and warm-up.
_SHARE_OF_DRAWS = 0.3
_WARMUP = 100


def limits(seconds: float) -> Iterator[DeviceRow]:  # noqa: ARG001  (it takes what it takes: a second or two)
    """Floating-point operations a second of a matrix product on one device, in double and single precision."""
    device = jax.devices()[0]
    rates = {name: _product_rate(kind) for name, kind in (("double", jnp.float64), ("single", jnp.float32))}
    yield {"device": f"{device.platform}: {device.device_kind}, {jax.device_count()} of them", "limits": rates}


def _product_rate(kind: Any) -> float:
    side = _FIRST_SIDE
    while True:
        matrix = jnp.ones((side, side), kind) / side
        product = jax.jit(jnp.matmul)
        jax.block_until_ready(product(matrix, matrix))
        times = []
        for _ in range(_PRODUCTS):
            started = time.perf_counter()
            jax.block_until_ready(product(matrix, matrix))
            times.append(time.perf_counter() - started)
        if min(times) >= _LONG_ENOUGH or side >= _LAST_SIDE:
            return 2 * side**3 / min(times)
        side *= 2


def gradients(seconds: float, size: int, precision: Arithmetic, chains: Sequence[int]) -> Iterator[DeviceRow]:
    """Gradients of all chains a second, one row for each number of chains."""
    del seconds
    posterior = toy("sigmoid", 1e-3, size)
    density = Sampling(sampler="hmc", precision=precision).density(posterior)
    for count in chains:
        took = gradient_seconds(density, count)
        yield {
            "size": size,
            "precision": precision,
            "chains": count,
            "gradients_per_second": count / took,
            "operations": operations(density),
            "operations_of_factor": factor_operations(density),
        }


def correct(seconds: float, target: str, precision: Arithmetic) -> Iterator[DeviceRow]:
    """Invariants against the recorded reference."""
    row = _measured(target, TARGETS[target].posterior(), "codes", 4, _SHARE_OF_DRAWS * seconds, precision)
    yield {"target": target, "precision": precision, "z": row["reference_z"], **row}


def sampler(seconds: float, size: int, sampler: str, chains: Sequence[int]) -> Iterator[DeviceRow]:
    """Effective draws a second, one row for each number of chains."""
    posterior = toy("sigmoid", 1e-3, size)
    for count in chains:
        time_of_draws = _SHARE_OF_DRAWS * seconds / len(chains)
        try:
            found = _measured(f"N = P = {size}", posterior, sampler, count, time_of_draws, "double")
        except (InvalidInput, SamplingFailed) as error:
            yield {"left_out": f"{count} chains: {error}"}
            continue
        yield {"size": size, "sampler": sampler, **found}


def _measured(
    name: str, posterior: Posterior, sampler: str, chains: int, seconds: float, precision: Arithmetic
) -> DeviceRow:
    found = measure(
        name,
        posterior,
        sampler,
        "reduced",
        warmup=_WARMUP,
        seconds=seconds,
        reference=read_references().get(name),
        chains=chains,
        precision=precision,
    )
    told = ("chains", "draws", "gradients_per_draw", "ess_min", "ess_min_per_second", "rhat_max", "seconds")
    more = ("warmup_seconds", "compile_seconds", "reference_z", "device")
    return {name: getattr(found, name) for name in (*told, *more)}


KINDS: dict[str, Callable[..., Iterator[DeviceRow]]] = {
    "limits": limits,
    "gradients": gradients,
    "correct": correct,
    "sampler": sampler,
}


def main(asked: str) -> int:
    """Carry out a task that is described in JSON."""
    set_up_jax()
    options = json.loads(asked)
    kind = options.pop("kind")
    try:
        if kind == "limits":  # with as many threads as the device likes
            _print(limits(**options))
            return 0
        with threadpool_limits(1, user_api="blas"):  # as the driver does
            _print(KINDS[kind](**options))
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        _print([{"left_out": "memory ran out"}])
    return 0


def _print(rows: Any) -> None:
    for row in rows:
        print(json.dumps(plain(row, str)), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
