"""`codingschemes check`."""

from pathlib import Path

import click

from codingschemes.cli.options import json_option
from codingschemes.cli.output import in_flags, print_json


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--repair",
    "mend",
    is_flag=True,
    help="restore what is kept twice, and cut draws back to those before the first that is lost",
)
@json_option
def check(run: Path, mend: bool, as_json: bool) -> int:
    """Say whether a run folder is whole: its files belong together, no draw is lost, no byte of the draws or of the
    checkpoint has changed. All of it is read. The status is 1 where something is wrong."""
    from codingschemes.errors import InvalidInput
    from codingschemes.runs import Run
    from codingschemes.runs.checking import check as faults_of
    from codingschemes.runs.checking import repair

    found = faults_of(run)
    if mend and any(fault.mendable for fault in found):
        repair(run)
    left = faults_of(run) if mend else found
    try:
        draws = Run.open(run).draw_count
    except InvalidInput:
        draws = 0
    if as_json:
        print_json(
            {
                "run": str(run),
                "whole": not left,
                "draws": draws,
                "faults": [{"what": fault.what, "mendable": fault.mendable} for fault in found],
                "left": [fault.what for fault in left],
            }
        )
        return int(bool(left))
    for fault in found:
        click.echo(in_flags(fault.what))
    if not found:
        click.echo(f"{run} is whole, with {draws} draws a chain")
    elif mend and not left:
        click.echo(f"repaired: {run} holds {draws} draws a chain and can be continued")
    elif mend:
        click.echo("what is left cannot be repaired: " + "; ".join(in_flags(fault.what) for fault in left))
    return int(bool(left))
