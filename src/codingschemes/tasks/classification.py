"""Errors of classification, which there are only where classes have targets of their own."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

_ROUND_OFF = 1e-9


def classification_error(
    outputs: Float[Array | np.ndarray, "Q C"],
    labels: Int[Array | np.ndarray, " Q"],
    class_targets: Float[Array | np.ndarray, "G C"],
) -> Float[Array, ""]:
    """Share of samples whose output is nearest to another class's target; NaN where two classes have the same one, up
    to round-off: no output tells them apart. Can be traced.

    Args:
        outputs: of the samples judged.
        labels: their classes.
        class_targets: mean target of each class.
    """
    apart = jnp.abs(class_targets[:, None] - class_targets).max(axis=2)
    own = jnp.all((apart > _ROUND_OFF * jnp.abs(class_targets).max()) | jnp.eye(len(class_targets), dtype=bool))
    nearest = ((outputs[:, None] - class_targets) ** 2).sum(axis=2).argmin(axis=1)
    return jnp.where(own, jnp.mean(nearest != labels), jnp.nan)
