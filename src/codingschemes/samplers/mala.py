"""The Metropolis-adjusted Langevin algorithm (Roberts & Tweedie 1996), blackjax's kernel.

Proposal theta' = theta - h grad U + sqrt(2 h) xi: an Euler step of the diffusion d theta = -grad U dt + sqrt(2) dW,
which leaves exp(-U) invariant, corrected by Metropolis.
"""

from functools import lru_cache

from blackjax.mcmc import mala as blackjax_mala
from jaxtyping import Array

from codingschemes.posterior import Scalar
from codingschemes.samplers.adaptive import adaptive_kernel
from codingschemes.samplers.kernel import Info, Kernel, Settings, register
from codingschemes.samplers.transition import Point, TransitionInfo, TransitionTarget

#: Optimal in high dimension (Roberts & Rosenthal 1998).
_ACCEPTANCE = 0.574


def _transition(
    key: Array,
    point: Point,
    target: TransitionTarget,
    step_size: Scalar,
    iteration: Array,  # noqa: ARG001
) -> tuple[Point, TransitionInfo]:
    state, info = blackjax_mala.build_kernel()(
        key, blackjax_mala.MALAState(*point), target.logdensity, step_size**2 / 2
    )
    return Point(*state), TransitionInfo.of(info.acceptance_rate, gradients=1)


@lru_cache
def mala(settings: Settings) -> Kernel:
    """MALA, step size and preconditioner adapted. One gradient a step: thin it."""
    return adaptive_kernel(
        _transition,
        warmup=settings.warmup,
        target_acceptance=settings.target_acceptance or _ACCEPTANCE,
        integration_time=_time,
    )._replace(gradients=lambda density: (1.0, 1.0))  # noqa: ARG005


def _time(info: Info) -> Array:
    """Of the diffusion, in Euler steps."""
    return info.step_size**2 / 2 * info.acceptance_rate


register("mala", mala)
