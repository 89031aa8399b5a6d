"""Activation functions by name. Adding one is one `register` line; the protocol tests then cover it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
from jax.scipy.special import erf
from jaxtyping import Array, Float

from codingschemes.registry import Registry

type Family = Literal["linear", "threshold", "sigmoidal", "odd", "smooth"]


@dataclass(frozen=True)
class Activation:
    """A pointwise nonlinearity phi.

    Attributes:
        name: its registered name.
        function: phi, acting elementwise on arrays.
        family: `linear`; `threshold` (zero for z < 0); `sigmoidal` (bounded, nonnegative); `odd` (phi(-z) = -phi(z),
            bounded); `smooth` (none of these, e.g. softplus).
        kinked: whether the slope jumps somewhere, so that integrators of high order gain nothing.
        source: `module:function` of one that is registered from elsewhere and can be imported.
    """

    name: str
    function: Callable[[Float[Array, "*shape"]], Float[Array, "*shape"]]
    family: Family
    kinked: bool = False
    source: str | None = None

    @property
    def bounded(self) -> bool:
        """Whether neurons saturate on both sides, so that each has a code."""
        return self.family in ("sigmoidal", "odd")

    def __call__(self, z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return self.function(z)

    def softened(self, reach: Float[Array, ""]) -> "Activation":
        """A threshold activation without its kink: phi of z's positive part averaged over (z - reach, z + reach), which
        is the positive part itself outside (-reach, reach)."""
        return replace(self, function=lambda z: self.function(_softened_ramp(z, reach)), kinked=False)


def _softened_ramp(z: Float[Array, "*shape"], reach: Float[Array, ""]) -> Float[Array, "*shape"]:
    share = jnp.clip(0.5 + z / (2 * reach), 0.0, 1.0)
    return jnp.where(z > reach, z, reach * share**2)


ACTIVATIONS: Registry[Activation] = Registry("activation")


def register(
    name: str,
    family: Family,
    function: Callable[[Float[Array, "*shape"]], Float[Array, "*shape"]],
    *,
    kinked: bool = False,
) -> Activation:
    """Make `function` available under `name`."""
    return ACTIVATIONS.register(name, Activation(name, function, family, kinked))


def _thresholded(concave: Callable[[jax.Array], jax.Array]) -> Callable[[jax.Array], jax.Array]:
    """phi_+(z) 1[z >= 0] for a concave phi_+ with phi_+(0) = 0 (Wang, Johnston & Fusi 2025)."""
    return lambda z: concave(jnp.maximum(z, 0.0))


register("linear", "linear", lambda z: z)
register("relu", "threshold", jax.nn.relu, kinked=True)
register("threshold-tanh", "threshold", _thresholded(jnp.tanh), kinked=True)
register("threshold-log1p", "threshold", _thresholded(jnp.log1p), kinked=True)
register("threshold-ratio", "threshold", _thresholded(lambda z: z / (1 + z)), kinked=True)
# The sigmoid of van Meegen & Sompolinsky 2025: slope 1/2 at zero, Gaussian averages in closed form.
register("sigmoid", "sigmoidal", lambda z: 0.5 * (1 + erf(jnp.sqrt(jnp.pi) * z / 2)))
register("logistic", "sigmoidal", jax.nn.sigmoid)
register("hardsigmoid", "sigmoidal", lambda z: jnp.clip(z / 6 + 0.5, 0.0, 1.0), kinked=True)
register("tanh", "odd", jnp.tanh)
register("erf", "odd", erf)
register("hardtanh", "odd", lambda z: jnp.clip(z, -1.0, 1.0), kinked=True)
register("softplus", "smooth", jax.nn.softplus)
register("gelu", "smooth", lambda z: jax.nn.gelu(z, approximate=False))
register("silu", "smooth", jax.nn.silu)
# Even: the one class of symmetric manifolds that no other activation here has.
register("cos", "smooth", jnp.cos)

#: The activations of the package; others are registered by whoever uses it.
BUILT_IN = frozenset(ACTIVATIONS)
