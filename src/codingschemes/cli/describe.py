"""`codingschemes describe`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from codingschemes.cli.options import ACTIVATION, Destination, json_option
from codingschemes.cli.output import keep_json, print_json, print_table

if TYPE_CHECKING:
    from codingschemes.populations import Description

_MOST_CODES = 20


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--activity", metavar="KEY", help="array of the activities, (sample, neuron); activity or x if left out")
@click.option("--labels", metavar="KEY", help="array of the labels; of a .npy: file; of a .csv, of .nwb trials: column")
@click.option("--factors", metavar="KEY", help="array of two-valued factors; of a .csv, of .nwb trials: columns, a,b")
@click.option("--readout", metavar="KEY", help="array of the readout weights, (neuron, output)")
@click.option("--activation", type=ACTIVATION, help="of the neurons, where it is known")
@click.option("--window", type=(float, float), metavar="FROM TO", help="times to average over; of .nwb: seconds")
@click.option("--align", metavar="KEY", help="column of .nwb trials with time 0 of the window; their start if left out")
@click.option("--bootstraps", type=click.IntRange(0), default=50, help="draws behind intervals; 50 if left out")
@click.option("--shuffles", type=click.IntRange(0), default=200, help="of every null; 200 if left out")
@click.option("--seed", type=click.IntRange(0), default=0, help="of draws and shuffles; 0 if left out")
@click.option("--out", type=Destination("folder"), help="folder for a report page, its figures and description.json")
@json_option
def describe(
    file: Path,
    activity: str | None,
    labels: str | None,
    factors: str | None,
    readout: str | None,
    activation: str | None,
    window: tuple[float, float] | None,
    align: str | None,
    bootstraps: int,
    shuffles: int,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Say which coding scheme a population of neurons uses, and how abstract it is. Nothing is sampled.

    FILE is an .npz with `activity` (samples first) and `labels`, a .csv with a column `labels`, a .npy, or an .nwb
    recording with units and trials.
    """
    from codingschemes.populations import describe as described
    from codingschemes.populations import read_population
    from codingschemes.progress import watched

    population = read_population(file, activity, labels, factors, readout, activation, window=window, align=align)
    with watched(shown=True):
        found = described(population, bootstraps=bootstraps, shuffles=shuffles, seed=seed)
        page = None
        if out is not None:
            from codingschemes.reports.described import report_population

            page = report_population(found, out)
            keep_json(out / "description.json", found.to_json())
    if as_json:
        print_json(found.to_json())
        return
    print_table(f"description of {file}", ["quantity", "value"], _rows(found))
    if found.codes:
        print_table(
            "codes",
            ["code", "share of neurons", "95 % interval"],
            [
                [code.code, f"{code.fraction:.3f}", f"{code.interval[0]:.3f} - {code.interval[1]:.3f}"]
                for code in found.codes[:_MOST_CODES]
            ],
        )
    if page is not None:
        click.echo(page)


def _rows(found: "Description") -> list[list[str]]:
    layer, population = found.layer, found.population
    rows = [
        ["population", population.words],
        ["classes, in the order of codes", ", ".join(population.class_names)],
        ["scheme", found.scheme.words],
        ["neurons with a code", f"{layer.coded:.1%}"],
        ["outlier neurons", f"{len(found.outliers)}, carrying {layer.outlier_share:.0%} of the class-specific output"],
        ["neurons that carry the output", f"{layer.effective_neurons:.1f}"],
        ["variance within classes", f"{layer.collapse.spread_within:.2g}"],
    ]
    rows += [[name, str(score)] for name, score in found.abstraction.scores.items()]
    rows += [[name, said] for name, said in found.structure.words.items()]
    return rows + [["note", note] for note in found.notes]
