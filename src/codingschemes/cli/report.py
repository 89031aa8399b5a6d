"""`codingschemes report`."""

from pathlib import Path

import click

import codingschemes as cs
from codingschemes.cli.options import Destination, json_option, theory_option
from codingschemes.cli.output import print_json


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=Destination("file"), help="HTML file; RUN/report.html if left out")
@theory_option(None)
@json_option
def report(run: Path, out: Path | None, theory: str | None, as_json: bool) -> None:
    """Write one self-contained HTML page about a run, and its figures as PNG and PDF beside it."""
    opened = cs.Run.open(run)
    comparison = None if theory is None else cs.compare(opened, theory=theory)
    page = cs.report(opened, out, comparison=comparison)
    if as_json:
        print_json({"report": str(page), "figures": str(page.parent / "figures")})
    else:
        click.echo(f"{page}\nfigures in {page.parent / 'figures'}")
