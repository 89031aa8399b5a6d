"""`codingschemes sweep`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codingschemes.cli.names import THEORIES
from codingschemes.cli.options import SAMPLING, Destination, Named, json_option, posterior_from
from codingschemes.cli.output import keep_json, print_json, print_table
from codingschemes.cli.sample import sample
from codingschemes.errors import InvalidInput

if TYPE_CHECKING:
    from codingschemes.sweeps import Job, Outcomes, Plan, Trend

#: Options of `sample` that a sweep sets itself.
_OWN = ("out", "resume", "json", "dry_run")
#: Options of `sample` that jobs do not have.
_ALONE = ("from",)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=Destination("folder"), help="folder of the sweep, one folder a run")
@click.option("--scheduler", help="address of a dask.distributed scheduler that hands the runs to its workers")
@click.option("--workers", type=int, help="processes of this machine that make the runs side by side")
@json_option
def sweep(file: Path, out: Path, scheduler: str | None, workers: int | None, as_json: bool) -> int:
    """Make all runs of a TOML file, compare each with a theory, and say how deviations shrink with the width.

    FILE holds options of `sample` that all runs share, `theory`, and two tables of lists: [grid] (every combination)
    and [zip] (side by side). Called again, it goes on where it was cut off. The same values are written to sweep.json,
    the table to sweep.csv, and a page to report.html.
    """
    from codingschemes.progress import watched
    from codingschemes.reports.sweeps import report_sweep
    from codingschemes.sweeps import read_plan, trends  # these bring arviz: only when needed
    from codingschemes.sweeps import sweep as make_runs

    jobs = _jobs(file, read_plan(file), out)
    with watched(shown=True):
        outcomes = make_runs(jobs, scheduler=scheduler, workers=workers, notify=lambda line: click.echo(line, err=True))
    found = trends(outcomes)
    values = {
        "runs": [outcome.to_json() for outcome in outcomes],
        "trends": [trend.to_json() for trend in found],
        "left": len(jobs) - len(outcomes),
    }
    out.mkdir(parents=True, exist_ok=True)
    keep_json(out / "sweep.json", values)
    outcomes.save(out)
    report_sweep(outcomes, found, out / "report.html")
    if as_json:
        print_json(values)
    else:
        _print(out, outcomes, found)
    return int(len(outcomes) < len(jobs) or any(outcome.status != "complete" for outcome in outcomes))


def _jobs(file: Path, plan: "Plan", out: Path) -> list["Job"]:
    """All runs with their options read, so that a wrong one is found before anything is sampled."""
    from codingschemes.runs.configuration import resolve
    from codingschemes.sweeps import Job

    if plan.theory is not None:
        Named("theory", THEORIES).convert(plan.theory, None, None)
    jobs = []
    for run in plan.runs:
        folder = (out / run.name).absolute()
        try:
            asked = sample.make_context("sample", [*_words(run.options), "--out", str(folder)]).params
            posterior = posterior_from(asked["task_name"], asked)
            given: Any = {name: asked[name] for name in SAMPLING if asked[name] is not None}
            sampling = resolve(posterior, given)
        except (click.ClickException, InvalidInput) as error:
            said = error.format_message() if isinstance(error, click.ClickException) else str(error)
            raise InvalidInput(f"run {run.name} of {file}: {said}") from None
        jobs.append(Job(run.name, run.varied, posterior, sampling, folder, plan.theory))
    return jobs


def _words(options: dict[str, Any]) -> list[str]:
    """Options as they are typed after `codingschemes sample`."""
    words = [str(options["task"])]
    for name, value in options.items():
        if name in _OWN:
            raise InvalidInput(f"{name} is no option of a run: give it to the sweep on the command line")
        if name in _ALONE:
            raise InvalidInput(f"{name} is no option of a sweep, whose runs begin by themselves: leave it out")
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        elif value is not False and name != "task":
            words += [option, ",".join(map(str, value)) if isinstance(value, list) else str(value)]
    return words


def _print(out: Path, outcomes: "Outcomes", found: list["Trend"]) -> None:
    from codingschemes.reports.sweeps import runs_table, trends_table  # brings jax: only when it is needed

    print_table(f"sweep in {out}", *runs_table(outcomes))
    if found:
        print_table("deviations from theory, N T fixed", *trends_table(found))
    for outcome in outcomes:
        if outcome.status == "failed":
            click.echo(f"failed: {outcome.job.name}: {outcome.message}")
        for note in outcome.result.notes if outcome.result else ():
            click.echo(f"note: {outcome.job.name}: {note}")
    click.echo(f"written to {out / 'report.html'}")
