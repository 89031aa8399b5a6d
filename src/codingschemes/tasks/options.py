"""What the options of tasks mean: each name has one meaning everywhere, is read here and nowhere else.

A task constructor decorated with `reads_options` receives options that are already checked and in plain Python
types, and its `Task` records them.
"""

import functools
import inspect
import math
import operator
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from codingschemes.calls import bind
from codingschemes.errors import InvalidInput
from codingschemes.tasks.task import Task

type ClassChoice = int | Sequence[int | str]
"""How many classes, or which: 3, [3, 5, 8], "3,5,8" or "cat,dog"."""


@dataclass(frozen=True)
class Option:
    """One option of a task.

    Attributes:
        parse: turns what the user gave into plain Python values; raises ValueError or TypeError if it cannot.
        expects: what the option takes, to end the sentence "`option` takes ...".
        help: what the option is for.

    Example:
        >>> cs.tasks.OPTIONS["ratios"].parse(".5,.5")
        [0.5, 0.5]
    """

    parse: Callable[[Any], Any]
    expects: str
    help: str


def argument(name: str) -> str:
    """The argument as messages name it; the command line, where `seed` is the sampler's, has another name for it."""
    return "`seed` of the task" if name == "seed" else f"`{name}`"


def read_option(name: str, value: Any) -> Any:
    """The value of the option `name` in plain Python types, or InvalidInput that says what the option takes."""
    option = OPTIONS[name]
    try:
        return option.parse(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"{argument(name)} takes {option.expects}, not {value!r}") from None


def reads_options[**P](build: Callable[P, Task]) -> Callable[P, Task]:
    """Checks the options of a task constructor before it runs and records them in the task's provenance.

    None means "not given": the default is taken. provenance["options"] rebuilds the same task.
    """
    signature = inspect.signature(build)
    build_task: Callable[..., Task] = build

    @functools.wraps(build)
    def read_then_build(*args: P.args, **kwargs: P.kwargs) -> Task:
        arguments = bind(build.__name__, signature, args, kwargs, list(signature.parameters)).arguments
        given = {name: value for name, value in arguments.items() if value is not None}
        options = {}
        for name, parameter in signature.parameters.items():
            value = given.get(name, parameter.default)
            options[name] = None if value is None else read_option(name, value)
        task = build_task(**options)
        return replace(task, provenance={"options": options, "preprocessing": [], **task.provenance})

    return read_then_build


def _whole(at_least: int, at_most: int = sys.maxsize) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        number = operator.index(value)
        if isinstance(value, bool) or not at_least <= number <= at_most:
            raise ValueError
        return number

    return parse


def _number(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool | str) or not math.isfinite(number):
        raise ValueError
    return number


def _amount(value: Any) -> float:
    number = _number(value)
    if not 0 <= number <= 1e6:  # beyond, double precision no longer holds what is added to it
        raise ValueError
    return number


def _word(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _one_of(*choices: str) -> tuple[Callable[[Any], str], str]:
    def parse(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError
        return value

    return parse, f"one of {', '.join(choices)}"


def _pieces(value: Any) -> Iterable[Any]:
    return [piece.strip() for piece in value.split(",")] if isinstance(value, str) else value


def _ratios(value: Any) -> list[float]:
    ratios = [_number(float(piece)) for piece in _pieces(value)]
    if not ratios or min(ratios) <= 0 or abs(sum(ratios) - 1) > 1e-6:
        raise ValueError
    return ratios


def _class(value: Any) -> int | str:
    if isinstance(value, str):
        is_number = value.removeprefix("-").isdecimal() and str(int(value)) == value
        if not value:
            raise ValueError
        return int(value) if is_number else str(value)
    return _whole(at_least=-sys.maxsize)(value)


def _classes(value: Any) -> int | list[int | str]:
    """A count (3 or "3") stays a number, everything else becomes a list of labels."""
    if not isinstance(value, str | Iterable):
        return _whole(at_least=1)(value)
    classes = [_class(piece) for piece in _pieces(value)]
    if isinstance(value, str) and len(classes) == 1 and isinstance(classes[0], int):
        return _whole(at_least=1)(classes[0])
    if not classes or len(set(classes)) < len(classes):
        raise ValueError
    return classes


def _path(value: Any) -> str:
    path = os.fspath(value)
    if not isinstance(path, str) or not path or "\0" in path:
        raise ValueError
    return path


OPTIONS: dict[str, Option] = {
    "samples": Option(_whole(at_least=1), "a whole number of at least 1", "training inputs"),
    "classes": Option(
        _classes,
        "a number of classes, or different labels such as 0,1,2",
        "how many classes, or which ones: 3 is short for the first three",
    ),
    "ratios": Option(
        _ratios, "positive numbers that sum to 1, such as .5,.25,.25", "the share of samples in each class"
    ),
    "test": Option(_whole(at_least=0), "a whole number of at least 0", "held-out inputs"),
    "labels": Option(
        *_one_of("classes", "parity-magnitude", "factors", "xor", "factors,xor"),
        "what is learned: classes or parity-magnitude of a digit; factors, xor or factors,xor of a hypercube",
    ),
    "labels_dim": Option(
        _whole(at_least=1, at_most=10), "a whole number from 1 to 10", "binary labels; all their combinations occur"
    ),
    "repeats": Option(
        _whole(at_least=1), "a whole number of at least 1", "samples of each combination of labels or factors"
    ),
    "dimension": Option(
        _whole(at_least=1, at_most=10_000), "a whole number from 1 to 10000", "coordinates of an input"
    ),
    "relevant": Option(
        _whole(at_least=1, at_most=10), "a whole number from 1 to 10", "coordinates whose product is learned"
    ),
    "stimuli": Option(
        _whole(at_least=2, at_most=9), "a whole number from 2 to 9", "binary stimuli beside the binary context"
    ),
    "teacher_activation": Option(_word, "the name of an activation", "activation of the teacher"),
    "teacher_width": Option(_whole(at_least=1, at_most=10_000), "a whole number from 1 to 10000", "teacher's neurons"),
    "noise": Option(_amount, "a number from 0 to 1e6", "standard deviation of the noise on training targets"),
    "inputs": Option(
        *_one_of("whitened", "aligned", "anisotropic", "clustered"), "how the inputs relate to each other"
    ),
    "alignment": Option(_amount, "a number from 0 to 1e6", "g, the strength of that relation"),
    "data": Option(
        _path,
        "the path of an .npz file",
        "an .npz file with arrays x (samples first) and y (labels), factors or targets",
    ),
    "preprocess": Option(
        *_one_of("none", "scale", "center", "center,scale"), "what is done to the inputs before they are learned"
    ),
    "seed": Option(_whole(at_least=0), "a whole number of at least 0", "fixes every random choice"),
}
