"""`codingschemes compare`."""

import math
from pathlib import Path

import click

import codingschemes as cs
from codingschemes.cli.options import json_option, theory_option, time_limit_option
from codingschemes.cli.output import keep_json, print_json, print_table


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@theory_option(None)
@time_limit_option
@json_option
def compare(run: Path, theory: str | None, time_limit: float | None, as_json: bool) -> None:
    """Set a run against a theory: sampled values with Monte Carlo errors beside predicted ones, one row a quantity.

    Without --theory it is the one that covers the run: the mean field at orthogonal and at correlated inputs, else the
    proportional or lazy limit. The same values are written to comparison-THEORY.json in the run folder.
    """
    comparison = cs.compare(cs.Run.open(run), theory=theory, progress=True, time_limit=time_limit)
    values = comparison.to_json()
    keep_json(run / f"comparison-{comparison.prediction.theory}.json", values)
    if as_json:
        print_json(values)
        return
    print_table(
        f"{run} beside the {comparison.prediction.theory} theory ({comparison.prediction.certificate.words})",
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
    if comparison.scheme_words:
        click.echo(comparison.scheme_words)
    for note in comparison.notes:
        click.echo(f"note: {note}")
