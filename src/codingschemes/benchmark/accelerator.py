"""The suite `accelerator`: whether a device samples right, how near its limit, how much faster than the CPU beside it.

Compiling and a device's own start cannot be interrupted, and memory that runs out may end a process. So every task is a
process of its own with a time after which it is ended, and prints a line for each row that it has: what is there by
then counts, what is missing is named. The whole takes no longer than it was given.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from codingschemes.errors import InvalidInput

#: Seconds that the suite takes where none are given: within 8 minutes with everything around it.
SECONDS = 450.0
#: A task takes at most this share of all the time, so that those behind it have some.
_LONGEST = 0.15
#: Less is not worth starting a process for.
_SHORTEST = 5.0
_WORKER = "codingschemes.benchmark.accelerator_worker"
#: Largest |z| against a recorded reference that counts as agreement, as in the tests of samplers.
Z_LIMIT = 4.9
#: A device is saturated where more chains add less than this share of its gradients a second.
_SATURATED = 0.9

type DeviceSide = Literal["accelerator", "cpu"]
type DeviceRow = dict[str, Any]


@dataclass(frozen=True)
class DeviceTask:
    """What one process measures.

    Attributes:
        kind: `limits`, `correct`, `gradients` or `sampler`: a function of the worker.
        place: the device that JAX takes by itself, or the CPU of the same machine.
        options: of that function, as JSON values.
    """

    kind: str
    place: DeviceSide
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = ", ".join(f"{name} {value}" for name, value in self.options.items() if not isinstance(value, list))
        return f"{self.kind} on the {self.place}" + (f", {said}" if said else "")


@dataclass(frozen=True)
class Sizes:
    """What is measured; the defaults are those of the suite.

    Attributes:
        targets: that have a recorded reference.
        sizes: N = P.
        chains: of samplers.
        chains_of_gradients: among which the saturation is looked for.
        samplers: most telling first.
    """

    targets: Sequence[str] = ("toy-sigmoid-1e-3", "toy-relu-1e-3")
    sizes: Sequence[int] = (100, 1000)
    chains: Sequence[int] = (4, 64, 1024)
    chains_of_gradients: Sequence[int] = (1, 4, 16, 64, 256, 1024)
    samplers: Sequence[str] = ("hmc", "codes", "blackjax-laps")

    def tasks(self, places: Sequence[DeviceSide]) -> Iterator[DeviceTask]:
        """All of them, most telling first: where time runs out the last are left out."""
        precisions = ("double", "mixed")
        for target in self.targets:
            for precision in precisions:
                yield DeviceTask("correct", "accelerator", {"target": target, "precision": precision})
        for size in self.sizes:
            for place in places:
                for precision in precisions:
                    options = {"size": size, "precision": precision, "chains": [*self.chains_of_gradients]}
                    yield DeviceTask("gradients", place, options)
        for size in self.sizes:
            for sampler in self.samplers:
                for place in places:
                    yield DeviceTask("sampler", place, {"size": size, "sampler": sampler, "chains": [*self.chains]})


@dataclass(frozen=True)
class DeviceFindings:
    """All rows of one call.

    Attributes:
        devices: name of the device, and the CPU's where that is another.
        limits: place -> precision -> floating-point operations a second of a matrix product.
        rows: of all tasks, each with its `kind` and `place`.
        missing: what was left out, and why.
        seconds: that it took.
    """

    devices: dict[str, str]
    limits: dict[str, dict[str, float]]
    rows: list[DeviceRow]
    missing: list[str]
    seconds: float

    def of(self, kind: str) -> list[DeviceRow]:
        """The rows of one kind."""
        return [row for row in self.rows if row["kind"] == kind]

    @property
    def correct(self) -> bool | None:
        """Whether all invariants agree with the references; None where none was measured."""
        found = self.of("correct")
        return all(row["z"] is not None and row["z"] < Z_LIMIT for row in found) if found else None

    def share_of_limit(self, row: DeviceRow) -> float:
        """Gradients a second over what the device's matrix products allow. The factor of S is in double precision."""
        limits = self.limits.get(row["place"])
        if limits is None:
            return float("nan")
        rest = row["operations"] - row["operations_of_factor"]
        least = rest / limits["single" if row["precision"] == "mixed" else "double"]
        return row["gradients_per_second"] * (least + row["operations_of_factor"] / limits["double"])

    def saturation(self) -> dict[str, int]:
        """The fewest chains with nearly as many gradients a second as any number of them."""
        groups: dict[str, list[DeviceRow]] = {}
        for row in self.of("gradients"):
            groups.setdefault(f"{row['place']}, N = P = {row['size']}, {row['precision']}", []).append(row)
        return {
            name: min(
                row["chains"]
                for row in rows
                if row["gradients_per_second"] >= _SATURATED * max(each["gradients_per_second"] for each in rows)
            )
            for name, rows in groups.items()
        }

    def speedup(self, row: DeviceRow) -> float:
        """Least effective draws a second over the best of the CPU for this sampler and size, whatever its chains."""
        there = [
            each["ess_min_per_second"] or 0.0
            for each in self.of("sampler")
            if each["place"] == "cpu" and (each["size"], each["sampler"]) == (row["size"], row["sampler"])
        ]
        return (row["ess_min_per_second"] or 0.0) / max(there) if any(there) else float("nan")

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "correct": self.correct, "saturation": self.saturation()}


