"""`codingschemes distances`."""

from pathlib import Path

import click

from codingschemes.cli.options import Destination, json_option, require_folder
from codingschemes.cli.output import print_json, print_table
from codingschemes.errors import InvalidInput


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--activity", metavar="KEY", help="array of the activities in every file; activity or x if left out")
@click.option("--labels", metavar="KEY", help="array of the labels in every file; labels or y if left out")
@click.option("--out", type=Destination("file"), help="picture (.png or .pdf): matrices and a dendrogram")
@json_option
def distances(
    files: tuple[Path, ...], activity: str | None, labels: str | None, out: Path | None, as_json: bool
) -> None:
    """Compare populations of the same samples or classes: shape and permutation distances, CKA, RSA.

    Each FILE is as `codingschemes describe` takes it.
    """
    if len(files) < 2:
        raise InvalidInput("distances are between populations: give two files or more")
    if out is not None and out.suffix.lower() not in (".png", ".pdf"):
        raise InvalidInput(f"`out` {out} is no picture: name a .png or .pdf file")
    require_folder(out, "--out")
    from codingschemes.populations import distances as compared
    from codingschemes.populations import read_population
    from codingschemes.progress import watched

    populations = [read_population(file, activity, labels) for file in files]
    with watched(shown=True):
        found = compared(populations)
    if out is not None:
        from codingschemes.reports.distances import draw_distances

        draw_distances(found).savefig(out)
    if as_json:
        print_json(found.to_json())
        return
    for name, matrix in found.values.items():
        rows = [[title, *(f"{value:.3f}" for value in row)] for title, row in zip(found.names, matrix, strict=True)]
        print_table(f"{name}, on {found.compared}", ["", *found.names], rows)
    if out is not None:
        click.echo(out)
