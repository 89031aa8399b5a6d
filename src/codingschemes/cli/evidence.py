"""`codingschemes evidence`."""

from typing import TYPE_CHECKING, Any

import click

import codingschemes as cs
from codingschemes.cli.options import (
    TEMPERING,
    json_option,
    network_options,
    posterior_from,
    posterior_options,
    task_argument,
    task_options,
    tempering_options,
)
from codingschemes.cli.output import print_json, print_table

if TYPE_CHECKING:
    from codingschemes.tempering import Evidence

_ROWS = 12


@click.command()
@task_argument()
@task_options
@network_options
@posterior_options
@tempering_options
@json_option
def evidence(task_name: str, as_json: bool, **options: Any) -> None:
    """Estimate the log evidence of a network on a task, from the prior down to its temperature.

    TASK is one of orthogonal, hypercube, parity, context, teacher, digits, mnist, cifar10, npz. Differences between two
    networks on the same task are log Bayes factors.
    """
    posterior = posterior_from(task_name, options)
    found = cs.evidence(
        posterior, progress=True, **{name: options[name] for name in TEMPERING if options[name] is not None}
    )
    if as_json:
        print_json(found.to_json())
        return
    asked = found.options
    print_table(
        f"log evidence of a {posterior.network.activation_name} network on {posterior.task.name}",
        ["quantity", "value"],
        [
            ["log p(Y)", f"{found.log_evidence:.5g} +- {found.standard_error:.2g} nats"],
            ["sweeps", "  ".join(f"{value:.5g}" for value in found.estimates)],
            ["error of one sweep", f"{found.weight_error:.2g} if particles mix at every temperature"],
            ["particles", f"{asked.particles} x {asked.sweeps} sweeps with {asked.sampler} in {asked.space} space"],
            ["cost", f"{found.gradients} gradients, {found.seconds:.0f} seconds"],
            *(["warning", warning] for warning in found.warnings),
        ],
    )
    print_table(
        f"on the way ({len(found.temperatures)} temperatures)",
        ["temperature", "log p(Y | T)", "error", "effective particles", "acceptance"],
        _curve_rows(found),
    )


def _curve_rows(found: "Evidence") -> list[list[str]]:
    """Evenly spaced temperatures, the last one among them."""
    last = len(found.temperatures) - 1
    shown = dict.fromkeys(round(index * last / min(_ROWS - 1, max(last, 1))) for index in range(min(_ROWS, last + 1)))
    return [
        [
            f"{found.temperatures[index]:.4g}",
            f"{found.log_curve[index]:.5g}",
            f"{found.curve_error[index]:.2g}",
            f"{found.effective_particles[:, index].mean():.0f}",
            f"{found.acceptance[:, index].mean():.2f}",
        ]
        for index in shown
    ]
