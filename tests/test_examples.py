"""Every public function and class says in its docstring what it takes, holds and refuses, and has an example; what that
shows is what comes out."""

import ast
import dataclasses
import doctest
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import codingschemes as cs
from codingschemes.errors import InvalidInput
from codingschemes.networks import ACTIVATIONS
from codingschemes.samplers import SAMPLERS

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
ROOMS = ["", *(f".{name}" for name in dir(cs) if inspect.ismodule(getattr(cs, name)))]
#: What an example holds that takes a run, or programs that take long to compile.
_LONG = re.compile(
    r"\b(run|summary|prediction|comparison)\b|cs\.(cost|evidence)\(|sweeps\.(carry_out|sweep)\("
    r"|samplers\.(begin|settle)\(|manifolds\.(check|descend|langevin|orbit|network_orbit|Fields|profile)\("
)


def public() -> Iterator[tuple[str, Any]]:
    """Names and objects."""
    for room in ROOMS:
        module = importlib.import_module(f"codingschemes{room}")
        for name in module.__all__:
            each = getattr(module, name)
            if inspect.isroutine(each) or inspect.isclass(each):
                yield f"cs{room}.{name}", each


PUBLIC = dict(public())


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
    for name, each in PUBLIC.items():
        test = doctest.DocTestParser().get_doctest(inspect.getdoc(each) or "", dict(names), name, None, None)
        if bool(_LONG.search("".join(example.source for example in test.examples))) == long:
            runner.run(test, out=found.append)
    assert runner.tries > 20
    return "".join(found)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name):
    assert ">>> " in (inspect.getdoc(PUBLIC[name]) or "")


def refuses(function: Callable[..., Any], depth: int = 1) -> bool:
    """Whether it raises InvalidInput, itself or in a function of the package that it calls by name."""
    function = inspect.unwrap(function)
    nodes = list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))
    calls = [node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    called = [function.__globals__.get(name) for name in calls]
    return InvalidInput in called or (
        depth > 0
        and any(
            refuses(each, depth - 1)
            for each in called
            if inspect.isfunction(each) and each.__module__.startswith("codingschemes.")
        )
    )


def functions(name: str, each: Any) -> Iterator[tuple[str, Callable[..., Any], str]]:
    """With names and docstrings; of a class those that make it, under its own name, its methods and properties."""
    if inspect.isroutine(each):
        yield name, each, inspect.getdoc(each) or ""
        return
    for member, held in vars(each).items():
        function = next((getattr(held, inner) for inner in ("fget", "func", "__func__") if hasattr(held, inner)), held)
        if not inspect.isfunction(function) or inspect.unwrap(function).__code__.co_filename.startswith("<"):
            continue  # what a dataclass writes for itself
        if member in ("__init__", "__post_init__"):
            yield name, function, f"{inspect.getdoc(each)}\n{function.__doc__}"
        elif not member.startswith("_"):
            yield f"{name}.{member}", function, inspect.getdoc(function) or ""


def listed(text: str) -> set[str]:
    """Arguments with a line of their own under `Args`."""
    found = re.search(r"^Args:\n((?: {4}.*\n?|\n)+)", text, re.MULTILINE)
    lines = re.findall(r"^ {4}([*\w][*\w, ]*): ", found[1], re.MULTILINE) if found else []
    return {name.strip("* ") for line in lines for name in line.split(",")}


def fields(each: Any) -> set[str]:
    """What instances of a class hold, so far as its annotations say."""
    named = {field.name for field in dataclasses.fields(each)} if dataclasses.is_dataclass(each) else set()
    return {name for name in (*named, *getattr(each, "_fields", ())) if not name.startswith("_")}


def silent(name: str, each: Any) -> list[str]:
    """What docstrings do not say."""
    found = []
    for called, function, text in functions(name, each):
        arguments = set(inspect.signature(function).parameters) - {"self", "cls"}
        said = listed(text) if inspect.isroutine(each) else set(re.findall(r"\w+", text))
        found += [f"{called}: {argument}" for argument in sorted(arguments - said)]
        found += [f"{called}: Raises"] if refuses(function) and "Raises:" not in text else []
        found += [] if text else [f"{called}: what it is"]
    if inspect.isclass(each):
        text = "\n".join(base.__doc__ or "" for base in each.__mro__[:-1])
        found += [f"{name}: {field}" for field in sorted(fields(each) - set(re.findall(r"\w+", text)))]
    return found


def test_docstrings_say_what_is_taken_held_and_refused():
    assert [line for name, each in PUBLIC.items() for line in silent(name, each)] == []


def test_a_docstring_that_says_nothing_is_found_out():
    @dataclasses.dataclass
    class Planted:
        """With one attribute, weight."""

        weight: float
        height: float

        def scale(self, factor: float) -> float:
            """Scaled."""
            if factor < 0:
                raise InvalidInput("negative")
            return self.weight * factor

    def double(weight: float, times: int) -> float:
        """A weight that is more.

        Args:
            times: how often.
        """
        return weight * 2**times

    assert sorted(silent("Planted", Planted)) == ["Planted.scale: Raises", "Planted.scale: factor", "Planted: height"]
    assert silent("double", double) == ["double: weight"]


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
