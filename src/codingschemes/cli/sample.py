"""`codingschemes sample`."""

import itertools
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import codingschemes as cs
from codingschemes.cli.options import (
    SAMPLING,
    Destination,
    json_option,
    network_options,
    posterior_from,
    posterior_options,
    sampling_options,
    task_argument,
    task_options,
)
from codingschemes.cli.output import UNFINISHED, print_json, print_table
from codingschemes.errors import InvalidInput
from codingschemes.interruption import stoppable

if TYPE_CHECKING:
    from codingschemes.convergence import Convergence
    from codingschemes.diagnostics import Diagnostics
    from codingschemes.posterior import Posterior
    from codingschemes.runs import Run


_VARIANCES = ("temperature", "weight_variance", "readout_variance")


@click.command()
@task_argument(required=False)
@task_options
@network_options
@posterior_options
@sampling_options
@click.option("--out", type=Destination("folder"), help="run folder to make; only --dry-run goes without")
@click.option("--resume", is_flag=True, help="continue the run in --out; --draws, --until-.., --time-limit may change")
@click.option(
    "--from",
    "parent",
    type=click.Path(path_type=Path),
    help="run folder from whose last draws chains begin; without TASK its task, network and options are taken, those "
    "given here excepted",
)
@click.option(
    "--dry-run", is_flag=True, help="say memory, disk and about how long it would take, and stop; nothing is written"
)
@json_option
def sample(
    task_name: str | None,
    out: Path | None,
    resume: bool,
    parent: Path | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Sample a posterior into a run folder.

    TASK is one of orthogonal, hypercube, parity, context, teacher, digits, mnist, cifar10, npz; with --resume it
    may be left out. Options that the task does not take are refused.

    The warm-up ends when chains have settled, unless --warmup is given, and sampling when the run is converged; with
    --draws when these are made; with --until-.. when they are precise enough, at most --draws of them.

    Ctrl-C, SIGTERM and SIGUSR1 end it after the current chunk with everything kept, to be continued with --resume; the
    status is 0, with --json it is 3.
    """
    if dry_run:
        _say_cost(task_name, out, resume, parent, as_json, options)
        return 0
    if out is None:
        raise InvalidInput("sample into which folder? name one that does not exist yet with `out`")
    with stoppable() as interruption:
        if resume:
            interruption.left_as_it_was()
        with interruption.put_off():
            import codingschemes.runs  # noqa: F401
        run = _sample(task_name, out, resume, parent, as_json, options)
    return UNFINISHED if as_json and interruption and not run.finished else 0


def _sample(
    task_name: str | None, out: Path, resume: bool, parent: Path | None, as_json: bool, options: dict[str, Any]
) -> "Run":
    if task_name is not None or not resume:
        posterior, sampling = _asked(task_name, parent, options)
    else:
        recorded = cs.Run.open(out)
        unused = [name for name, value in options.items() if value is not None and name not in SAMPLING]
        if unused:
            raise InvalidInput(f"--{unused[0].replace('_', '-')} needs TASK: name it, or leave both to the resumed run")
        posterior, sampling = recorded.posterior, {**recorded.config["sampling"], **_sampling(options)}
    run = cs.sample(posterior, out=out, resume=resume, parent=parent, **sampling)
    with stoppable() as interruption, interruption.put_off():
        from codingschemes.diagnostics import diagnose  # brings arviz, after the sampling

    found = diagnose(run) if run.draw_count else None
    warnings = ["stopped before the first draw, in the warm-up"] if found is None else found.warnings
    if as_json:
        print_json(
            {
                "run": str(out),
                "converged": found is not None and found.converged,
                "draws": run.draw_count,
                "rhat_max": None if found is None else found.convergence.rhat_max,
                "ess_min": None if found is None else found.convergence.ess_min,
                "finished": run.finished,
                "config": run.config,
                "provenance": run.provenance,
                "warnings": warnings,
                "next": _next_step(run, found),
            }
        )
        return run
    task, prior, asked = posterior.task, run.config["prior"], run.config["sampling"]
    print_table(
        f"sampled into {out}",
        ["", ""],
        [
            [
                "task",
                f"{task.name}, {task.sample_count} samples, {task.class_words}",
            ],
            ["network", _network_line(run)],
            ["temperature", f"{prior['temperature']:g}"],
            ["weight variance", f"{prior['weight_variance']:g}"],
            ["readout variance", f"{prior['readout_variance']:g} ({prior['source']})"],
            ["draws", f"{run.draw_count} x {asked['chains']} chains with {asked['sampler']} in {asked['space']} space"],
            ["ended by", run.provenance["ended"]],
            *([] if found is None else [["converged", _convergence_line(found.convergence)]]),
            [
                "seconds",
                f"{run.provenance['warmup_seconds']:.0f} warm-up + {run.provenance['sampling_seconds']:.0f} sampling",
            ],
            *(["warning", warning] for warning in warnings),
            ["next", _next_step(run, found)],
        ],
    )
    return run


def _say_cost(
    task_name: str | None, out: Path | None, resume: bool, parent: Path | None, as_json: bool, options: dict[str, Any]
) -> None:
    if resume:
        raise InvalidInput("`dry_run` is for runs that begin: leave out one of it and `resume=True`")
    posterior, sampling = _asked(task_name, parent, options)
    if out is None:  # on the disk that we are on
        out = next(path for number in itertools.count() if not (path := Path(f"run{number}")).exists())
    found = cs.cost(posterior, out=out, **sampling)
    if as_json:
        print_json(found.to_json())
        return
    print_table("cost of the run", ["", ""], [[name, value] for name, value in found.facts().items()])


def _sampling(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in SAMPLING if options[name] is not None}


def _asked(task_name: str | None, parent: Path | None, options: dict[str, Any]) -> tuple["Posterior", dict[str, Any]]:
    """The posterior of a run that begins, and how it is sampled."""
    if task_name is not None:
        return posterior_from(task_name, options), _sampling(options)
    if parent is None:
        raise InvalidInput(
            "sample what? name a task: orthogonal, hypercube, parity, context, teacher, digits, mnist, cifar10 or npz"
        )
    posterior, taken = _of_parent(cs.Run.open(parent), options)
    return posterior, {**taken, **_sampling(options)}


def _of_parent(parent: "Run", options: dict[str, Any]) -> tuple["Posterior", dict[str, Any]]:
    """The parent's posterior and sampling, with the temperature, prior, width and activation that are given."""
    given = {name: value for name, value in options.items() if value is not None and name not in SAMPLING}
    network = {name: given.pop(name) for name in ("width", "activation") if name in given}
    unused = [name for name in given if name not in _VARIANCES]
    if unused:
        raise InvalidInput(f"--{unused[0].replace('_', '-')} needs TASK: name it, or leave both to the run --from")
    prior = {name: getattr(parent.posterior.prior, name) for name in _VARIANCES}
    posterior = cs.Posterior(
        parent.posterior.task, cs.Network(**{**parent.config["network"], **network}), **{**prior, **given}
    )
    own = ("start", "time_limit", "sampling_limit", "precision")
    kept = {name: value for name, value in parent.config["sampling"].items() if name not in own}
    # The same random numbers again would make the chains follow their parents.
    return posterior, {**kept, "seed": kept["seed"] + 1}


def _convergence_line(found: "Convergence") -> str:
    verdict = "yes" if found.converged else "no"
    return f"{verdict}: R-hat up to {found.rhat_max:.3f}, {found.ess_min:.0f} effective draws at least"


def _next_step(run: "Run", found: "Diagnostics | None") -> str:
    """What to run next: what makes the run converged, or what reads it."""
    from codingschemes.convergence import ESS_LIMIT, RHAT_LIMIT

    more = f"codingschemes sample --resume --out {shlex.quote(str(run.path))}"
    if not run.finished:
        limit = run.config["sampling"]["time_limit"]
        timed = limit is not None and run.provenance["ended"] == "time limit"
        return f"{more} --time-limit {2 * limit:g}" if timed else more
    if found is None or found.converged:
        return f"codingschemes summarize {shlex.quote(str(run.path))}"
    if run.provenance["ended"] == "precision":  # that was asked for, and is less than what converged means
        asked = run.config["sampling"]
        rhat, ess = min(asked["until_rhat"] or RHAT_LIMIT, RHAT_LIMIT), max(asked["until_ess"] or 0, ESS_LIMIT)
        return f"{more} --until-rhat {rhat:g} --until-ess {ess:g}"
    if found.convergence.chains_differ:
        return "sample again with another --start, a longer --warmup or a higher --temperature: chains do not meet"
    return f"{more} --draws {4 * run.draw_count}"


def _network_line(run: "Run") -> str:
    network = run.config["network"]
    bias = ", bias" if network["bias"] else ""
    depth = f"{'recurrent, steps' if network['recurrent'] else 'depth'} {network['depth']}"
    return f"{network['activation']}, width {network['width']}, {depth}, {network['scaling']}{bias}"
