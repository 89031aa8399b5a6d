"""A sweep as a TOML file says it.

    task = "orthogonal"            # options of `codingschemes sample` that all runs share
    samples = 40
    theory = "mean-field"          # what every run is compared with; left out, nothing

    [grid]                         # every combination of these
    activation = ["linear", "sigmoid"]

    [zip]                          # side by side: the first of each, the second of each, ...
    width = [50, 100, 200]
    temperature = [2e-3, 1e-3, 5e-4]

has six runs, each of the three pairs (width, temperature) with each activation.
"""

import itertools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codingschemes.errors import InvalidInput
from codingschemes.reading import reading

_TABLES = ("grid", "zip")


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep.

    Attributes:
        name: of its folder: the options that vary and their values.
        options: all its options, named as on the command line with _ for -, `task` among them.
        varied: those that vary over the sweep.

    Example:
        >>> from pathlib import Path
        >>> file = Path("sweep.toml")
        >>> length = file.write_text('''task = "orthogonal"
        ... samples = 6
        ... [grid]
        ... width = [4, 8]''')
        >>> plan = cs.sweeps.read_plan(file)
        >>> plan.runs[0].name, plan.runs[0].varied
        ('width=4', {'width': 4})
    """

    name: str
    options: dict[str, Any]
    varied: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What a file asks for: runs, and the theory they are compared with (None: nothing).

    Example:
        >>> from pathlib import Path
        >>> file = Path("sweep.toml")
        >>> length = file.write_text('''task = "orthogonal"
        ... samples = 6
        ... [grid]
        ... width = [4, 8]''')
        >>> plan = cs.sweeps.read_plan(file)
        >>> len(plan.runs), plan.theory
        (2, None)
    """

    runs: tuple[PlannedRun, ...]
    theory: str | None


def read_plan(path: Path) -> Plan:
    """The plan in a TOML file.

    Args:
        path: of the file; options named as on the command line.

    Raises:
        InvalidInput: no such file, not TOML, no task, nothing that varies, lists that cannot be paired, an option said
            twice, or two runs with one name.

    Example:
        >>> from pathlib import Path
        >>> file = Path("sweep.toml")
        >>> length = file.write_text('''task = "orthogonal"
        ... samples = 6
        ... [grid]
        ... width = [4, 8]''')
        >>> plan = cs.sweeps.read_plan(file)
        >>> [each.name for each in plan.runs]
        ['width=4', 'width=8']
    """
    with reading(path, "give a TOML file, such as the example in experiments/sweeps"):
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    grid, together = (_lists(path, name, said.pop(name, {})) for name in _TABLES)
    theory = said.pop("theory", None)
    shared = _options_by_flag(path, said)
    for name, value in shared.items():
        if isinstance(value, dict):
            raise InvalidInput(f"{path} has a table [{name}]: the tables of a sweep are [grid] and [zip]")
    names = [*shared, *grid, *together]
    if twice := {name for name in names if names.count(name) > 1}:
        raise InvalidInput(f"{path} says {min(twice)} twice: leave it in one place")
    if "task" not in names:
        raise InvalidInput(f'{path} names no task: add a line such as task = "orthogonal"')
    if not grid and not together:
        raise InvalidInput(f"nothing varies in {path}: add a table [grid] or [zip] with lists of values")
    if len({len(values) for values in together.values()}) > 1:
        lengths = ", ".join(f"{name} {len(values)}" for name, values in together.items())
        raise InvalidInput(f"the lists of [zip] in {path} have different lengths ({lengths}): give them one")
    pairs = [dict(zip(together, values, strict=True)) for values in zip(*together.values(), strict=True)] or [{}]
    combinations = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    varied = [{**combination, **pair} for combination in combinations for pair in pairs]
    runs = tuple(PlannedRun(folder_name(each), {**shared, **each}, each) for each in varied)
    for run in runs:
        if sum(other.name == run.name for other in runs) > 1:
            raise InvalidInput(f"two runs of {path} are {run.name}: leave one out")
    return Plan(runs, theory)


def _lists(path: Path, table: str, said: Any) -> dict[str, list[Any]]:
    if not isinstance(said, dict):
        raise InvalidInput(f"{table} in {path} is not a table: write [{table}] and lists of values below it")
    for name, values in said.items():
        if not isinstance(values, list) or not values:
            raise InvalidInput(f"{name} in [{table}] of {path} is not a list of values: give one, such as [50, 100]")
    return _options_by_flag(path, said)


def _options_by_flag(path: Path, said: dict[str, Any]) -> dict[str, Any]:
    """Options with _ for - in their names."""
    named = {name.replace("-", "_"): value for name, value in said.items()}
    if len(named) < len(said):
        raise InvalidInput(f"{path} says an option twice, once with - and once with _: leave it in one place")
    return named


def folder_name(varied: dict[str, Any]) -> str:
    """The name of a run: the options that vary and their values."""
    words = (f"{name}={','.join(map(str, v)) if isinstance(v, list) else v}" for name, v in varied.items())
    return re.sub(r"[^\w.=,+-]", "-", "_".join(words))
