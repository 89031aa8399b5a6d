"""Calls of public functions: unknown keywords and wrong types are answered in one sentence, and all is computed in
double precision."""

import difflib
import functools
import inspect
import numbers
import operator
import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAliasType, Union, Unpack, cast

from codingschemes.errors import InvalidInput
from codingschemes.precision import in_double_precision

_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "a text",
    type(None): "None",
    os.PathLike: "a path",
}


def checked[F: Callable[..., Any]](function: F) -> F:
    """The function, with its arguments checked against its annotations before it runs.

    Checked are numbers, texts, booleans, paths and classes, and unions of these; what else is annotated (arrays, say)
    is the function's own to check. `Annotated[kind, "..."]` says in words what is expected. Numbers of numpy become
    Python's.

    Raises:
        InvalidInput: an unknown keyword, with the nearest known one; an argument missing, given twice or of another
            type, with the type expected.
    """
    name, signature, run = _name(function), inspect.signature(function), in_double_precision(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        hints, names = _hints(function)
        bound = bind(name, signature, args, kwargs, names)
        for argument, value in bound.arguments.items():
            if signature.parameters[argument].kind is inspect.Parameter.VAR_KEYWORD:
                read = {key: _convert(name, key, each, hints.get(key, Any)) for key, each in value.items()}
                bound.arguments[argument] = read
            else:
                bound.arguments[argument] = _convert(name, argument, value, hints.get(argument, Any))
        return run(*bound.args, **bound.kwargs)

    return cast(F, call)


#: What is counted is counted in integers of 64 bits, and sums of a few of them.
MOST = 2**62


def require_whole(name: str, value: int, least: int, most: int = MOST) -> None:
    """Refuse a number of things that is too small, or larger than anything that can be counted.

    Raises:
        InvalidInput: naming the argument and its bound.
    """
    if not least <= value <= most:
        bound = f"at least {least}" if value < least else f"at most {most}"
        raise InvalidInput(f"`{name}` is {value}: give an integer of {bound}")


def known_keywords[F: Callable[..., Any]](function: F) -> F:
    """The function or class, which answers an unknown keyword with the nearest known one; the arguments themselves are
    its own to check. For what is called often: arguments given by position cost nothing.

    Raises:
        InvalidInput: an unknown keyword.
    """
    if isinstance(function, type):
        constructor = "__new__" if issubclass(function, tuple) else "__init__"
        setattr(function, constructor, known_keywords(getattr(function, constructor)))
        return function
    name, names, run = _name(function), keywords(inspect.signature(function)), in_double_precision(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for keyword in kwargs:
            if keyword not in names:
                raise _unknown_keyword(name, keyword, names)
        return run(*args, **kwargs)

    return cast(F, call)


def bind(
    name: str,
    signature: inspect.Signature,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    names: Sequence[str] | None,
) -> inspect.BoundArguments:
    """The arguments of a call by name.

    Args:
        name: of the function, for messages.
        names: the keywords it takes; None: any.

    Raises:
        InvalidInput: an unknown keyword, or an argument missing or given twice.
    """
    for keyword in kwargs:
        if names is not None and keyword not in names:
            raise _unknown_keyword(name, keyword, names)
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        takes = ", ".join(each for each in signature.parameters if each != "self")
        raise InvalidInput(f"{name} takes {takes}, and {error}") from None


def _unknown_keyword(name: str, keyword: str, names: Sequence[str]) -> InvalidInput:
    nearest = difflib.get_close_matches(keyword, names, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"it takes {', '.join(names)}"
    return InvalidInput(f"unknown keyword {keyword!r} of {name}: {hint}")


def keywords(signature: inspect.Signature) -> list[str]:
    """The names of the arguments that may be given by name."""
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    own = ("self", "cls", "_cls")
    return [name for name, each in signature.parameters.items() if each.kind in named and name not in own]


def _name(function: Callable[..., Any]) -> str:
    """As it is called: a class's constructor is the class."""
    return function.__qualname__.removesuffix(".__init__").removesuffix(".__new__")


@functools.cache
def _hints(function: Callable[..., Any]) -> tuple[dict[str, Any], list[str] | None]:
    """Annotations by argument, those of `**options: Unpack[...]` among them, and the keywords taken (None: any)."""
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function, include_extras=True)
    names: list[str] | None = keywords(signature)
    for argument, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            hint = hints.pop(argument, Any)
            unpacked = typing.get_args(hint)[0] if typing.get_origin(hint) is Unpack else None
            options = unpacked and typing.get_type_hints(unpacked, include_extras=True)
            names = None if options is None or names is None else [*names, *options]
            hints |= options or {}
    return hints, names


def _convert(name: str, argument: str, value: Any, hint: Any) -> Any:
    try:
        return _as(value, hint)
    except TypeError:
        said = "None" if value is None else f"{value!r}" if isinstance(value, str | numbers.Number) else _kind(value)
        raise InvalidInput(f"`{argument}` of {name} takes {_expectation(hint)}, not {said}") from None


def _as(value: Any, hint: Any) -> Any:
    """The value as the annotation has it; TypeError if it is no such thing."""
    if hint is Any:
        return value
    if isinstance(hint, TypeAliasType):
        return _as(value, hint.__value__)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _as(value, inner[0])
    if origin in (Union, types.UnionType):
        for each in inner:
            try:
                return _as(value, each)
            except TypeError:
                continue
        raise TypeError
    if origin is Literal:
        return _as(value, str)  # which names there are, the function says
    if origin is tuple and not isinstance(value, tuple | list):
        raise TypeError
    if hint in (int, float, bool):
        return _scalar(value, hint)
    if isinstance(hint, type) and _checkable(hint) and not isinstance(value, hint):
        raise TypeError
    return value


def _scalar(value: Any, kind: type) -> int | float | bool:
    if getattr(value, "ndim", None) == 0:  # a number of numpy or jax
        value = value.item()
    if isinstance(value, bool) is not (kind is bool):
        raise TypeError
    if kind is int:
        return operator.index(value)
    if not isinstance(value, int | float):
        raise TypeError
    return value


def _checkable(hint: type) -> bool:
    """Whether `isinstance` says what the annotation means: arrays with shapes check themselves."""
    return not hint.__module__.startswith("jaxtyping") and getattr(hint, "dims", None) is None


def _expectation(hint: Any) -> str:
    if isinstance(hint, TypeAliasType):
        return _expectation(hint.__value__)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return next((each for each in inner[1:] if isinstance(each, str)), _expectation(inner[0]))
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_expectation(each) for each in inner))
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if hint in _WORDS:
        return _WORDS[hint]
    word = getattr(hint, "__name__", str(hint))
    return "a path" if word == "Path" else f"a {word}"


def _kind(value: Any) -> str:
    word = type(value).__name__
    return (
        "a function"
        if callable(value) and not isinstance(value, type)
        else f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
    )
