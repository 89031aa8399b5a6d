"""`codingschemes report`."""

from pathlib import Path

import click

from codingschemes.cli.options import json_option
from codingschemes.cli.output import print_json
from codingschemes.runs import Run


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="HTML file; RUN/report.html if left out")
@json_option
def report(run: Path, out: Path | None, as_json: bool) -> None:
    """Write one self-contained HTML page about a run, and its figures as PNG and PDF beside it."""
    from codingschemes.reports import report as write_report  # brings arviz and matplotlib: only when needed

    page = write_report(Run.open(run), out)
    if as_json:
        print_json({"report": str(page), "figures": str(page.parent / "figures")})
    else:
        click.echo(f"{page}\nfigures in {page.parent / 'figures'}")
