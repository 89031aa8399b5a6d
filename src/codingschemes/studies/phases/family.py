"""Activations between a sigmoid and ReLU: a ramp of slope one that ends at a ceiling.

    phi(z) = min(max(z + 1 / (2 m), 0), m)

With the ceiling m = 1 it is a hard sigmoid about z = 0, and tends to ReLU as the ceiling rises. All are bounded; the
ceiling decides how many neurons it takes to carry an output.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from codingschemes.networks import ACTIVATIONS, register_activation


def clipped(z: Float[Array, "*shape"], ceiling: float) -> Float[Array, "*shape"]:
    """The ramp, half of it above zero where the ceiling is one.

    Args:
        z: preactivations.
        ceiling: m.
    """
    return jnp.clip(z + 0.5 / ceiling, 0.0, ceiling)


def ceiling_1(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return clipped(z, 1.0)


def ceiling_2(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return clipped(z, 2.0)


def ceiling_4(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return clipped(z, 4.0)


def ceiling_8(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return clipped(z, 8.0)


#: Those that runs find again by name; theory takes any ceiling.
SAMPLED = {1.0: ceiling_1, 2.0: ceiling_2, 4.0: ceiling_4, 8.0: ceiling_8}


def activation_with(ceiling: float) -> str:
    """The name of the activation with this ceiling, registered if it was not.

    Args:
        ceiling: m, above 0.
    """
    if ceiling in SAMPLED:
        return f"{__name__}:{SAMPLED[ceiling].__name__}"
    name = f"ceiling {ceiling:.6g}"
    if name not in ACTIVATIONS:
        register_activation(name, lambda z: clipped(z, ceiling), family="sigmoidal")
    return name
