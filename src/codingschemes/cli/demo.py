"""`codingschemes demo`: the main job, small."""

import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

import codingschemes as cs
from codingschemes.cli.options import Destination, json_option
from codingschemes.cli.output import keep_json, print_json, print_table
from codingschemes.errors import InvalidInput

if TYPE_CHECKING:
    from codingschemes.tasks import Task

_TEMPERATURE, _WIDTH = 1e-3, 60
_SECONDS = 130.0
"""Measured on two cores, compiling included."""


class Example(NamedTuple):
    """One run of the demo."""

    name: str
    task: "Task"
    activation: str
    warmup: int
    draws: int


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
    rows = _rows(out)
    seconds = time.monotonic() - started
    if as_json:
        print_json({"rows": rows, "seconds": seconds})
        return
    print_table(
        f"which coding scheme? ({seconds:.0f} s)",
        [
            "task",
            "network",
            "sampled",
            "predicted",
            "trust",
            "codes",
            "outliers",
            "test error",
            "theory",
            "outputs off by",
        ],
        [
            [
                row["task"],
                row["activation"],
                row["words"],
                row["predicted"] or "-",
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
        Example("linear", toy, "linear", 150, 300),
        Example("sigmoid", toy, "sigmoid", 150, 250),
        Example("relu", toy, "relu", 250, 450),
        Example("digits", cs.tasks.digits(samples=48, classes=3, test=300), "sigmoid", 150, 250),
    ]


def _rows(out: Path) -> list[dict[str, Any]]:
    """What became of all examples, in their order. Chains of small networks keep one core busy: two are run at once."""
    from codingschemes.progress import announce, tracked, watched

    # the longest come last in the table and are begun first
    with watched(shown=True), ProcessPoolExecutor(2, get_context("spawn")) as workers:
        announce("four networks, two at a time, of which most is compiling", _SECONDS)
        begun = {workers.submit(_run, example, out / example.name): example for example in reversed(_examples())}
        found = {}
        for future in tracked(as_completed(begun), "sampling, predicting and drawing four networks", total=len(begun)):
            row = found[begun[future].name] = future.result()
            announce(f"{begun[future].name}: {row['words']}, trusted: {row['trust']}")
    return [found[example.name] for example in _examples()]


def _run(example: Example, folder: Path) -> dict[str, Any]:
    """Everything of one example, in a process of its own."""
    network = cs.Network(example.activation, width=_WIDTH)
    run = cs.sample(
        cs.Posterior(example.task, network, temperature=_TEMPERATURE),
        out=folder,
        warmup=example.warmup,
        draws=example.draws,
        progress=False,
    )
    summary = cs.summarize(run)
    keep_json(folder / "summary.json", summary.to_json())
    comparison = cs.compare(run)
    prediction = comparison.prediction
    keep_json(folder / f"comparison-{prediction.theory}.json", comparison.to_json())
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
        "theory": prediction.theory,
        "predicted": None if prediction.scheme is None else prediction.scheme.label,
        "conditional": comparison.conditional,
        "deviation": deviation,
        "deviation_error": error,
        "report": str(cs.report(run, summary=summary, comparison=comparison)),
    }
