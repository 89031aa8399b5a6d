"""The tasks that can be named, and how one is made by name."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from codingschemes.errors import InvalidInput
from codingschemes.registry import Registry
from codingschemes.tasks.cifar10 import cifar10
from codingschemes.tasks.context import context
from codingschemes.tasks.digits import digits
from codingschemes.tasks.hypercube import hypercube
from codingschemes.tasks.mnist import mnist
from codingschemes.tasks.npz import npz
from codingschemes.tasks.options import OPTIONS, argument
from codingschemes.tasks.orthogonal import orthogonal
from codingschemes.tasks.parity import parity
from codingschemes.tasks.task import Task
from codingschemes.tasks.teacher import teacher


@dataclass(frozen=True)
class TaskEntry:
    """A task by name.

    Attributes:
        build: makes the task from its options.
        scaling: the readout scaling its literature uses, taken where the user gives none.

    Example:
        >>> entry = cs.tasks.TASKS["orthogonal"]
        >>> entry.scaling, list(entry.options)[:2]
        ('mean-field', ['samples', 'classes'])
    """

    build: Callable[..., Task]
    scaling: Literal["mean-field", "none"] = "mean-field"

    @property
    def options(self) -> dict[str, Any]:
        """The names of the task's options, and the default of each (`inspect.Parameter.empty` if required)."""
        return {name: parameter.default for name, parameter in inspect.signature(self.build).parameters.items()}

    @property
    def summary(self) -> str:
        """The first line of the constructor's docstring."""
        return (inspect.getdoc(self.build) or "").partition("\n")[0]


TASKS: Registry[TaskEntry] = Registry("task")
TASKS.register("orthogonal", TaskEntry(orthogonal))
TASKS.register("hypercube", TaskEntry(hypercube, scaling="none"))
TASKS.register("parity", TaskEntry(parity))
TASKS.register("context", TaskEntry(context, scaling="none"))
TASKS.register("teacher", TaskEntry(teacher))
TASKS.register("digits", TaskEntry(digits))
TASKS.register("mnist", TaskEntry(mnist))
TASKS.register("cifar10", TaskEntry(cifar10))
TASKS.register("npz", TaskEntry(npz))


def make_task(name: str, **options: Any) -> Task:
    """The task `name` with the given options; an option that is None counts as not given.

    `make_task(task.name, **task.provenance["options"])` makes the same task again.

    Args:
        name: registered in `TASKS`.
        options: of that task; None stands for its default.

    Raises:
        InvalidInput: there is no such task, it does not take one of the options or needs one that is missing, or
            the value of an option is out of range.

    Example:
        >>> cs.tasks.make_task("orthogonal", samples=12, ratios=".5,.25,.25")
        Task(orthogonal, 12 samples of 12 features in 3 classes)
    """
    entry = TASKS[name]
    given = {option: value for option, value in options.items() if value is not None}
    takes = ", ".join(map(argument, entry.options))
    for option in given:
        if option not in entry.options:
            raise InvalidInput(f"the task {name} does not take {argument(option)}: it takes {takes}")
    for option, default in entry.options.items():
        if default is inspect.Parameter.empty and option not in given:
            raise InvalidInput(f"the task {name} needs {argument(option)}, {OPTIONS[option].expects}")
    return entry.build(**given)
