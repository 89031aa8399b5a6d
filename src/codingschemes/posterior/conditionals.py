"""From preactivations back to weights, by an exact draw from the Gaussian conditional."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def draw_weights(
    key: Array, preactivations: Float[Array, "N P"], features: Float[Array, "F P"], variance: Float[Array, ""]
) -> Float[Array, "N F"]:
    """W ~ N(0, variance) given that W @ features = preactivations.

    Given its preactivations at the training inputs a layer's weights are independent of everything else, so this holds
    in any layer; and for recurrent weights, with the samples of all time steps side by side. A prior draw is corrected
    along the features and left untouched orthogonally to them: W = G + (Z - G F) F^+ (Matheron's rule), with directions
    below round-off left to the prior.
    """
    prior = jnp.sqrt(variance) * jax.random.normal(
        key, (preactivations.shape[0], features.shape[0]), preactivations.dtype
    )
    left, singular, right = jnp.linalg.svd(features, full_matrices=False)
    # float32 draws carry preactivations to about 1e-7: directions weaker than that hold no information.
    kept = singular > 1e-6 * singular[0]
    inverse = jnp.where(kept, 1 / jnp.where(kept, singular, 1.0), 0.0)
    residual = preactivations - prior @ features
    return prior + ((residual @ right.T) * inverse) @ left.T
