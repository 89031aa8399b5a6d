"""`codingschemes report`."""

from pathlib import Path

import click

import codingschemes as cs
from codingschemes.cli.options import Destination, drift_option, json_option, theory_option, time_limit_option
from codingschemes.cli.output import print_json
from codingschemes.errors import InvalidInput

_NONE = "none"


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=Destination("file"), help="HTML file; RUN/report.html if left out")
@theory_option(None, _NONE)
@drift_option
@time_limit_option
@json_option
def report(
    run: Path, out: Path | None, theory: str | None, drift: bool, time_limit: float | None, as_json: bool
) -> None:
    """Write one self-contained HTML page about a run, and its figures as PNG and PDF beside it.

    The run is set beside the theory that covers it, or the one that is named, or none.
    """
    if time_limit is not None and theory == _NONE:
        raise InvalidInput("`time_limit` is for a theory's solver: name one with `theory`, or leave it out")
    opened, comparison = cs.Run.open(run), None
    from codingschemes.progress import watched

    with watched(shown=True):
        if theory != _NONE:
            comparison = cs.compare(opened, theory=theory, time_limit=time_limit)
        summary = cs.summarize(opened, drift=drift)
        page = cs.report(opened, out, summary=summary, comparison=comparison)
    if as_json:
        print_json({"report": str(page), "figures": str(page.parent / "figures")})
    else:
        click.echo(f"{page}\nfigures in {page.parent / 'figures'}")
