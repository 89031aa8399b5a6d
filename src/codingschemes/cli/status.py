"""`codingschemes status`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from codingschemes.cli.options import json_option
from codingschemes.cli.output import print_json, print_table
from codingschemes.errors import InvalidInput

if TYPE_CHECKING:
    from codingschemes.runs.status import Status


@click.command()
@click.argument("folder", metavar="RUN|SWEEP", type=click.Path(path_type=Path))
@json_option
def status(folder: Path, as_json: bool) -> None:
    """Say how far a run or the runs of a sweep are, while they are made or after: phase, rate, time left, R-hat and
    effective draws so far."""
    from codingschemes.runs.status import run_folders
    from codingschemes.runs.status import status as status_of

    found, refused = [], []
    folders = run_folders(folder)
    for each in folders:
        try:
            found.append(status_of(each))
        except InvalidInput as error:
            if len(folders) == 1:
                raise
            refused.append({"run": str(each), "phase": "damaged", "message": str(error)})
    if as_json:
        runs = [*(each.to_json() for each in found), *refused]
        print_json(runs[0] if folders == [folder] else {"runs": runs})
        return
    print_table(
        f"status of {folder}",
        ["run", "phase", "warm-up", "draws a chain", "a second", "left, at most", "R-hat", "effective draws", "by"],
        [*map(_row, found), *([Path(each["run"]).name, each["message"], *[""] * 7] for each in refused)],
    )


def _row(found: "Status") -> list[str]:
    from codingschemes.progress import duration

    return [
        Path(found.run).name or found.run,
        found.phase,
        f"{found.steps} of {found.steps_at_most}",
        f"{found.draws} of {found.draws_at_most}",
        "-" if found.rate is None else f"{found.rate:.3g}",
        "-" if found.seconds_left is None else duration(found.seconds_left),
        "-" if found.rhat_max is None else f"{found.rhat_max:.3f}",
        "-" if found.ess_min is None else f"{found.ess_min:.0f}",
        found.writer or "-",
    ]
