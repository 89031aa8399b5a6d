"""Theories by name."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, overload

from threadpoolctl import threadpool_limits

from codingschemes.calls import bind, checked, keywords
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.progress import watched
from codingschemes.registry import Registry
from codingschemes.theory.prediction import Prediction

if TYPE_CHECKING:
    from codingschemes.theory.mean_field.annealing import Annealing

type Theory = Callable[..., Prediction]

#: Theories of layers that have weights of their own.
_OF_LAYERS = ("mean-field", "global-minimum", "proportional")
#: name -> function (posterior, **options) -> Prediction; it raises `InvalidInput` for what it does not cover, naming
#: the theories that do.
THEORIES: Registry[Theory] = Registry("theory")


@overload
def predict(
    posterior: Posterior,
    theory: Literal["mean-field"] = "mean-field",
    *,
    progress: bool = False,
    time_limit: float | None = None,
    code_fractions: dict[str, float] | None = None,
    method: Literal["auto", "quadrature", "particles"] = "auto",
    particles: int | None = None,
    seed: int = 0,
    annealing: "Annealing | None" = None,
    zero_temperature: bool = False,
) -> Prediction: ...


@overload
def predict(
    posterior: Posterior,
    theory: Literal["global-minimum"],
    *,
    progress: bool = False,
    time_limit: float | None = None,
    method: Literal["auto", "closed-form", "solver"] = "auto",
    seed: int = 0,
    searches: int | None = None,
    starts: int | None = None,
    rigorous: bool | None = None,
) -> Prediction: ...


@overload
def predict(
    posterior: Posterior,
    theory: Literal["lazy", "proportional"],
    *,
    progress: bool = False,
    time_limit: float | None = None,
) -> Prediction: ...


@overload
def predict(
    posterior: Posterior, theory: str, *, progress: bool = False, time_limit: float | None = None, **options: Any
) -> Prediction: ...


@checked
def predict(
    posterior: Posterior,
    theory: str = "mean-field",
    *,
    progress: bool = False,
    time_limit: float | None = None,
    **options: Any,
) -> Prediction:
    """What a theory says of a posterior.

    Args:
        posterior: task, network and prior.
        theory: "mean-field", "global-minimum", "proportional" or "lazy".
        progress: show on standard error how far the solver is.
        time_limit: in seconds; None sets none.
        options: of that theory; "mean-field": `code_fractions`, `method`, `particles`, `seed`, `annealing`,
            `zero_temperature`; "global-minimum": `method`, `seed`, `searches`, `starts`, `rigorous`.

    Raises:
        InvalidInput: no such theory, or a theory that does not cover this posterior; recurrent networks have the lazy
            limit alone.
        TimeLimitReached: the solver was stopped at `time_limit`.

    Example:
        >>> prediction = cs.predict(posterior)
        >>> prediction.theory, prediction.certificate.holds
        ('mean-field', True)
    """
    chosen = THEORIES[theory]
    if posterior.network.recurrent and theory in _OF_LAYERS:
        raise InvalidInput(
            f"the {theory} theory is of layers with weights of their own, which time steps share: choose lazy, or "
            "leave out recurrent"
        )
    signature = inspect.signature(chosen)
    arguments = bind(f"the {theory} theory", signature, (posterior,), options, keywords(signature)).args
    # threads make small solves, of which there are many, several times slower
    with watched(shown=progress, time_limit=time_limit), threadpool_limits(1, user_api="blas"):
        return chosen(*arguments, **options)
