"""`codingschemes bench`."""

import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from codingschemes.cli.names import RIVALS, SAMPLERS, SPACES, SUITES, TARGETS
from codingschemes.cli.options import Destination, Named, json_option, require_folder
from codingschemes.cli.output import keep_json, print_json, print_table
from codingschemes.errors import InvalidInput

#: The suite that is about a device, not about samplers.
_ACCELERATOR = "accelerator"
_LEFT_OUT = ParameterSource.DEFAULT
#: A warm-up that ends by itself.
_SETTLED = "settled"


class _WarmUp(click.ParamType):
    """A number of steps, or None for a warm-up that ends by itself."""

    name = "steps"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:  # noqa: ARG002
        if value == _SETTLED:
            return None
        if not str(value).isdecimal():
            raise InvalidInput(f"--warmup is {value}: give a number of steps, or {_SETTLED}")
        return int(value)


@click.command()
@click.option(
    "--suite",
    default="quick",
    show_default=True,
    help="full, toy, quick, or targets separated by commas; accelerator for a GPU and the CPU beside it",
)
@click.option("--samplers", default=None, help="sampler/space separated by commas; the usual ten if left out")
@click.option(
    "--warmup",
    type=_WarmUp(),
    default=300,
    show_default=True,
    metavar=f"STEPS|{_SETTLED}",
    help=f"adapting iterations; {_SETTLED} begins from mixed starts and ends by itself, as `sample` does",
)
@click.option(
    "--seconds", default=15.0, show_default=True, help="of sampling for each row; of all of suite accelerator, 450"
)
@click.option("--seeds", default=1, show_default=True, help="measurements of each row: medians, and their spread")
@click.option("--out", type=Destination("file"), help="write the rows as JSON here, a table and a figure beside it")
@json_option
def bench(
    suite: str,
    samplers: str | None,
    warmup: int | None,
    seconds: float,
    seeds: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure samplers on named posteriors: effective draws a second, relative to numpyro's NUTS on all weights.

    --suite accelerator measures the device that JAX finds: invariants against recorded references, gradients a second
    against its matrix products, effective draws a second against the CPU of the same machine. It ends in time.
    """
    require_folder(out, "--out")
    if suite == _ACCELERATOR:
        source = click.get_current_context().get_parameter_source
        given = {name for name in ("samplers", "warmup", "seeds", "seconds") if source(name) is not _LEFT_OUT}
        for name in sorted(given - {"seconds"}):
            raise InvalidInput(f"suite accelerator has no `{name}`: leave it out")
        _accelerator(seconds if "seconds" in given else None, out, as_json)
        return
    if suite not in SUITES:
        for name in suite.split(","):
            Named("suite or target", (*SUITES, _ACCELERATOR, *TARGETS)).convert(name.strip(), None, None)
    asked = None if samplers is None else tuple(_contender(name) for name in samplers.split(","))
    from codingschemes.benchmark import bench as run_bench  # brings arviz: only when it is needed
    from codingschemes.benchmark.figure import draw_ratios
    from codingschemes.benchmark.table import CONTENDERS, columns, lines, markdown
    from codingschemes.progress import watched

    with watched(shown=True):
        found = run_bench(
            suite,
            contenders=CONTENDERS if asked is None else asked,
            warmup=warmup,
            seconds=seconds,
            seeds=seeds,
            notify=lambda line: click.echo(line, err=True),
            kept=lambda rows: None if out is None else keep_json(out, rows.to_json()),
        )
    if out is not None and found.ratios():
        draw_ratios(found, out.with_suffix(".png"))
    if out is not None:
        out.with_suffix(".md").write_text(markdown(found, f"codingschemes {' '.join(sys.argv[1:])}"))
    if as_json:
        print_json(found.to_json())
        return
    print_table(f"suite {suite}", columns(), list(lines(found)))
    print_table("default sampler", ["quantity", "ratio"], [[k, f"{v:.3g}"] for k, v in found.summary().items()])


def _accelerator(seconds: float | None, out: Path | None, as_json: bool) -> None:
    from codingschemes.benchmark.accelerator import SECONDS, accelerator
    from codingschemes.benchmark.accelerator_table import markdown, tables

    found = accelerator(
        SECONDS if seconds is None else seconds,
        notify=lambda line: click.echo(line, err=True),
        kept=lambda rows: None if out is None else keep_json(out, rows.to_json()),
    )
    if out is not None:
        out.with_suffix(".md").write_text(markdown(found, f"codingschemes {' '.join(sys.argv[1:])}"))
    if as_json:
        print_json(found.to_json())
        return
    for title, columns, lines in tables(found):
        print_table(title, columns, lines)


def _contender(name: str) -> tuple:
    """(sampler, space), both of which exist."""
    sampler, _, space = name.strip().partition("/")
    return (
        Named("sampler", (*SAMPLERS, *RIVALS)).convert(sampler, None, None),
        Named("space", SPACES).convert(space or "reduced", None, None),
    )
