"""`codingschemes compare`."""

import math
from pathlib import Path

import click

from codingschemes.cli.options import json_option
from codingschemes.cli.output import plain, print_json, print_table
from codingschemes.cli.predict import theory_option
from codingschemes.runs import Run
from codingschemes.runs.run import write_json


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@theory_option
@json_option
def compare(run: Path, theory: str, as_json: bool) -> None:
    """Set a run against a theory: sampled values with Monte Carlo errors beside predicted ones, one row a quantity.

    The same values are written to comparison-THEORY.json in the run folder.
    """
    from codingschemes.comparison import compare as compare_run  # brings arviz: only when it is needed

    comparison = compare_run(Run.open(run), theory=theory)
    values = comparison.to_json()
    write_json(run / f"comparison-{theory}.json", plain(values))
    if as_json:
        print_json(values)
        return
    print_table(
        f"{run} beside the {theory} theory ({comparison.prediction.certificate.words})",
        ["quantity", "sampled", "error", "predicted", "z", "relative"],
        [
            [
                row.quantity,
                *(
                    form.format(value) if math.isfinite(value) else "-"
                    for form, value in (
                        ("{:.5g}", row.sampled),
                        ("{:.1g}", row.mcse),
                        ("{:.5g} (given)" if row.given else "{:.5g}", row.predicted),
                        ("{:.1f}", row.z),
                        ("{:+.2%}", row.relative_error),
                    )
                ),
            ]
            for row in comparison.rows
        ],
    )
    for note in comparison.notes:
        click.echo(f"note: {note}")
