"""The options of the command line that several commands share, and how they become objects."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codingschemes.cli.names import (
    ACTIVATIONS,
    DRAWS_SAMPLER,
    EVIDENCE_SAMPLER,
    SAMPLERS,
    SPACES,
    TASK_OPTIONS,
    TASKS,
    THEORIES,
)
from codingschemes.errors import InvalidInput
from codingschemes.registry import unknown

if TYPE_CHECKING:
    from codingschemes.posterior import Posterior

type Command = Callable[..., Any]


class Named(click.ParamType):
    """One of some names; a wrong one is answered with the nearest."""

    name = "text"

    def __init__(self, kind: str, names: Iterable[str], *, or_else: Callable[[str], bool] = lambda _: False):
        self.kind, self.names, self.or_else = kind, tuple(names), or_else

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        if value in self.names or self.or_else(value):
            return value
        raise unknown(self.kind, value, sorted(self.names))


class Destination(click.ParamType):
    """A file or a folder to write, refused before anything runs where that cannot be.

    Args:
        kind: `file` or `folder`.
    """

    name = "path"

    def __init__(self, kind: str):
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002
        if isinstance(value, Path):
            return value
        option = param.opts[0] if param else "the path"
        if not value.strip():
            raise InvalidInput(f"{option} is empty: name a {self.kind} to write")
        path = Path(value)
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:  # a name that is too long, a folder that may not be entered
            raise InvalidInput(
                f"{option} {value} cannot be written ({error.strerror}): choose another place"
            ) from error
        if self.kind == "file" and path.is_dir():
            raise InvalidInput(f"{option} {value} is a folder: name a file in it")
        if self.kind == "folder" and path.exists() and not path.is_dir():
            raise InvalidInput(f"{option} {value} is a file: name a folder")
        ancestor = next(each for each in path.absolute().parents if each.exists())
        if not ancestor.is_dir() or not os.access(path if path.exists() else ancestor, os.W_OK):
            raise InvalidInput(f"{option} {value} cannot be written: choose another place")
        return path


def require_folder(path: Path | None, option: str) -> None:
    """Refuse a file to write in a folder that does not exist, before anything runs.

    Raises:
        InvalidInput: naming the option.
    """
    if path is not None and not path.absolute().parent.is_dir():
        raise InvalidInput(f"the folder of {path} does not exist: make it, or choose another {option}")


#: The names that --activation takes: a registered one, or a function of a module of the user's own.
ACTIVATION = Named("activation", ACTIVATIONS, or_else=lambda name: ":" in name)
#: Those that --sampler takes, likewise.
SAMPLER = Named("sampler", SAMPLERS, or_else=lambda name: ":" in name)

#: --seed is the sampler's everywhere, so a task's own seed has another name on the command line.
_TASK_OPTION_NAMES = {name: "task_seed" if name == "seed" else name for name in TASK_OPTIONS}

_POSTERIOR_OPTIONS: dict[str, tuple[Any, str]] = {
    "temperature": (float, "T in exp(-||Y-f||^2/(2T)), 1e-4 if left out"),
    "weight_variance": (float, "prior variance of a weight W_ij as it stands; 1 if left out"),
    "readout_variance": (float, "prior variance of a readout a_i; 1/P (linear: P^(-1/L)) if left out"),
    "penalty1": (float, "penalty on ||W||^2 instead of --weight-variance"),
    "penalty2": (float, "penalty on ||a||^2 instead of --readout-variance"),
}

_NETWORK_OPTIONS: dict[str, tuple[Any, str]] = {
    "activation": (ACTIVATION, f"one of {', '.join(ACTIVATIONS)}, or module:function; sigmoid if left out"),
    "width": (int, "neurons a layer, 100 if left out"),
    "depth": (int, "hidden layers, 1 if left out"),
    "scaling": (
        click.Choice(["mean-field", "lazy", "none"]),
        "readout scaling; that of the task's literature if left out",
    ),
}

_NETWORK_FLAGS = {
    "bias": "a regularised bias in every hidden layer",
    "recurrent": "one hidden layer with recurrent weights; --depth counts its time steps",
}

_SAMPLING_OPTIONS: dict[str, tuple[Any, str]] = {
    "sampler": (SAMPLER, f"one of {', '.join(SAMPLERS)}, or module:function; {DRAWS_SAMPLER} if left out"),
    "space": (click.Choice(SPACES), "form of the posterior, reduced if left out"),
    "chains": (int, "chains side by side, 4 if left out"),
    "draws": (int, "stored draws a chain, at most where an --until-.. is given; 2000 if left out, fewer above 2 GB"),
    "until_ess": (
        float,
        "end as soon as every invariant has so many effective draws; 100, with R-hat 1.05, if left out with --draws",
    ),
    "until_rhat": (float, "end as soon as every invariant has an R-hat of at most this"),
    "warmup": (int, "adapting steps a chain; until chains have settled if left out"),
    "seed": (int, "0 if left out; the same seed on the same machine gives the same draws"),
    "start": (
        click.Choice(["prior", "quenched", "annealed", "tempered", "mixed"]),
        "where chains begin; mixed (annealed, prior, quenched in turn) if left out, prior with --warmup",
    ),
    "target_acceptance": (float, "acceptance that step sizes are adapted to; the sampler's own if left out"),
    "precision": (
        click.Choice(["double", "mixed"]),
        "arithmetic, mixed where it can be if left out: forces of hmc and codes in single precision, accepted exactly",
    ),
    "time_limit": (float, "seconds on the clock, warm-up included, after which a run stops with its draws"),
    "max_tree_depth": (int, "a NUTS trajectory has at most 2^depth - 1 steps, 10 if left out"),
}

_TEMPERING_OPTIONS: dict[str, tuple[Any, str]] = {
    "particles": (int, "networks carried from the prior to the posterior, 64 if left out"),
    "sweeps": (int, "independent sweeps, 2 if left out"),
    "threshold": (float, "share of particles left effective by a change of temperature, 0.5 if left out"),
    "adapting": (int, "adapting steps at every temperature, 10 if left out"),
    "steps": (int, "steps at every temperature after these, 5 if left out"),
    "sampler": (SAMPLER, f"one of {', '.join(SAMPLERS)}, or module:function; {EVIDENCE_SAMPLER} if left out"),
    **{name: _SAMPLING_OPTIONS[name] for name in ("space", "seed", "target_acceptance")},
    "max_tree_depth": (int, "a NUTS trajectory has at most 2^depth - 1 steps, 6 if left out"),
}

TEMPERING = tuple(_TEMPERING_OPTIONS)
SAMPLING = tuple(_SAMPLING_OPTIONS)


def _with_options(options: dict[str, tuple[Any, str]], command: Command) -> Command:
    for name, (kind, text) in reversed(options.items()):
        command = click.option("--" + name.replace("_", "-"), name, type=kind, help=text)(command)
    return command


def task_options(command: Command) -> Command:
    """TASK and the options of all tasks; those a task does not take are refused when it is made."""
    options: dict[str, tuple[Any, str]] = {
        _TASK_OPTION_NAMES[name]: (str, f"{text} [{', '.join(takers)}]")
        for name, (text, takers) in TASK_OPTIONS.items()
    }
    return _with_options(options, command)


def task_argument(*, required: bool = True) -> Callable[[Command], Command]:
    """TASK."""
    metavar = "TASK" if required else "[TASK]"
    return click.argument("task_name", metavar=metavar, required=required, type=Named("task", TASKS))


def theory_option(default: str | None, *others: str) -> Callable[[Command], Command]:
    """--theory.

    Args:
        default: None leaves the choice to the package.
        others: words that may stand for a theory.
    """
    text = f"one of {', '.join((*THEORIES, *others))}" + (
        "" if default else "; the one that covers the run if left out"
    )
    names = Named("theory", (*THEORIES, *others))
    return click.option("--theory", type=names, default=default, show_default=True, help=text)


def time_limit_option(command: Command) -> Command:
    """--time-limit of a theory."""
    kind = click.FloatRange(min=0, min_open=True)
    return click.option("--time-limit", type=kind, help="seconds after which the theory's solver gives up")(command)


def network_options(command: Command) -> Command:
    """The options that make a `Network`."""
    for name, text in reversed(_NETWORK_FLAGS.items()):
        command = click.option(f"--{name}", is_flag=True, default=None, help=text)(command)
    return _with_options(_NETWORK_OPTIONS, command)


def posterior_options(command: Command) -> Command:
    """Temperature and priors or penalties."""
    return _with_options(_POSTERIOR_OPTIONS, command)


def sampling_options(command: Command) -> Command:
    """The options that make a `Sampling`."""
    return _with_options(_SAMPLING_OPTIONS, command)


def tempering_options(command: Command) -> Command:
    """The options that make a `Tempering`."""
    return _with_options(_TEMPERING_OPTIONS, command)


def drift_option(command: Command) -> Command:
    """--drift."""
    return click.option(
        "--drift",
        is_flag=True,
        help="follow the networks along a local dynamics, seconds to minutes: do neurons of each layer change what "
        "they answer to? Draws of samplers that are such a dynamics say so by themselves",
    )(command)


def json_option(command: Command) -> Command:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="print one JSON object and nothing else")(command)


def posterior_from(task_name: str, options: dict[str, Any]) -> "Posterior":
    """The posterior that the options given (not None) ask for.

    Raises:
        InvalidInput: whatever is wrong with them.
    """
    from codingschemes import tasks
    from codingschemes.networks import Network
    from codingschemes.posterior import Posterior

    entry = tasks.TASKS[task_name]
    given = {name: value for name, value in options.items() if value is not None}
    asked = {name: given[name] for name in (*_NETWORK_OPTIONS, *_NETWORK_FLAGS) if name in given}
    network = Network(**{"scaling": entry.scaling, **asked})
    task = tasks.make_task(
        task_name,
        **{name: _as_typed(given[typed]) for name, typed in _TASK_OPTION_NAMES.items() if typed in given},
    )
    return Posterior(task, network, **{name: given[name] for name in _POSTERIOR_OPTIONS if name in given})


def _as_typed(text: str) -> int | float | str:
    """A number where the text is one; tasks check the rest."""
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
