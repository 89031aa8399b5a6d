"""The options of the command line that several commands share, and how they become objects."""

from collections.abc import Callable
from typing import Any, get_args

import click

from codingschemes.networks import ACTIVATIONS, Network
from codingschemes.posterior import Posterior, Space
from codingschemes.samplers import SAMPLERS
from codingschemes.tasks import OPTIONS, TASKS, make_task

type Command = Callable[..., Any]

#: --seed is the sampler's everywhere, so a task's own seed has another name on the command line.
_TASK_OPTION_NAMES = {name: "task_seed" if name == "seed" else name for name in OPTIONS}

_POSTERIOR_OPTIONS: dict[str, tuple[Any, str]] = {
    "temperature": (float, "T in exp(-||Y-f||^2/(2T)), 1e-4 if left out"),
    "weight_variance": (float, "prior variance of a weight W_ij as it stands; 1 if left out"),
    "readout_variance": (float, "prior variance of a readout a_i; 1/P (linear: P^(-1/L)) if left out"),
    "penalty1": (float, "penalty on ||W||^2 instead of --weight-variance"),
    "penalty2": (float, "penalty on ||a||^2 instead of --readout-variance"),
}

_NETWORK_OPTIONS: dict[str, tuple[Any, str]] = {
    "activation": (str, f"one of {', '.join(ACTIVATIONS)}, or module:function; sigmoid if left out"),
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
    "sampler": (str, f"one of {', '.join(SAMPLERS)}; codes if left out, hmc for recurrent networks"),
    "space": (click.Choice(get_args(Space.__value__)), "form of the posterior, reduced if left out"),
    "chains": (int, "chains side by side, 4 if left out"),
    "draws": (int, "stored draws a chain, 500 if left out"),
    "warmup": (int, "adapting steps a chain, 500 if left out"),
    "seed": (int, "0 if left out; the same seed on the same machine gives the same draws"),
    "start": (click.Choice(["prior", "annealed", "tempered"]), "where chains begin, prior if left out"),
    "target_acceptance": (float, "acceptance that step sizes are adapted to; the sampler's own if left out"),
    "time_limit": (float, "seconds of sampling after which a run stops with the draws made so far"),
    "max_tree_depth": (int, "a NUTS trajectory has at most 2^depth - 1 steps, 10 if left out"),
}

_TEMPERING_OPTIONS: dict[str, tuple[Any, str]] = {
    "particles": (int, "networks carried from the prior to the posterior, 64 if left out"),
    "sweeps": (int, "independent sweeps, 2 if left out"),
    "threshold": (float, "share of particles left effective by a change of temperature, 0.5 if left out"),
    "adapting": (int, "adapting steps at every temperature, 10 if left out"),
    "steps": (int, "steps at every temperature after these, 5 if left out"),
    **{name: _SAMPLING_OPTIONS[name] for name in ("sampler", "space", "seed", "target_acceptance")},
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
    takers = {name: [task for task, entry in TASKS.items() if name in entry.options] for name in OPTIONS}
    options: dict[str, tuple[Any, str]] = {
        _TASK_OPTION_NAMES[name]: (str, f"{option.help} [{', '.join(takers[name])}]")
        for name, option in OPTIONS.items()
    }
    return _with_options(options, command)


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


def json_option(command: Command) -> Command:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="print one JSON object and nothing else")(command)


def posterior_from(task_name: str, options: dict[str, Any]) -> Posterior:
    """The posterior that the options given (not None) ask for.

    Raises:
        InvalidInput: whatever is wrong with them.
    """
    entry = TASKS[task_name]
    given = {name: value for name, value in options.items() if value is not None}
    asked = {name: given[name] for name in (*_NETWORK_OPTIONS, *_NETWORK_FLAGS) if name in given}
    network = Network(**{"scaling": entry.scaling, **asked})
    task = make_task(
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
