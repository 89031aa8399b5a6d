"""Every public function and class has an example in its docstring, and what it shows is what comes out."""

import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import codingschemes as cs
from codingschemes.networks import ACTIVATIONS
from codingschemes.samplers import SAMPLERS

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
ROOMS = ["", ".coding", ".plot", ".populations", ".representation", ".tasks"]
#: Where examples are run, but not asked of every name.
FURTHER = [".manifolds", ".samplers", ".sweeps"]
#: What an example holds that takes a run, or a sampler of its own.
_LONG = re.compile(r"\b(run|summary|prediction|comparison)\b|cs\.evidence\(")
#: Whose use is an example of a page or of the function that gives it.
WITHOUT = {"set_up_jax", "double_precision", "Option", "TaskEntry"}


def public(rooms: list[str]) -> Iterator[tuple[str, Any]]:
    """Names and objects."""
    for room in rooms:
        module = importlib.import_module(f"codingschemes{room}")
        for name in module.__all__:
            each = getattr(module, name)
            if (inspect.isroutine(each) or inspect.isclass(each)) and name not in WITHOUT:
                yield f"cs{room}.{name}", each


PUBLIC = dict(public(ROOMS))


def begun(blocks: int) -> dict[str, Any]:
    """The names that examples go on from, as the reference defines them in two blocks; runs are in the second."""
    names: dict[str, Any] = {}
    for lines in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)[:blocks]:
        exec(lines, names)
    return names


@pytest.fixture
def place(tmp_path, monkeypatch) -> None:
    """A folder to write to; what examples register is forgotten."""
    monkeypatch.chdir(tmp_path)
    for registry in (ACTIVATIONS, SAMPLERS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))


def failures(names: dict[str, Any], long: bool) -> str:
    """What examples gave that they do not show."""
    found: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for name, each in public([*ROOMS, *FURTHER]):
        test = doctest.DocTestParser().get_doctest(inspect.getdoc(each) or "", dict(names), name, None, None)
        if bool(_LONG.search("".join(example.source for example in test.examples))) == long:
            runner.run(test, out=found.append)
    assert runner.tries > 20
    return "".join(found)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name):
    assert ">>> " in (inspect.getdoc(PUBLIC[name]) or "")


@pytest.mark.usefixtures("place")
def test_examples_show_what_comes_out():
    assert failures(begun(1), long=False) == ""


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_examples_about_runs_show_what_comes_out():
    assert failures(begun(2), long=True) == ""


def test_public_names_are_all_that_is_listed():
    assert set(dir(cs)) == set(cs.__all__)
    assert not [name for name in dir(cs) if name.startswith("_")]
