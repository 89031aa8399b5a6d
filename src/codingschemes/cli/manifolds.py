"""`codingschemes manifolds`."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import codingschemes as cs
from codingschemes.calls import MOST
from codingschemes.cli.names import ACTIVATIONS
from codingschemes.cli.options import (
    ACTIVATION,
    Destination,
    json_option,
    posterior_from,
    require_folder,
    task_argument,
    task_options,
)
from codingschemes.cli.output import print_json, print_table
from codingschemes.errors import InvalidInput

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from codingschemes.manifolds import Detection
    from codingschemes.runs import Run

_SHOWN = 40
_SHOWN_WIDTHS = 20
#: Sizes of random data.
_LARGEST = 10_000


def _activation_option(command: Any) -> Any:
    return click.option(
        "--activation",
        type=ACTIVATION,
        default="sigmoid",
        show_default=True,
        help=f"one of {', '.join(ACTIVATIONS)}, or module:function",
    )(command)


def _figure_option(command: Any) -> Any:
    return click.option("--figure", type=Destination("file"), help="draw it into this PNG or PDF file")(command)


@click.group()
def manifolds() -> None:
    """Sets of weights that gradient flow never leaves, on which the network is a narrower one."""


@manifolds.command("enumerate")
@_activation_option
@click.option("--width", default=4, show_default=True, help="neurons of the hidden layer")
@click.option("--bias", is_flag=True, help="neurons have a bias")
@click.option("--inputs", default=1, show_default=True, help="features of the data, for dimensions")
@click.option("--outputs", default=1, show_default=True, help="readouts a neuron has, for dimensions")
@_figure_option
@json_option
def enumerate_command(
    activation: str, width: int, bias: bool, inputs: int, outputs: int, figure: Path | None, as_json: bool
) -> None:
    """Count and list the manifolds of a two-layer network; draw their hierarchy (width 4 or less).

    More than 10,000 manifolds are counted, by formula, and not listed.
    """
    _check_figure(figure)
    from codingschemes.manifolds import effective_width, enumerate_manifolds, hierarchy, symmetry_induced

    found = enumerate_manifolds(cs.Network(activation, width=width, bias=bias), inputs=inputs, outputs=outputs)
    if figure is not None:
        from codingschemes.reports.manifolds import MOST_NEURONS, hasse

        if width > MOST_NEURONS:
            raise InvalidInput(f"a hierarchy of width {width} cannot be drawn: give --width {MOST_NEURONS} or less")
        _save(hasse(hierarchy(found.kind, width), f"{activation}, {width} neurons, {found.count} manifolds"), figure)
    if as_json:
        print_json(found.to_json())
        return
    print_table(
        f"manifolds of a {activation} network of width {width}",
        ["quantity", "value"],
        [
            ["class of the activation", found.kind.symmetry + (", homogeneous" if found.kind.homogeneous else "")],
            ["manifolds", _number(found.count)],
            *([f"of effective width {level}", _number(number)] for level, number in _few(found.by_effective_width)),
            *(["note", note] for note in found.kind.caveats(bias)),
        ],
    )
    if not found.listed:
        click.echo("more than 10,000 manifolds are counted by formula, not listed")
        return
    shown = [partition for _, partition in zip(range(_SHOWN), found, strict=False)]
    print_table(
        f"the first {len(shown)} of {found.count:,} (--json lists up to 10,000)"
        if found.count > _SHOWN
        else "manifolds",
        ["blocks of neurons", "dimension", "effective width", "induced by symmetry"],
        [
            [
                str(partition),
                str(found.dimension(partition)),
                str(effective_width(partition, found.kind)),
                "yes" if symmetry_induced(partition, found.kind) else "no",
            ]
            for partition in shown
        ],
    )


@manifolds.command("check")
@task_argument(required=False)
@task_options
@_activation_option
@click.option("--width", default=4, show_default=True, help="neurons of the hidden layer")
@click.option("--bias", is_flag=True, help="neurons have a bias")
@click.option("--outputs", type=int, help="of random data, 2 if left out")
@click.option("--loss", default="squared", show_default=True, help="squared, cross-entropy, logistic or log-cosh")
@click.option("--steps", type=click.IntRange(1), default=1000, show_default=True, help="of training")
@click.option("--seed", type=click.IntRange(0, MOST), default=0, show_default=True, help="of weights and random data")
@json_option
def check_command(
    task_name: str | None,
    activation: str,
    width: int,
    bias: bool,
    loss: str,
    steps: int,
    seed: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Check that gradients are tangential to every manifold, and which dynamics stay on one.

    On random data (--samples, 20 if left out, and --inputs, 3 if left out), or on a TASK: orthogonal, hypercube,
    parity, context, teacher, digits, mnist, cifar10, npz. Beside the manifolds stand controls that are none.
    """
    from codingschemes.manifolds import Problem, check, random_problem

    network = cs.Network(activation, width=width, bias=bias, scaling="none")
    if task_name is None:
        import numpy as np

        problem = random_problem(np.random.default_rng(seed), network, loss, **_random_options(options))
    else:
        task = posterior_from(task_name, options).task
        problem = Problem.of(network, task.inputs, task.targets, loss)
    found = check(problem, width, steps=steps, seed=seed)
    if as_json:
        print_json(found.to_json())
        return
    where = "random data" if task_name is None else task_name
    print_table(
        f"tangency of {loss} gradients on {where}, {activation}, width {width}: "
        + ("holds" if found.holds else "DOES NOT HOLD"),
        ["subspaces", "number", "largest relative normal gradient"],
        [
            *(
                [f"manifolds of effective width {level}", str(number), f"{residual:.1e}"]
                for level, (number, residual) in found.residuals.items()
            ),
            *([f"control: {name}", "1", f"{residual:.2g}"] for name, residual in found.control_residuals.items()),
        ],
    )
    print_table(
        f"training from a manifold that {'attracts' if found.condensing else 'does not attract'} there "
        "(normal Hessian at the start)",
        ["manifold", "method", "relative distance at the start", "at the end", "loss"],
        [
            [
                drift.manifold,
                drift.method + ", off by round-off" * drift.displaced + ", projected" * drift.projected,
                f"{drift.start:.1e}",
                f"{drift.end:.1e}",
                f"{drift.loss[0]:.4g} -> {drift.loss[1]:.4g}",
            ]
            for drift in found.drifts
        ],
    )
    if found.orbits:
        print_table(
            "orbits: dimension at a point of each effective width",
            ["manifold", "fields", "fields and brackets (lower bound)", "upper bound"],
            [[row.partition, str(row.fields), str(row.dimension), str(row.upper)] for row in found.orbits],
        )
    if found.balance_drift is not None:
        click.echo(f"|a|^2 - |w|^2 of every neuron: relative change along the flow {found.balance_drift:.1e}")


