"""Activations of one's own: checked when they are registered, and found again by module and function."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.calls import checked
from codingschemes.errors import InvalidInput
from codingschemes.networks.activations import ACTIVATIONS, Activation, Family
from codingschemes.networks.shape import find_kinks
from codingschemes.sources import import_again, import_source, same, source_of

type Function = Callable[[Float[Array, "*shape"]], Float[Array, "*shape"]]

#: Where an activation is looked at, and far out, where bounded ones are constant.
_GRID = np.linspace(-6.0, 6.0, 601)
_FAR = np.array([1e3, 1e6])
_EXACT, _SATURATED = 1e-9, 1e-2


@checked
def register_activation(
    name: str, function: Callable[..., Any], *, family: Family | None = None, kinks: Sequence[float] | None = None
) -> Activation:
    """Make a function of your own available as the activation `name`.

    Args:
        name: how networks and the command line call it; `sample` records with it the module and the function, so that
            a run opens where that module can be imported.
        function: acts elementwise on arrays of jax, and is differentiable by jax.
        family: `linear`, `threshold`, `sigmoidal`, `odd` or `smooth` (none of these), see `Activation`; found from
            values of the function if left out.
        kinks: where the slope jumps; those in [-10, 10] are found if left out, so that others must be given.

    Returns:
        The activation. Registered twice, one function under one name is one activation.

    Raises:
        InvalidInput: a name that is taken, a function that is none on arrays, or one that contradicts what is said of
            it.

    Example:
        >>> def softsign(z):
        ...     return z / (1 + abs(z))
        >>> activation = cs.register_activation("own-softsign", softsign)
        >>> activation.family, activation.bounded
        ('odd', True)
    """
    if not callable(function):
        raise InvalidInput(f"`function` of register_activation takes a function, not {function!r}")
    if name in ACTIVATIONS:
        if same(ACTIVATIONS[name].function, function):
            return ACTIVATIONS[name]
        raise InvalidInput(f"there is an activation {name!r} already: choose another name")
    if family is not None and family not in (families := get_args(Family.__value__)):
        raise InvalidInput(f"there is no family {family!r} of activations: choose one of {', '.join(families)}")
    _check_elementwise(name, function)
    named: tuple[Family, ...] = ("linear", "threshold", "sigmoidal", "odd")
    fitting = [each for each in named if contradiction(function, each) is None]
    chosen: Family = family or (fitting[0] if fitting else "smooth")
    if (wrong := contradiction(function, chosen)) is not None:
        fits = f"`family={fitting[0] if fitting else 'smooth'!r}`"
        raise InvalidInput(f"{name} is not {chosen}: {wrong}; say {fits}, or leave `family` out")
    found = Activation(name, function, chosen, _kinks(name, function, kinks), source=source_of(function))
    return ACTIVATIONS.register(name, found)


def activation_named(name: str) -> Activation:
    """A registered activation, or the function that `module:function` names, which is imported and registered.

    Raises:
        InvalidInput: there is none, or it cannot be imported.
    """
    if name in ACTIVATIONS or ":" not in name:
        return ACTIVATIONS[name]
    return register_activation(name, import_source("activation", name))


def record(activation: Activation) -> dict[str, Any]:
    """What a run's configuration says of an activation that is not the package's own."""
    return {
        "name": activation.name,
        "source": activation.source,
        "family": activation.family,
        "kinks": list(activation.kinks),
    }


def restore(recorded: dict[str, Any]) -> None:
    """Register the activation that a configuration recorded, unless there is one of its name.

    Raises:
        InvalidInput: its function cannot be imported.
    """
    name = recorded["name"]
    if name in ACTIVATIONS:
        return
    function = import_again("activation", name, recorded["source"])
    register_activation(name, function, family=recorded["family"], kinks=recorded.get("kinks"))


def contradiction(function: Function, family: str) -> str | None:
    """What contradicts the family, from values of the function; None if nothing does."""
    values, far, mirrored = (_values(function, z) for z in (_GRID, _FAR, -_FAR))
    scale = np.max(np.abs(values))
    low = values[_GRID <= 0]
    saturates = all(abs(np.ptp(side)) <= _SATURATED * max(scale, _EXACT) for side in (far, mirrored))
    unbounded = None if saturates else "it does not saturate"
    falls = "it falls somewhere" if np.any(np.diff(values) < -_EXACT * scale) else None
    if family == "linear":
        return None if np.allclose(values, _GRID, rtol=0, atol=_EXACT) else "it is not phi(z) = z"
    if family == "threshold":
        return (
            "it is not zero for z < 0"
            if np.any(low != 0) or np.any(mirrored != 0)
            else ("it is not positive for z > 0" if np.any(values[_GRID > 0] <= 0) else None)
        )
    if family == "sigmoidal":
        return ("it is negative somewhere" if np.any(values < 0) else None) or unbounded or falls
    if family == "odd":
        odd = np.allclose(values, -values[::-1], rtol=0, atol=_EXACT * scale)
        return ("phi(-z) is not -phi(z)" if not odd else None) or unbounded or falls
    return None


def _kinks(name: str, function: Function, given: Sequence[float] | None) -> tuple[float, ...]:
    """Where the slope jumps, as found or as given.

    Raises:
        InvalidInput: one that is found is not among those given.
    """
    found = find_kinks(function)
    if given is None:
        return found
    missed = [place for place in found if not np.any(np.abs(np.asarray(given) - place) <= _EXACT)]
    if missed:
        raise InvalidInput(
            f"the slope of {name} jumps at z = {missed[0]:.6g}, which is not among `kinks`: add it, or leave `kinks` "
            "out"
        )
    return tuple(sorted(map(float, given)))


def _check_elementwise(name: str, function: Function) -> None:
    try:
        values = np.asarray(function(jnp.asarray(_GRID)))
        part = np.asarray(function(jnp.asarray(_GRID[:7].reshape(7, 1))))
        slopes = np.asarray(jax.jit(jax.vmap(jax.grad(lambda z: jnp.sum(function(z)))))(jnp.asarray(_GRID)))
    except Exception as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidInput(
            f"the activation {name} does not act on arrays of jax ({said}): write it with jax.numpy"
        ) from error
    if (
        values.shape != _GRID.shape
        or values.dtype.kind != "f"
        or not np.array_equal(part, values[:7, None], equal_nan=True)
    ):
        raise InvalidInput(f"the activation {name} does not act elementwise: it must give one real number for each")
    if not (np.all(np.isfinite(values)) and np.all(np.isfinite(slopes))):
        raise InvalidInput(f"the activation {name} or its slope is not finite for z from -6 to 6: choose another")


def _values(function: Function, z: Float[np.ndarray, " Z"]) -> Float[np.ndarray, " Z"]:
    return np.asarray(function(jnp.asarray(z)))
