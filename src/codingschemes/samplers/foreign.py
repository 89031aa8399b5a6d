"""Kernels of blackjax, or in its style: a pair of functions `init` and `step` for a log density."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from codingschemes.calls import known_keywords
from codingschemes.posterior import Density, Position
from codingschemes.samplers.kernel import Info, Kernel, Settings

type LogDensity = Callable[[Position], Float[Array, ""]]


class ForeignState(NamedTuple):
    """A random key, and the state of the kernel that is adapted to this package."""

    key: Array
    chain: Any


@known_keywords
def from_blackjax(algorithm: Callable[[LogDensity], Any]) -> Callable[[Settings], Kernel]:
    """A sampler for `register_sampler` of a kernel in blackjax's style, which is run as it stands: the warm-up adapts
    nothing. Also a decorator.

    Args:
        algorithm: log density -> an object with `init(position)` and `step(key, state) -> (state, info)`, such as
            `blackjax.hmc(logdensity, 0.1, ...)`. States have a `position`: a dictionary of arrays, all of whose
            entries are independent and standard normal under the prior. Of `info` are recorded, where it has them,
            `acceptance_rate` (else 1), `num_integration_steps` (else 1), `is_divergent` and `step_size` (else 0).

    Returns:
        Settings -> kernel, taken to be exact; another one says so by `kernel._replace(exact=False)`.

    Example:
        >>> import blackjax
        >>> build = cs.samplers.from_blackjax(lambda logdensity: blackjax.barker(logdensity, step_size=0.4))
        >>> build(cs.samplers.Settings(warmup=10)).warmup
        10
    """

    def on(density: Density) -> Any:
        return algorithm(lambda position: -density.potential(position))

    def begin(key: Array, position: Position, density: Density) -> ForeignState:
        key, chain_key = jax.random.split(key)
        start = on(density).init
        takes_key = "rng_key" in inspect.signature(start).parameters
        return ForeignState(key, start(position, rng_key=chain_key) if takes_key else start(position))

    def step(state: ForeignState, density: Density) -> tuple[ForeignState, Info]:
        key, step_key = jax.random.split(state.key)
        chain, info = on(density).step(step_key, state.chain)
        return ForeignState(key, chain), Info(
            potential=-chain.logdensity if hasattr(chain, "logdensity") else density.potential(chain.position),
            acceptance_rate=jnp.asarray(getattr(info, "acceptance_rate", 1.0)),
            gradients=jnp.asarray(getattr(info, "num_integration_steps", 1)),
            diverging=jnp.asarray(getattr(info, "is_divergent", False)),
            step_size=jnp.asarray(getattr(info, "step_size", 0.0)),
        )

    def move(state: ForeignState, position: Position, density: Density) -> ForeignState:
        return begin(state.key, position, density)

    @functools.wraps(algorithm)
    def build(settings: Settings) -> Kernel:
        return Kernel(begin, step, lambda state: state.chain.position, move, settings.warmup)

    return build
