"""Results on standard output: a readable table, or one JSON object and nothing else."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from codingschemes.json_values import plain

#: The status of the command line, under `--json`, where a signal stopped a run that can be continued.
UNFINISHED = 3
#: Arguments whose option has another name: `seed` is the sampler's everywhere, and `from` a word of Python's own.
_RENAMED = {"`seed` of the task": "--task-seed", "`parent`": "--from"}
_ARGUMENT = re.compile(r"`([a-z]\w*)(?:=(?:True|'([^']*)'|(\w+)))?`")


def in_flags(sentence: str) -> str:
    """What Python calls `draws`, `resume=True` or `space='reduced'`, as it is typed: --draws, --resume, ...

    Messages of the package name arguments as Python does; this is the one place that knows the command line's words.
    """
    for words, option in _RENAMED.items():
        sentence = sentence.replace(words, option)

    def _flag(found: re.Match[str]) -> str:
        value = found[2] or found[3]
        return f"--{found[1].replace('_', '-')}" + (f" {value}" if value else "")

    return _ARGUMENT.sub(_flag, sentence)


def print_json(values: Mapping[str, Any]) -> None:
    """One JSON object. Numbers that do not exist (NaN, infinite) are null."""
    click.echo(json.dumps(plain(values, in_flags), indent=2, allow_nan=False))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table that fits the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*map(in_flags, row))
    # Names of folders and of classes are not markup.
    console = Console(markup=False, emoji=False)
    # Where no terminal sets the width, lines are as long as they need.
    (console if console.is_terminal else Console(markup=False, emoji=False, width=200)).print(table)


def keep_json(path: Path, values: Mapping[str, Any]) -> None:
    """One JSON object as a file, whole or not at all."""
    from codingschemes.runs.run import write_json

    write_json(path, plain(values, in_flags))
