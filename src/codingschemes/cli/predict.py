"""`codingschemes predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import codingschemes as cs
from codingschemes.cli.names import TASKS
from codingschemes.cli.options import (
    Named,
    json_option,
    network_options,
    posterior_from,
    posterior_options,
    task_options,
    theory_option,
    time_limit_option,
)
from codingschemes.cli.output import print_json, print_table
from codingschemes.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from codingschemes.theory import NeuronGroup, Prediction

_LEAST_COUNT = 0.05


@click.command()
@click.argument("subject", metavar="[TASK|RUN]", required=False)
@click.option("--run", "run_folder", type=click.Path(path_type=Path), help="predict for the posterior of this run")
@theory_option("mean-field")
@click.option("--zero-temperature", is_flag=True, help="the mean field in the limit T -> 0, at orthogonal inputs")
@time_limit_option
@task_options
@network_options
@posterior_options
@json_option
def predict(
    subject: str | None,
    run_folder: Path | None,
    theory: str,
    zero_temperature: bool,
    time_limit: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what a theory predicts for a posterior: outputs, kernel, codes or outliers, with a certificate.

    TASK is one of orthogonal, hypercube, parity, context, teacher, digits, mnist, cifar10, npz, with the same
    options as for sample; or give the folder of a run.
    """
    if (subject is None) == (run_folder is None):
        raise InvalidInput("predict takes either a TASK or a RUN: give one of them")
    if subject is not None and subject not in TASKS and Path(subject).is_dir():
        run_folder = Path(subject)
    if run_folder is not None:
        given = [name for name, value in options.items() if value is not None]
        if given:
            raise InvalidInput(f"{run_folder} brings its own task and network: leave out `{given[0]}`")
        posterior = cs.Run.open(run_folder).posterior
    else:
        posterior = posterior_from(Named("task or folder of a run", TASKS).convert(subject, None, None), options)
    if zero_temperature and theory != "mean-field":
        raise InvalidInput(f"`zero_temperature` is of the mean field: leave it out with the {theory} theory")
    limit = {"zero_temperature": True} if zero_temperature else {}
    prediction = cs.predict(posterior, theory, progress=True, time_limit=time_limit, **limit)
    if as_json:
        print_json(prediction.to_json())
        return
    print_table(
        f"{theory} theory of a {posterior.network.activation_name} network", ["quantity", "value"], _rows(prediction)
    )
    groups = _groups(prediction)
    if groups:
        print_table(
            "neurons",
            ["group", "neurons", "activity for each class", "readout to each output"],
            [
                [name, _count(group, prediction), _numbers(group.activity), _numbers(group.readout)]
                for name, group in groups
            ],
        )
    print_table(
        "what it rests on",
        ["holds", "assumption"],
        [["yes" if each.holds else "NO", each.statement] for each in prediction.assumptions],
    )


def _rows(prediction: "Prediction") -> list[list[str]]:
    import numpy as np

    task = prediction.posterior.task
    means = [prediction.outputs[task.labels == label].mean(axis=0) for label in range(task.class_count)]
    rows = [["certificate", prediction.certificate.words]]
    rows += [[name.replace("_", " "), f"{value:.6g}"] for name, value in prediction.certificate.bounds.items()]
    if prediction.scheme is not None:
        rows.append(["scheme", f"{prediction.scheme.label}: {prediction.scheme.reason}"])
    further = prediction.details.to_json()
    if heavy := further.get("heavy"):
        share = further["bulk_share_of_kernel"]
        rows.append(["heavy neurons", f"{len(heavy)}; the bulk has {share:.0%} of the kernel's trace"])
    if prediction.energy is not None:
        rows.append(["energy", f"{prediction.energy:.6g}"])
    if prediction.parallelism is not None:
        rows.append(["parallelism", f"{prediction.parallelism:.4f}"])
    rows += [[f"outputs for class {name}", _numbers(mean)] for name, mean in zip(task.class_names, means, strict=True)]
    values = prediction.to_json()
    if "kernel" in values:
        within = np.asarray(values["kernel"]["within"], float)
        rows.append(["kernel within classes", _numbers(within)])
        rows += [
            [f"kernel, class {name} with each", _numbers(np.asarray(row, float))]
            for name, row in zip(task.class_names, values["kernel"]["between"], strict=True)
        ]
    return rows


def _groups(prediction: "Prediction") -> list[tuple[str, "NeuronGroup"]]:
    groups = [(f"code {group.name}", group) for group in prediction.codes if group.count >= _LEAST_COUNT]
    if prediction.bulk is not None:
        groups.append(("bulk", prediction.bulk))
    return groups + [(f"outlier for {group.name}", group) for group in prediction.outliers]


def _count(group: "NeuronGroup", prediction: "Prediction") -> str:
    given = prediction.conditional and any(group is code for code in prediction.codes)
    return f"{group.count:.2f}" + (" (given)" if given else "")


def _numbers(values: "ArrayLike") -> str:
    import numpy as np

    return "  ".join(f"{value:.4g}" for value in np.atleast_1d(values)[:12])
