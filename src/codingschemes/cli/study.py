"""`codingschemes study`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from codingschemes.cli.names import DATASETS, STUDIES
from codingschemes.cli.options import Destination, Named, json_option
from codingschemes.cli.output import print_json, print_table
from codingschemes.errors import InvalidInput


@click.command()
@click.argument("name", type=Named("study", STUDIES))
@click.option("--quick", is_flag=True, help="small sizes, below two minutes on two cores, no download")
@click.option(
    "--dataset", type=Named("dataset", DATASETS), help=f"one of {', '.join(DATASETS)}; the study's if left out"
)
@click.option("--out", required=True, type=Destination("folder"), help="folder of the study")
@click.option("--scheduler", help="address of a dask.distributed scheduler that hands the runs to its workers")
@click.option("--workers", type=int, help="processes of this machine that make the runs side by side")
@json_option
def study(
    name: str, quick: bool, dataset: str | None, out: Path, scheduler: str | None, workers: int | None, as_json: bool
) -> int:
    """Answer a question by many runs: numbers, figures, a table of claims with verdicts, and one page.

    NAME is one of generalisation, abstraction, phases, depth, collapse, manifolds. Called again, it goes on where it
    was cut off. Page, figures and numbers are written to the folder: report.html, figures, numbers.csv, study.json.
    """
    from codingschemes.progress import watched
    from codingschemes.studies import STUDIES as KNOWN  # these bring arviz: only when needed
    from codingschemes.studies import study as carry_out
    from codingschemes.studies.page import CLAIM_HEADS, claim_cells

    sizes: dict[str, Any] = {} if dataset is None else {"dataset": dataset}
    if dataset is not None and not hasattr(KNOWN[name], "dataset"):
        raise InvalidInput(f"the study {name} is not about images: leave `dataset` out")
    asked = replace(KNOWN[name].quick() if quick else KNOWN[name](), **sizes)
    with watched(shown=True):
        found = carry_out(
            asked, out, scheduler=scheduler, workers=workers, notify=lambda line: click.echo(line, err=True)
        )
    if as_json:
        print_json(found.to_json())
    else:
        print_table(asked.title, CLAIM_HEADS, [claim_cells(claim) for claim in found.findings.claims])
        for remark in found.findings.remarks:
            click.echo(remark)
        click.echo(f"written to {found.page}")
    return int(not found.complete)
