"""`codingschemes report`."""

from pathlib import Path

import click

from codingschemes.cli.options import json_option
from codingschemes.cli.output import print_json
from codingschemes.runs import Run
from codingschemes.theory import THEORIES


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="HTML file; RUN/report.html if left out")
@click.option("--theory", type=click.Choice(list(THEORIES)), help="set the run beside this theory")
@json_option
def report(run: Path, out: Path | None, theory: str | None, as_json: bool) -> None:
    """Write one self-contained HTML page about a run, and its figures as PNG and PDF beside it."""
    from codingschemes.comparison import compare  # these bring arviz and matplotlib: only when needed
    from codingschemes.reports import report as write_report

    opened = Run.open(run)
    comparison = None if theory is None else compare(opened, theory=theory)
    page = write_report(opened, out, comparison=comparison)
    if as_json:
        print_json({"report": str(page), "figures": str(page.parent / "figures")})
    else:
        click.echo(f"{page}\nfigures in {page.parent / 'figures'}")
