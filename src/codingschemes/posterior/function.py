"""Depth in function space: hidden preactivations as coordinates, given the kernel of the layer below.

Row by row (neuron by neuron) z^{l+1} | z^l ~ N(0, K_l) with K_l = sigma_w^2 F^T F, F the features of the layer below,
(feature, sample). With H the symmetric root of F^T F and u standard normal, z^{l+1} = sigma_w u H has this law, so
that u are whitened coordinates: samples instead of features of them a neuron, and no Jacobian, for u is what is
sampled and its prior does not depend on the layer below.

Any root gives the same law. The symmetric one needs no jitter and stands singular kernels (equal samples, samples at
which no ReLU is active): as a function of F it is Lipschitz with constant sqrt(2), whatever F (Araki & Yamagami 1981).
The derivative of a Cholesky or QR factor grows with the condition number of F and does not exist where F is singular.

With F = Q H the polar decomposition, the hidden weights are sigma_w (u Q^T + G (1 - Q Q^T)), G standard normal: the
coordinates are the part of the whitened weights that the samples see.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from codingschemes.posterior.density import Position, ReducedDensity, Scalar


def _root(features: Float[Array, "F P"]) -> tuple[Float[Array, "P P"], Float[Array, "F P"], Float[Array, "P P"]]:
    """The root H, its eigenvectors V, and F V, whose columns are orthogonal and as long as the eigenvalues."""
    _, vectors = jnp.linalg.eigh(features.T @ features)
    images = features @ vectors
    # not the root of the eigenvalue of F^T F, which leaves the root of round-off where H is singular
    values = jnp.linalg.norm(images, axis=0)
    return (vectors * values) @ vectors.T, images, vectors


@jax.custom_vjp
def gram_root(features: Float[Array, "F P"]) -> Float[Array, "P P"]:
    """The symmetric positive semidefinite H with H H = F^T F, for F of any rank."""
    return _root(features)[0]


def _forward(features):  # type: ignore[no-untyped-def]
    root, images, vectors = _root(features)
    return root, (images, vectors)


def _backward(residuals, cotangent):  # type: ignore[no-untyped-def]
    # dH H + H dH = dF^T F + F^T dF among the eigenvectors of H. A column of F V over a sum of its length and another
    # is at most of length one: nothing grows where H is singular.
    images, vectors = residuals
    values = jnp.linalg.norm(images, axis=0)
    sums = values[:, None] + values[None, :]
    rotated = vectors.T @ (cotangent + cotangent.T) @ vectors
    return (images @ (rotated / jnp.where(sums > 0, sums, 1.0)) @ vectors.T,)


gram_root.defvjp(_forward, _backward)


class FunctionDensity(ReducedDensity):
    """`input` as in the reduced form; `hidden` (layer - 1, neuron, sample): hidden preactivations in whitened
    coordinates given the layer below; the readout integrated out.

    Where a layer has no more features than there are samples, its weights are the fewer numbers and another root of
    the same kernel: they are the coordinates then, and this is the reduced form, as it is with one hidden layer.
    """

    @property
    def _hidden_columns(self) -> int:
        return min(self.network.hidden_feature_count, self.targets.shape[0])

    def factor(self, below: Float[Array, "F P"]) -> Float[Array, "K P"]:
        return below if below.shape[0] <= below.shape[1] else gram_root(below)

    def hidden_norm(self, key: Array, position: Position) -> Scalar:
        network = self.network
        unseen = (network.depth - 1) * network.width * (network.hidden_feature_count - self._hidden_columns)
        seen = super().hidden_norm(key, position)
        return seen + jax.random.chisquare(key, unseen, (), seen.dtype) if unseen else seen
