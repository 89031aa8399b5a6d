"""Functions of a user's own, found again by module and name: what makes a recorded run open elsewhere."""

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from codingschemes.errors import InvalidInput


def import_source(kind: str, source: str) -> Callable[..., Any]:
    """The function that `module:function` names.

    Args:
        kind: of what it makes, for messages: `activation`, `sampler`.
        source: `module:function`.

    Raises:
        InvalidInput: it cannot be imported, for whatever reason.
    """
    module, _, path = source.partition(":")
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise InvalidInput(
            f"the {kind} {source} cannot be imported ({error}): name a module that Python finds (in the current "
            "folder or on PYTHONPATH) and a function in it"
        ) from error
    if not callable(found):
        raise InvalidInput(f"{source} is no function: name one as module:function")
    return found


def import_again(kind: str, name: str, source: str | None) -> Callable[..., Any]:
    """The function that a configuration recorded.

    Raises:
        InvalidInput: it cannot be imported; says how to register it before.
    """
    if source is None:
        raise InvalidInput(
            f"the {kind} {name!r} was defined in a notebook or script, from where it cannot be imported: call "
            f"cs.register_{kind}({name!r}, function) before opening the run, or for the command line put the "
            f"function into a module and sample with --{kind} module:function"
        )
    try:
        return import_source(kind, source)
    except InvalidInput as error:
        raise InvalidInput(f"{error}, or call cs.register_{kind}({name!r}, function) before") from None


def check_source(source: str, folder: Path) -> None:
    """Refuse a function that a file of `folder` names and that nobody wrote for it: importing a module runs it.

    Args:
        source: `module:function`.
        folder: that of a run, perhaps somebody else's.

    Raises:
        InvalidInput: the module is one of Python's own, in which there are no functions of arrays, or comes with the
            folder.
    """
    module = source.partition(":")[0].partition(".")[0]
    if module in sys.stdlib_module_names:
        raise InvalidInput(f"{folder} names the function {source} of Python's own library: nothing of it is imported")
    spec = None if module in sys.modules else find_spec(module)
    if spec is None:  # imported already, or not there
        return
    places = [*filter(None, [spec.origin]), *(spec.submodule_search_locations or ())]
    if any(Path(place).resolve().is_relative_to(folder.resolve()) for place in places):
        raise InvalidInput(
            f"{folder} names the function {source}, which lies in it: a run folder holds nothing that is run, so look "
            "at that module first, and move it elsewhere if you trust it"
        )


def source_of(function: Callable[..., Any]) -> str | None:
    """`module:function` where importing that gives the function back; None for what is defined in a notebook, a
    script or another function."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "<")
    if module in (None, "__main__") or "<" in name:
        return None
    source = f"{module}:{name}"
    try:
        return source if import_source("function", source) is function else None
    except InvalidInput:
        return None


def same(first: Callable[..., Any], second: Callable[..., Any]) -> bool:
    """Whether two functions are one, or one that was defined twice, as a notebook's cell does that runs again.

    What a decorator wraps is compared under the same kind of wrapping.
    """
    if first is second:
        return True
    first, second = inspect.unwrap(first), inspect.unwrap(second)
    codes = [getattr(each, "__code__", None) for each in (first, second)]
    closures = [getattr(each, "__closure__", None) for each in (first, second)]
    return first is second or (codes[0] is not None and codes[0] == codes[1] and closures == [None, None])
