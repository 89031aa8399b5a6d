"""What a network learns: inputs, targets and labels.

To add a task, write a file with a constructor decorated with `reads_options` that returns a `Task`, and register it
in `catalogue.py`. An option with a new name gets one line in `options.py`. The protocol test then covers the task as
soon as `tests/tasks/test_task_protocol.py` has an example of its options.
"""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.tasks.catalogue import TASKS, TaskEntry, make_task
from codingschemes.tasks.cifar10 import cifar10
from codingschemes.tasks.context import context
from codingschemes.tasks.digits import digits
from codingschemes.tasks.hypercube import hypercube
from codingschemes.tasks.mnist import mnist
from codingschemes.tasks.npz import npz
from codingschemes.tasks.options import OPTIONS, Option
from codingschemes.tasks.orthogonal import orthogonal
from codingschemes.tasks.parity import parity
from codingschemes.tasks.task import Task
from codingschemes.tasks.teacher import teacher

__all__ = [
    "OPTIONS",
    "TASKS",
    "Option",
    "Task",
    "TaskEntry",
    "cifar10",
    "context",
    "digits",
    "hypercube",
    "make_task",
    "mnist",
    "npz",
    "orthogonal",
    "parity",
    "teacher",
]
