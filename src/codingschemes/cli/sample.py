"""`codingschemes sample`."""

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
from codingschemes.cli.output import print_json, print_table
from codingschemes.errors import InvalidInput

if TYPE_CHECKING:
    from codingschemes.runs import Run


@click.command()
@task_argument(required=False)
@task_options
@network_options
@posterior_options
@sampling_options
@click.option("--out", required=True, type=Destination("folder"), help="run folder to make")
@click.option("--resume", is_flag=True, help="continue the run in --out; only --draws may change")
@json_option
def sample(task_name: str | None, out: Path, resume: bool, as_json: bool, **options: Any) -> None:
    """Sample a posterior into a run folder.

    TASK is one of orthogonal, hypercube, digits, mnist, cifar10, npz; with --resume it may be left out. Options that
    the task does not take are refused.
    """
    sampling = {name: options[name] for name in SAMPLING if options[name] is not None}
    if task_name is not None:
        posterior = posterior_from(task_name, options)
    elif resume:
        recorded = cs.Run.open(out)
        unused = [name for name, value in options.items() if value is not None and name not in SAMPLING]
        if unused:
            raise InvalidInput(f"--{unused[0].replace('_', '-')} needs TASK: name it, or leave both to the resumed run")
        posterior, sampling = recorded.posterior, {**recorded.config["sampling"], **sampling}
    else:
        raise InvalidInput("sample what? name a task: orthogonal, hypercube, digits, mnist, cifar10 or npz")
    run = cs.sample(posterior, out=out, resume=resume, **sampling)
    from codingschemes.diagnostics import diagnose  # brings arviz, after the sampling

    warnings = diagnose(run).warnings
    if as_json:
        print_json(
            {
                "run": str(out),
                "draws": run.draw_count,
                "config": run.config,
                "provenance": run.provenance,
                "warnings": warnings,
            }
        )
        return
    task, prior, asked = posterior.task, run.config["prior"], run.config["sampling"]
    print_table(
        f"sampled into {out}",
        ["", ""],
        [
            [
                "task",
                f"{task.name}, {task.sample_count} samples, {task.class_count} classes",
            ],
            ["network", _network_line(run)],
            ["temperature", f"{prior['temperature']:g}"],
            ["weight variance", f"{prior['weight_variance']:g}"],
            ["readout variance", f"{prior['readout_variance']:g} ({prior['source']})"],
            ["draws", f"{run.draw_count} x {asked['chains']} chains with {asked['sampler']} in {asked['space']} space"],
            [
                "seconds",
                f"{run.provenance['warmup_seconds']:.0f} warm-up + {run.provenance['sampling_seconds']:.0f} sampling",
            ],
            *(["warning", warning] for warning in warnings),
            ["next", f"codingschemes summarize {out}"],
        ],
    )


def _network_line(run: "Run") -> str:
    network = run.config["network"]
    bias = ", bias" if network["bias"] else ""
    depth = f"{'recurrent, steps' if network['recurrent'] else 'depth'} {network['depth']}"
    return f"{network['activation']}, width {network['width']}, {depth}, {network['scaling']}{bias}"