@manifolds.command("detect")
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.option("--weights", type=click.Path(path_type=Path), help=".npz file with arrays weight (m, D), readout (m, C)")
@_activation_option
@click.option("--tolerance", default=0.05, show_default=True, help="of the partition that is printed")
@click.option("--draws", default=20, show_default=True, help="networks of a run that are looked at")
@_figure_option
@json_option
@click.pass_context
def detect_command(
    context: click.Context,
    run: Path | None,
    weights: Path | None,
    activation: str,
    tolerance: float,
    draws: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Say how close weights are to a manifold: effective width against tolerance, beside draws from the prior.

    For a RUN, at four levels: codes (class-mean activities), activities, weights as the training inputs see them, and
    weights. For --weights, one network, beside Gaussian weights of the same size.
    """
    if (run is None) == (weights is None):
        raise InvalidInput("detect takes either the folder of a RUN or --weights FILE.npz: give one of them")
    _check_figure(figure)
    if not 0 < tolerance < 2:
        raise InvalidInput(
            f"--tolerance is {tolerance:g}: give a number between 0 and 2, relative to the weights' size"
        )
    if run is not None:
        if context.get_parameter_source("activation") is not click.core.ParameterSource.DEFAULT:
            raise InvalidInput("a RUN brings its own activation: leave out --activation")
        _detect_run(cs.Run.open(run), run, tolerance, draws, figure, as_json)
    elif weights is not None:
        _detect_weights(weights, activation, tolerance, figure, as_json)


def _detect_run(run: "Run", folder: Path, tolerance: float, draws: int, figure: Path | None, as_json: bool) -> None:
    from codingschemes.coding.condensation import condensation  # brings arviz: only when it is needed

    found = condensation(run, draws, tolerance)
    if figure is not None:
        from codingschemes.reports.manifolds import widths_against_tolerance

        _save(widths_against_tolerance(found.profile, str(folder)), figure)
    if as_json:
        print_json({**_partition(found.last), **found.to_json()})
        return
    rows = [index for index in range(len(found.profile.tolerances)) if index % 3 == 0]
    print_table(
        f"median effective width of {found.networks} networks of {folder}, posterior (prior)",
        ["relative tolerance", *found.profile.drawn],
        [
            [
                f"{found.profile.tolerances[row]:.3g}",
                *(
                    f"{found.profile.drawn[name][row]:g} ({found.profile.reference[name][row]:g})"
                    for name in found.profile.drawn
                ),
            ]
            for row in rows
        ],
    )
    print_table(
        "weights of the last network",
        ["quantity", "posterior", "prior"],
        [_distance_row(found.last, found.prior)],
    )
    click.echo(
        "note: agreement at the level of codes is redundant coding; only the last column is about manifolds, and "
        "calling a redundant code a manifold is an interpretation"
    )


def _detect_weights(path: Path, activation: str, tolerance: float, figure: Path | None, as_json: bool) -> None:
    import numpy as np

    from codingschemes.manifolds import Neurons, classify, detect, gaussian_like
    from codingschemes.networks import activation_named
    from codingschemes.tasks.archives import read_arrays, require

    arrays = read_arrays(path)
    weight, readout = (require(arrays, names, path) for names in (("weight", "weights", "W"), ("readout", "a")))
    if weight.ndim != 2 or readout.ndim != 2 or len(weight) != len(readout) or not len(weight):
        raise InvalidInput(
            f"{path} has weight {weight.shape} and readout {readout.shape}: give (neuron, input) and (neuron, output)"
        )
    if weight.dtype.kind not in "fiu" or readout.dtype.kind not in "fiu":
        raise InvalidInput(f"{path} holds arrays that are no real numbers: give weight and readout as floats")
    network, kind = Neurons(readout.astype(float), weight.astype(float)), classify(activation_named(activation))
    found = detect(network, kind, tolerance=tolerance)
    reference = detect(gaussian_like(network, np.random.default_rng(0)), kind, tolerance=tolerance)
    if figure is not None:
        from codingschemes.reports.manifolds import single_network

        _save(single_network(found, reference), figure)
    if as_json:
        values = {"tolerances": found.tolerances.tolist(), "drawn": found.to_json(), "gaussian": reference.to_json()}
        print_json({**_partition(found), **values})
        return
    print_table(
        f"effective width of {path}, {activation} (Gaussian weights of the same size)",
        ["relative tolerance", "strict, (a, w)", "direction of w"],
        [
            [
                f"{found.tolerances[row]:.3g}",
                f"{found.strict[row]} ({reference.strict[row]})",
                f"{found.direction[row]} ({reference.direction[row]})",
            ]
            for row in range(0, len(found.tolerances), 3)
        ],
    )
    blocks = str(found.partition) if len(weight) <= _SHOWN_WIDTHS else f"{len(found.partition.blocks)} blocks"
    print_table(
        "weights",
        ["quantity", "these", "Gaussian"],
        [_distance_row(found, reference), [f"partition at tolerance {tolerance:g}", blocks, "-"]],
    )


def _distance_row(found: "Detection", reference: "Detection") -> list[str]:
    return ["relative distance to the nearest smaller manifold", f"{found.nearest:.3g}", f"{reference.nearest:.3g}"]


def _partition(found: "Detection") -> dict[str, Any]:
    return {
        "tolerance": found.tolerance,
        "effective_width": found.effective_width,
        "partition": [list(block) for block in found.partition.blocks],
        "zero": list(found.partition.zero),
        "flat": [list(block) for block in found.partition.flat],
    }


def _random_options(options: dict[str, Any]) -> dict[str, int]:
    """--samples, --inputs and --outputs of random data; everything else needs a task."""
    given = {name: value for name, value in options.items() if value is not None}
    unknown = sorted(set(given) - {"samples", "inputs", "outputs"})
    if unknown:
        raise InvalidInput(f"--{unknown[0].replace('_', '-')} needs a TASK: name one, or leave it out for random data")
    found = {}
    for name, value in given.items():
        text = str(value)
        if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= _LARGEST):
            raise InvalidInput(f"--{name} of random data is {value}: give a whole number from 1 to {_LARGEST}")
        found[name] = int(text)
    return found


def _number(count: int) -> str:
    return f"{count:,}" if count < 10**15 else f"{Decimal(count):.4e}"  # beyond all floats


def _few(counts: dict[int, int]) -> list[tuple[int, int]]:
    """At most twenty rows of a wide network: the most frequent widths."""
    most = sorted(counts, key=lambda level: -counts[level])[:_SHOWN_WIDTHS]
    return [(level, counts[level]) for level in sorted(most)]


def _check_figure(path: Path | None) -> None:
    """Refuse a figure that cannot be saved, before anything runs."""
    if path is not None and path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise InvalidInput(f"the figure {path} has no known format: give a name that ends in .png, .pdf or .svg")
    require_folder(path, "--figure")


def _save(figure: "Figure", path: Path) -> None:
    figure.savefig(path)
    click.echo(f"figure in {path}", err=True)
