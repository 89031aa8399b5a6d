"""Results on standard output: a readable table, or one JSON object and nothing else."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table


def print_json(values: Mapping[str, Any]) -> None:
    """One JSON object. Numbers that do not exist (NaN, infinite) are null."""
    click.echo(json.dumps(plain(values), indent=2, allow_nan=False))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table that fits the terminal."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    console = Console()
    # Where no terminal sets the width, lines are as long as they need.
    (console if console.is_terminal else Console(width=200)).print(table)


def plain(value: Any) -> Any:
    """The value as JSON has it: numbers that do not exist (NaN, infinite) are None."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
