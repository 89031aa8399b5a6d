"""Errors of classification, which there are only where classes differ in their targets."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

_ROUND_OFF = 1e-9


def tells_classes(
    targets: Float[Array | np.ndarray, "P C"],
    labels: Int[Array | np.ndarray, " P"],
    class_targets: Float[Array | np.ndarray, "G C"],
) -> Bool[Array, ""]:
    """Whether the target of every training sample is that of its class, up to round-off: what is learned is then a
    class, and else real numbers, of which there is no error of classification. Can be traced."""
    return jnp.all(jnp.abs(targets - jnp.asarray(class_targets)[labels]) <= _ROUND_OFF * jnp.abs(class_targets).max())


def classification_error(
    outputs: Float[Array | np.ndarray, "Q C"],
    labels: Int[Array | np.ndarray, " Q"],
    class_targets: Float[Array | np.ndarray, "G C"],
) -> Float[Array, ""]:
    """Share of samples whose output is nearest to a target that is not their class's. Can be traced.

    Classes with the same target, up to round-off, are one label to the output, which is not asked to tell them apart;
    NaN where all classes have the same one.

    Args:
        outputs: of the samples judged.
        labels: their classes.
        class_targets: mean target of each class.
    """
    apart = jnp.abs(class_targets[:, None] - class_targets).max(axis=2)
    same = apart <= _ROUND_OFF * jnp.abs(class_targets).max()
    nearest = ((outputs[:, None] - class_targets) ** 2).sum(axis=2).argmin(axis=1)
    nothing_to_tell = len(class_targets) > 1 and jnp.all(same)
    return jnp.where(nothing_to_tell, jnp.nan, jnp.mean(~same[labels, nearest]))
