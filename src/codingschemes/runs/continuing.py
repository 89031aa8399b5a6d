"""Whether a run can be continued, and what is recorded when it is."""

from pathlib import Path
from typing import Any

from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.progress import announce
from codingschemes.runs.checkpoint import draws_of, read_header
from codingschemes.runs.configuration import versions
from codingschemes.runs.folder import check_same
from codingschemes.runs.identity import digest
from codingschemes.runs.run import CHECKPOINT, DRAWS, Run
from codingschemes.runs.store import REMEDY


def continuable(path: Path, posterior: Posterior, config: dict[str, Any]) -> Run:
    """The run in a folder, which can be continued as it is asked for: nothing of it is lost, and all draws are read
    once to see that none is altered.

    Raises:
        InvalidInput: it cannot, and why.
    """
    run = Run.open(path)
    check_same(run, posterior, config)
    header, _ = read_header(path / CHECKPOINT, digest(run.made_of))
    made, asked = draws_of(header), config["sampling"]["draws"]
    for array in run.store.altered_metadata():
        raise InvalidInput(f"the metadata of {array} in {path / DRAWS} are lost or altered: {REMEDY}")
    for what, good in run.store.damage():
        raise InvalidInput(f"{path / DRAWS} is damaged after {good} draws ({what}): {REMEDY}")
    if run.draw_count < made:
        raise InvalidInput(f"{path} holds {run.draw_count} of the {made} draws a chain that were made: {REMEDY}")
    if asked < made:
        raise InvalidInput(
            f"{path} holds {made} draws a chain already, more than `draws` = {asked}: ask for {made} or more"
        )
    return run


def continuation(provenance: dict[str, Any]) -> dict[str, Any]:
    """The provenance of a run that goes on: it has not ended, and other versions than those it began with are named."""
    now = {"start_seconds": 0.0, **{name: value for name, value in provenance.items() if name != "ended"}}
    others = {name: each for name, each in versions().items() if provenance["versions"].get(name) != each}
    if others:
        said = ", ".join(f"{name} {each}" for name, each in others.items())
        announce(f"the run goes on with {said}: its draws are no longer those of a run that was never stopped")
        now["continued_with"] = {**provenance.get("continued_with", {}), **others}
    return now
