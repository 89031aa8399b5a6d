"""What is wrong with a run folder, and what of it can be put right.

Nothing is made up: what is kept twice is restored (the configuration, the metadata of arrays), and draws are cut back
to those before the first that is lost. A run that was cut back goes on from its checkpoint all the same: the draws in
between are missing from its chains, which are draws of the posterior as before.
"""

import itertools
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from codingschemes.errors import InvalidInput
from codingschemes.runs.checkpoint import draws_of, forget_draws, read_header
from codingschemes.runs.folder import begin_store
from codingschemes.runs.identity import Identity, digest, identity
from codingschemes.runs.lock import writing
from codingschemes.runs.run import (
    CHECKPOINT,
    CONFIG,
    DRAWS,
    PROVENANCE,
    Run,
    is_folder,
    read_json,
    recorded_identity,
    recorded_posterior,
    write_json,
)
from codingschemes.runs.store import DrawStore


class Fault(NamedTuple):
    """Something that is wrong with a run folder.

    Attributes:
        what: in one sentence.
        mendable: whether `repair` puts it right, draws that are lost left aside.
    """

    what: str
    mendable: bool


def check(path: Path) -> list[Fault]:
    """All that is wrong with a run folder; everything in it is read once.

    Raises:
        InvalidInput: there is no such folder, or another format's run in it.
    """
    if not is_folder(path):
        raise InvalidInput(f"there is no run folder {path}: give the folder that was passed to `out`")
    if not any((path / name).exists() for name in (CONFIG, DRAWS, CHECKPOINT)):
        raise InvalidInput(f"{path} is not a run folder: give the folder that was passed to `out`")
    try:
        run = Run.open(path)
    except InvalidInput as error:
        made_of = _mend_files(path, pretend=True)
        faults = [Fault(str(error), mendable=made_of is not None)]
        header = None if made_of is None else _header(path, made_of)
        return [*faults, header] if isinstance(header, Fault) else faults
    faults = [
        Fault(f"the metadata of {array} are lost or altered", mendable=True) for array in run.store.altered_metadata()
    ]
    faults += [
        Fault(f"{what}; the {good} draws a chain before it are good", mendable=True)
        for what, good in run.store.damage()
    ]
    header = _header(path, run.made_of)
    if isinstance(header, Fault):
        return [*faults, header]
    there = DrawStore.open(path / DRAWS).draw_count  # counted after: the run may be going on
    if draws_of(header) > there:
        lost = f"{draws_of(header)} draws a chain were made and {there} are there"
        faults.append(Fault(f"{lost}: the others are lost", mendable=True))
    return faults


def _header(path: Path, made_of: Identity) -> dict[str, Any] | Fault:
    """What the first line of the checkpoint says, or what is wrong with it."""
    try:
        return read_header(path / CHECKPOINT, digest(made_of))[0]
    except InvalidInput as error:
        return Fault(str(error), mendable=False)


def repair(path: Path) -> None:
    """Put right what can be put right; `check` says what is left.

    Raises:
        InvalidInput: somebody writes to the folder.
    """
    with writing(path):
        if _mend_files(path) is None:
            return
        run = Run.open(path)
        run.store.restore_metadata()
        store = DrawStore(path / DRAWS)
        store.truncate(min((good for _, good in run.store.damage()), default=run.draw_count))
        made_of = digest(run.made_of)
        try:
            read_header(path / CHECKPOINT, made_of)
        except InvalidInput:
            return
        forget_draws(path / CHECKPOINT, made_of, store.draw_count)


def _mend_files(path: Path, *, pretend: bool = False) -> Identity | None:
    """Restore the files that a run needs to be opened; what the run is made of, None where it still cannot be."""
    with suppress(InvalidInput):
        return Run.open(path).made_of
    try:
        store = DrawStore.open(path / DRAWS)
    except InvalidInput:
        return _begin_again(path, pretend=pretend)
    try:
        made_of = recorded_identity(store, path)
        config, provenance = _config(made_of, store), _provenance(path, made_of, store)
        posterior = recorded_posterior(path, config)
    except InvalidInput:
        return None
    if identity(posterior.task, config, provenance["versions"]) != made_of:
        return None
    if not pretend:
        write_json(path / CONFIG, config)
        write_json(path / PROVENANCE, provenance)
    return made_of


def _begin_again(path: Path, *, pretend: bool) -> Identity | None:
    """An empty store in place of one that is gone, where the checkpoint says that all else is as it was."""
    try:
        config, provenance = read_json(path / CONFIG), read_json(path / PROVENANCE)
        posterior = recorded_posterior(path, config)
        made_of = identity(posterior.task, config, provenance["versions"])
        read_header(path / CHECKPOINT, digest(made_of))
    except (InvalidInput, KeyError, TypeError):
        return None
    if not pretend:
        if (path / DRAWS).exists():
            (path / DRAWS).rename(_free(path / f"{DRAWS}.damaged"))
        begin_store(path, posterior, config, provenance)
    return made_of


def _free(path: Path) -> Path:
    """The path, or the first numbered one beside it, where nothing lies."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
    return next(each for each in itertools.chain([path], numbered) if not each.exists())


def _config(made_of: dict[str, Any], store: DrawStore) -> dict[str, Any]:
    """The configuration as the draws remember it; how many were asked for is known from the file alone."""
    kept = {name: value for name, value in made_of.items() if name not in ("arrays", "versions")}
    free = {"draws": max(1, store.draw_count)}
    return {**kept, "sampling": {**free, **made_of["sampling"]}}


def _provenance(path: Path, made_of: dict[str, Any], store: DrawStore) -> dict[str, Any]:
    try:
        found = read_json(path / PROVENANCE)
    except InvalidInput:
        header, _ = read_header(path / CHECKPOINT, digest(made_of))
        spent = {name: header[name] for name in ("iteration", "warmup_seconds", "sampling_seconds")}
        found = {
            "started": store.attributes["created_at"],
            "seed": made_of["sampling"]["seed"],
            "device": "not known",
            **spent,
            "warmup_steps": header["warmup"],
            "compile_seconds": 0.0,
            "start_seconds": 0.0,
        }
    return {**found, "versions": made_of["versions"]}