def accelerator(
    seconds: float = SECONDS,
    *,
    sizes: Sizes | None = None,
    notify: Callable[[str], None] = lambda _: None,
    kept: Callable[[DeviceFindings], None] = lambda _: None,
) -> DeviceFindings:
    """Measure the device that JAX finds here, and the CPU beside it.

    Args:
        seconds: that the whole takes at most.
        sizes: what is measured.
        notify: is told what happens, one line a row.
        kept: is given what there is after each task.

    Raises:
        InvalidInput: so little time that not even the device's name is known by its end.
    """
    if not seconds > 0:
        raise InvalidInput(f"`seconds` is {seconds}: give a number above 0")
    begun, sizes = time.monotonic(), sizes or Sizes()
    rows: list[DeviceRow] = []
    missing: list[str] = []
    limits: dict[str, dict[str, float]] = {}
    devices: dict[str, str] = {}

    def findings() -> DeviceFindings:
        return DeviceFindings(devices, limits, rows, missing, time.monotonic() - begun)

    def carry_out(task: DeviceTask) -> None:
        left = seconds - (time.monotonic() - begun)
        allowed = min(left, max(_SHORTEST, _LONGEST * seconds))
        if left < _SHORTEST:
            missing.append(f"{task}: no time was left, raise `seconds`")
            notify(missing[-1])
            return
        found, reason = _in_a_process(task, allowed)
        for row in found:
            if task.kind == "limits":
                limits[task.place], devices[task.place] = row["limits"], row["device"]
            else:
                rows.append({"kind": task.kind, "place": task.place, **row})
            notify(f"{task}: {json.dumps(row)}")
        if reason:
            missing.append(f"{task}: {reason}")
            notify(missing[-1])
        kept(findings())

    carry_out(DeviceTask("limits", "accelerator"))
    if not devices:
        raise InvalidInput(f"no device answered: {missing[-1]}")
    places: tuple[DeviceSide, ...] = ("accelerator",)
    if not devices["accelerator"].startswith("cpu"):
        carry_out(DeviceTask("limits", "cpu"))
        places = ("accelerator", "cpu")
    for task in sizes.tasks(places):
        carry_out(task)
    return findings()


def _in_a_process(
    task: DeviceTask, seconds: float, command: Sequence[str] | None = None
) -> tuple[list[DeviceRow], str]:
    """The rows that a task has printed by its end, and why there are no more; empty where all are there."""
    environment = {**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    if task.place == "cpu":
        environment["JAX_PLATFORMS"] = "cpu"
    asked = json.dumps({"kind": task.kind, "seconds": 0.9 * seconds, **task.options})
    process = subprocess.Popen(
        [*(command or [sys.executable, "-m", _WORKER]), asked],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        printed, errors = process.communicate(timeout=seconds)
        reason = ""
    except subprocess.TimeoutExpired:
        process.kill()
        printed, errors = process.communicate()
        reason = f"ended after {seconds:.0f} s"
    if not reason and process.returncode:
        last = errors.strip().splitlines()
        reason = last[-1] if last else f"ended with status {process.returncode}"
    rows: list[DeviceRow] = []
    for line in printed.splitlines():
        try:
            row = json.loads(line)
        except ValueError:  # cut off, or what a library has to say
            continue
        if isinstance(row, dict):
            rows.append(row)
    refused = [row["left_out"] for row in rows if "left_out" in row]
    return [row for row in rows if "left_out" not in row], "; ".join([*refused, *([reason] if reason else [])])
