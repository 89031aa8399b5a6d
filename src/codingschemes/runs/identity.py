"""What a run is made of: everything that its draws depend on, and nothing else.

It is kept with the draws, and its digest with the checkpoint. A run folder whose files say something else is refused,
so that a run never holds draws of two posteriors, and nothing is ever said of one that was not sampled.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from codingschemes.tasks import Task

#: Options that may differ when a run is continued.
FREE_TO_CHANGE = frozenset({"draws", "time_limit", "sampling_limit", "until_ess", "until_rhat"})

#: What is said of what is not there.
NOTHING = "nothing"

type Identity = dict[str, Any]


def identity(task: Task, config: Mapping[str, Any], versions: Mapping[str, str]) -> Identity:
    """What a run is made of, as JSON values.

    Args:
        task: the arrays learned from.
        config: as `configuration.describe` says it.
        versions: of the packages that made it.
    """
    sampling = {name: value for name, value in config["sampling"].items() if name not in FREE_TO_CHANGE}
    made_of = {**config, "sampling": sampling, "arrays": {"sha256": _arrays(task)}, "versions": dict(versions)}
    return json.loads(json.dumps(made_of))


def digest(made_of: Identity) -> str:
    """One word for it all."""
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def differences(recorded: Identity, found: Identity) -> Iterator[tuple[str, str, Any, Any]]:
    """(section, name, recorded, found) of all that is not the same in both; `NOTHING` where one does not say it."""
    for section in dict.fromkeys([*recorded, *found]):
        was, now = recorded.get(section, NOTHING), found.get(section, NOTHING)
        if not (isinstance(was, dict) and isinstance(now, dict)):
            if was != now:
                yield section, "", was, now
            continue
        for name in dict.fromkeys([*was, *now]):
            if was.get(name, NOTHING) != now.get(name, NOTHING):
                yield section, name, was.get(name, NOTHING), now.get(name, NOTHING)


def _arrays(task: Task) -> str:
    """A digest of all that is learned and all that is held out."""
    found = hashlib.sha256(json.dumps([task.class_names, task.target_names]).encode())
    for array in (
        task.inputs,
        task.targets,
        task.labels,
        task.factors,
        task.test_inputs,
        task.test_targets,
        task.test_labels,
    ):
        if array is not None:
            found.update(f"{array.dtype.str}{array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
        found.update(b";")
    return found.hexdigest()
