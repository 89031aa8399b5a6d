"""`codingschemes demo`: the main job, small."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

import codingschemes as cs
from codingschemes.cli.options import Destination, json_option
from codingschemes.cli.output import keep_json, print_json, print_table
from codingschemes.errors import InvalidInput

if TYPE_CHECKING:
    from codingschemes.coding import Summary
    from codingschemes.comparison import Comparison
    from codingschemes.tasks import Task


class Example(NamedTuple):
    """One run of the demo."""

    name: str
    task: "Task"
    activation: str
    temperature: float
    warmup: int
    draws: int
    theory: str


@click.command()
@click.option("--out", type=Destination("folder"), default="demo", show_default=True, help="folder to make")
@json_option
def demo(out: Path, as_json: bool) -> None:
    """Sample, summarise, predict, compare and report four small networks: one a scheme, and one on real digits.

    Random labels on orthogonal inputs with a linear, a sigmoid and a ReLU network, and a sigmoid network on the 8x8
    digits: analog, redundant, sparse. Takes under three minutes on two cores.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidInput(f"{out} is there already: choose another folder with --out, or remove it")
    started = time.monotonic()
    results = [(example, *_run(example, out / example.name)) for example in _examples()]
    rows = [_row(*result) for result in results]
    seconds = time.monotonic() - started
    if as_json:
        print_json({"rows": rows, "seconds": seconds})
        return
    print_table(
        f"which coding scheme? ({seconds:.0f} s)",
        ["task", "network", "scheme", "trust", "codes", "outliers", "test error", "theory", "outputs off by"],
        [
            [
                row["task"],
                row["activation"],
                row["words"],
                row["trust"],
                " ".join(row["codes"]) or "-",
                str(row["outliers"]),
                "-" if row["test_error"] is None else f"{row['test_error']:.1%}",
                row["theory"] + (", at the sampled codes" if row["conditional"] else ""),
                f"{row['deviation']:.1%} +- {row['deviation_error']:.1%}",
            ]
            for row in rows
        ],
    )
    for row in rows:
        click.echo(f"report: {row['report']}")


def _examples() -> list[Example]:
    toy = cs.tasks.orthogonal(samples=48, ratios=[0.5, 0.25, 0.25])
    return [
        Example("linear", toy, "linear", 5e-3, 200, 400, "mean-field"),
        Example("sigmoid", toy, "sigmoid", 1e-3, 120, 80, "mean-field"),
        Example("relu", toy, "relu", 1e-3, 120, 80, "mean-field"),
        Example("digits", cs.tasks.digits(samples=48, classes=3, test=300), "sigmoid", 1e-3, 120, 80, "lazy"),
    ]


def _run(example: Example, folder: Path) -> tuple["Summary", "Comparison", Path]:
    click.echo(f"{example.name}: {example.task.name}, {example.activation} network", err=True)
    network = cs.Network(example.activation, width=60)
    run = cs.sample(
        cs.Posterior(example.task, network, temperature=example.temperature),
        out=folder,
        sampler="hmc",  # compiles in a third of the time of the default
        warmup=example.warmup,
        draws=example.draws,
    )
    summary = cs.summarize(run)
    keep_json(folder / "summary.json", summary.to_json())
    comparison = cs.compare(run, theory=example.theory)
    keep_json(folder / f"comparison-{example.theory}.json", comparison.to_json())
    return summary, comparison, cs.report(run, summary=summary, comparison=comparison)


def _row(example: Example, summary: "Summary", comparison: "Comparison", page: Path) -> dict[str, Any]:
    deviation, error = comparison.deviation("output")
    return {
        "task": example.task.name,
        "activation": example.activation,
        "scheme": summary.scheme.label,
        "probability": summary.scheme.probability,
        "scores": summary.scheme.scores,
        "words": summary.scheme.words,
        "trust": summary.diagnostics.trust,
        "codes": [code.code for code in summary.codes] if summary.scheme.label == "redundant" else [],
        "outliers": len(summary.outliers),
        "test_error": None if summary.test is None else summary.test.error,
        "theory": example.theory,
        "conditional": comparison.conditional,
        "deviation": deviation,
        "deviation_error": error,
        "report": str(page),
    }
