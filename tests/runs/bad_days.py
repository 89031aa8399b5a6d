"""What tests of run folders on bad days share: one small run, and what is said of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from known_answers import small_posterior

import codingschemes as cs
from codingschemes.runs.dimensions import DIMENSIONS

OPTIONS = {"sampler": "hmc", "chains": 2, "warmup": 30, "draws": 40, "seed": 5, "progress": False}
#: Draws of a stored chunk: small, so that there is a good prefix.
CHUNK = 16


def resumed(path: Path, **options) -> cs.Run:
    return cs.sample(small_posterior(), out=path, resume=True, **{**OPTIONS, **options})


def said_by(function, *arguments, **keywords) -> str:
    with pytest.raises(cs.InvalidInput) as refused:
        function(*arguments, **keywords)
    assert len(str(refused.value).splitlines()) == 1
    return str(refused.value)


def assert_begins_with_the_same_draws(run: cs.Run, saved: cs.Run, draws: int) -> None:
    for group in DIMENSIONS:
        for name in DIMENSIONS[group]:
            found, expected = run.values(group, name), saved.values(group, name)
            np.testing.assert_array_equal(found[:, :draws], expected[:, :draws], err_msg=name)


def edit(file: Path, *where: str, value) -> None:
    whole = json.loads(file.read_text())
    inside = whole
    for name in where[:-1]:
        inside = inside[name]
    inside[where[-1]] = value
    file.write_text(json.dumps(whole))


def flip(file: Path, place: int = -9) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
