"""Activation functions by name. Adding one is one `register` line; the protocol tests then cover it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf
from jaxtyping import Array, Float

from codingschemes.networks import gaussian
from codingschemes.networks.shape import Shape, shape_of
from codingschemes.registry import Registry

type Family = Literal["linear", "threshold", "sigmoidal", "odd", "smooth"]
#: Least and largest activity of a bounded activation; None of all others.
type Bounds = tuple[float, float] | None


@dataclass(frozen=True)
class Activation:
    """A pointwise nonlinearity phi and what is true of it.

    Attributes:
        name: its registered name.
        function: phi, acting elementwise on arrays.
        family: `linear`; `threshold` (zero for z < 0); `sigmoidal` (bounded, nonnegative); `odd` (phi(-z) = -phi(z),
            bounded); `smooth` (none of these, e.g. softplus).
        kinks: where the slope jumps.
        second_moment: <phi(z_i) phi(z_j)> of Gaussian z from their covariance in closed form; None where there is none.
        source: `module:function` of one that is registered from elsewhere and can be imported.
    """

    name: str
    function: Callable[[Float[Array, "*shape"]], Float[Array, "*shape"]]
    family: Family
    kinks: tuple[float, ...] = ()
    second_moment: Callable[[Float[np.ndarray, "P P"]], Float[np.ndarray, "P P"]] | None = None
    source: str | None = None

    @property
    def bounded(self) -> bool:
        """Whether neurons saturate on both sides, so that each has a code."""
        return self.family in ("sigmoidal", "odd")

    @property
    def bounds(self) -> Bounds:
        """What bounded neurons saturate at."""
        return self.shape.limits if self.bounded else None

    @property
    def kinked(self) -> bool:
        """Whether the slope jumps somewhere, so that integrators of high order gain nothing."""
        return len(self.kinks) > 0

    @property
    def softens(self) -> bool:
        """Whether its kink can be rounded off (`softened`)."""
        return self.kinked and self.family == "threshold"

    @cached_property
    def shape(self) -> Shape:
        """Symmetry, limits, growth, slopes at kinks, roots: found from the function when first asked for."""
        return shape_of(self.function, self.kinks)

    @property
    def midpoint(self) -> float:
        """The activity that separates an active class from a silent one, the same for all neurons where bounded."""
        return self.shape.midpoint

    def __call__(self, z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return self.function(z)

    def softened(self, reach: Float[Array, ""]) -> "Activation":
        """A threshold activation without its kink: phi of z's positive part averaged over (z - reach, z + reach), which
        is the positive part itself outside (-reach, reach)."""
        return replace(self, function=lambda z: self.function(_softened_ramp(z, reach)), kinks=())


def _softened_ramp(z: Float[Array, "*shape"], reach: Float[Array, ""]) -> Float[Array, "*shape"]:
    share = jnp.clip(0.5 + z / (2 * reach), 0.0, 1.0)
    return jnp.where(z > reach, z, reach * share**2)


ACTIVATIONS: Registry[Activation] = Registry("activation")


def register(
    name: str,
    family: Family,
    function: Callable[[Float[Array, "*shape"]], Float[Array, "*shape"]],
    *,
    kinks: tuple[float, ...] = (),
    second_moment: Callable[[Float[np.ndarray, "P P"]], Float[np.ndarray, "P P"]] | None = None,
) -> Activation:
    """Make `function` available under `name`; what is given is not looked for, and tests check it."""
    return ACTIVATIONS.register(name, Activation(name, function, family, kinks, second_moment))


def _zero_below(concave: Callable[[jax.Array], jax.Array]) -> Callable[[jax.Array], jax.Array]:
    """phi_+(z) 1[z >= 0] for a concave phi_+ with phi_+(0) = 0 (Wang, Johnston & Fusi 2025)."""
    return lambda z: concave(jnp.maximum(z, 0.0))


register("linear", "linear", lambda z: z, second_moment=gaussian.of_identity)
register("relu", "threshold", jax.nn.relu, kinks=(0.0,), second_moment=gaussian.of_rectifier)
register("threshold-tanh", "threshold", _zero_below(jnp.tanh), kinks=(0.0,))
register("threshold-log1p", "threshold", _zero_below(jnp.log1p), kinks=(0.0,))
register("threshold-ratio", "threshold", _zero_below(lambda z: z / (1 + z)), kinks=(0.0,))
# The sigmoid of van Meegen & Sompolinsky 2025: slope 1/2 at zero, Gaussian averages in closed form.
register(
    "sigmoid",
    "sigmoidal",
    lambda z: 0.5 * (1 + erf(jnp.sqrt(jnp.pi) * z / 2)),
    second_moment=gaussian.of_sigmoid,
)
register("logistic", "sigmoidal", jax.nn.sigmoid)
register("hardsigmoid", "sigmoidal", lambda z: jnp.clip(z / 6 + 0.5, 0.0, 1.0), kinks=(-3.0, 3.0))
register("tanh", "odd", jnp.tanh)
register("erf", "odd", erf, second_moment=gaussian.of_erf)
register("hardtanh", "odd", lambda z: jnp.clip(z, -1.0, 1.0), kinks=(-1.0, 1.0))
register("softplus", "smooth", jax.nn.softplus)
register("gelu", "smooth", lambda z: jax.nn.gelu(z, approximate=False))
register("silu", "smooth", jax.nn.silu)
# Even: the one class of symmetric manifolds that no other activation here has.
register("cos", "smooth", jnp.cos)

#: The activations of the package; others are registered by whoever uses it.
BUILT_IN = frozenset(ACTIVATIONS)
