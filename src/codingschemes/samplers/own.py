"""Samplers of one's own: checked when they are registered, and found again by module and function."""

import functools
from collections.abc import Callable
from typing import Any

from codingschemes.calls import checked
from codingschemes.errors import InvalidInput
from codingschemes.samplers.kernel import SAMPLERS, Kernel, Sampler, Settings
from codingschemes.sources import import_again, import_source, same, source_of


@checked
def register_sampler(name: str, build: Callable[..., Any]) -> Sampler:
    """Make a kernel of your own available as the sampler `name`.

    Args:
        name: how `sample`, `evidence` and the command line call it; runs record with it the module and the function,
            so that they open where that module can be imported.
        build: from `Settings` to a `Kernel`; `from_blackjax` makes one of any kernel in blackjax's style.

    Returns:
        The sampler. Registered twice, one function under one name is one sampler.

    Raises:
        InvalidInput: a name that is taken, or a function that gives no `Kernel`.

    Example:
        >>> import blackjax
        >>> from codingschemes.samplers import from_blackjax
        >>> @from_blackjax
        ... def barker(logdensity):
        ...     return blackjax.barker(logdensity, step_size=0.4)
        >>> cs.register_sampler("own-barker", barker).name
        'own-barker'
    """
    if not callable(build):
        raise InvalidInput(f"`build` of register_sampler takes a function from Settings to a Kernel, not {build!r}")
    if name in SAMPLERS:
        if same(SAMPLERS[name].build, build):
            return SAMPLERS[name]
        raise InvalidInput(f"there is a sampler {name!r} already: choose another name")
    cached = functools.lru_cache(build)
    made = cached(Settings())
    if not isinstance(made, Kernel):
        raise InvalidInput(
            f"`build` of register_sampler takes a function from Settings to a Kernel, and this one gives a "
            f"{type(made).__name__}: of `init` and `step` in blackjax's style, from_blackjax makes one"
        )
    return SAMPLERS.register(name, Sampler(name, cached, source=source_of(build)))


def sampler_named(name: str) -> Sampler:
    """A registered sampler, or what the function that `module:function` names builds, imported and registered.

    Args:
        name: registered, or `module:function`.

    Raises:
        InvalidInput: there is none, or it cannot be imported.

    Example:
        >>> cs.samplers.sampler_named("codes").name
        'codes'
    """
    if name in SAMPLERS or ":" not in name:
        return SAMPLERS[name]
    return register_sampler(name, import_source("sampler", name))


def record(sampler: Sampler) -> dict[str, Any]:
    """What a run's configuration says of a sampler that is not the package's own."""
    return {"name": sampler.name, "source": sampler.source}


def restore(recorded: dict[str, Any]) -> None:
    """Register the sampler that a configuration recorded, unless there is one of its name.

    Raises:
        InvalidInput: its function cannot be imported.
    """
    name = recorded["name"]
    if name not in SAMPLERS:
        register_sampler(name, import_again("sampler", name, recorded["source"]))
