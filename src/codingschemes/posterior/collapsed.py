"""The likelihood with the readout integrated out, and its gradient by one Cholesky factorisation.

With f = Phi^T r, r ~ N(0, c I) a column and Y = f + N(0, T I),

    -log ∫ dr exp(-|r|^2/(2c) - ||Y - f||^2/(2T)) = tr(Y^T S^{-1} Y)/2 + (C/2) log det(S/T) + const,

    S = c Phi^T Phi + T I,

where the constant is the prior's normalisation alone: the marginal of the `weights` form is this, exactly. The
factorised matrix is S (P x P) or, in wide data (N < P), A = c Phi Phi^T + T I (N x N), which has the same determinant
up to powers of T.

Activity in single precision makes products with it single, too; S, its factor and what is solved for the targets have
the precision of the temperature.
"""

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Float

type Scalar = Float[Array, ""]


def _factor(activity: Float[Array, "N P"], scaled_readout_variance: Scalar, noise: Scalar) -> Float[Array, "M M"]:
    """The Cholesky factor of the smaller of S and A."""
    columns = activity if activity.shape[1] <= activity.shape[0] else activity.T
    return cho_factor(output_covariance(columns, scaled_readout_variance, noise), lower=True)[0]


def output_covariance(
    activity: Float[Array, "N P"], scaled_readout_variance: Scalar, noise: Scalar
) -> Float[Array, "P P"]:
    """S = c Phi^T Phi + T I, (sample, sample)."""
    rows = (scaled_readout_variance * activity.T).astype(activity.dtype)
    if rows.dtype == float:  # held: in double precision XLA takes twice as long to multiply what it has to transpose
        rows = jax.lax.optimization_barrier(rows)
    return rows @ activity + noise * jnp.eye(len(rows), dtype=noise.dtype)


def _half_log_det(factor: Float[Array, "M M"], noise: Scalar) -> Scalar:
    """log det(S/T)/2."""
    return jnp.sum(jnp.log(jnp.diagonal(factor))) - factor.shape[0] * jnp.log(noise) / 2


def _solve(
    activity: Float[Array, "N P"], targets: Float[Array, "P C"], scaled_readout_variance: Scalar, noise: Scalar
) -> tuple[Scalar, Float[Array, "P C"], Float[Array, "N C"], Float[Array, "M M"]]:
    """The misfit, B = S^{-1} Y, the mean readout R = c Phi B, and the Cholesky factor of the smaller matrix."""
    width, samples = activity.shape
    factor = _factor(activity, scaled_readout_variance, noise)
    if samples <= width:
        dual = cho_solve((factor, True), targets)
        readout = scaled_readout_variance * activity @ dual
        quadratic = jnp.sum(targets * dual)
    else:
        readout = cho_solve((factor, True), scaled_readout_variance * activity @ targets)
        dual = (targets - activity.T @ readout) / noise
        quadratic = noise * jnp.sum(dual**2) + jnp.sum(readout**2) / scaled_readout_variance
    return quadratic / 2 + targets.shape[1] * _half_log_det(factor, noise), dual, readout, factor


@jax.custom_vjp
def collapsed_misfit(
    activity: Float[Array, "N P"], targets: Float[Array, "P C"], scaled_readout_variance: Scalar, noise: Scalar
) -> Scalar:
    """tr(Y^T S^{-1} Y)/2 + (C/2) log det(S/T) with S = `scaled_readout_variance` Phi^T Phi + `noise` I.

    Args:
        activity: Phi, (neuron, sample).
        targets: Y, (sample, output).
        scaled_readout_variance: c = (gamma sigma_a)^2, the prior variance of a readout times the readout scale squared.
        noise: the temperature T.
    """
    return _solve(activity, targets, scaled_readout_variance, noise)[0]


def _forward(activity, targets, scaled_readout_variance, noise):  # type: ignore[no-untyped-def]
    # The slope in Phi is 2 c Phi dM/dS, with dM/dS = (C S^{-1} - B B^T)/2, and Phi S^{-1} = A^{-1} Phi.
    width, samples = activity.shape
    outputs = targets.shape[1]
    if 2 * samples <= width:  # many neurons: the inverse and a product cost less than that many solutions
        factor = _factor(activity, scaled_readout_variance, noise)
        identity = jnp.eye(samples, dtype=targets.dtype)
        solved = cho_solve((factor, True), jnp.concatenate([targets, identity], axis=1))
        dual, inverse = solved[:, :outputs], solved[:, outputs:]
        misfit = jnp.sum(targets * dual) / 2 + outputs * _half_log_det(factor, noise)
        scaled = (scaled_readout_variance * activity).astype(activity.dtype)
        slope = scaled @ (outputs * inverse - dual @ dual.T).astype(activity.dtype)
        trace = jnp.trace(inverse)
    else:
        misfit, dual, readout, factor = _solve(activity, targets, scaled_readout_variance, noise)
        applied = (factor.astype(activity.dtype), True)
        whitened = cho_solve(applied, activity.T).T if samples <= width else cho_solve(applied, activity)
        pull = readout.astype(activity.dtype) @ dual.astype(activity.dtype).T
        slope = scaled_readout_variance * outputs * whitened - pull
        trace = (samples - scaled_readout_variance * jnp.sum(whitened * activity)) / noise
    return misfit, (activity, dual, slope, trace, scaled_readout_variance, noise)


def _backward(residuals, cotangent):  # type: ignore[no-untyped-def]
    activity, dual, slope, trace, scaled_readout_variance, noise = residuals
    samples, outputs = dual.shape
    readout_cotangent = cotangent * jnp.sum(slope * activity) / (2 * scaled_readout_variance)
    noise_cotangent = cotangent * (outputs * trace - jnp.sum(dual**2) - outputs * samples / noise) / 2
    return (cotangent * slope).astype(activity.dtype), cotangent * dual, readout_cotangent, noise_cotangent


collapsed_misfit.defvjp(_forward, _backward)


def draw_readout(
    key: Array,
    activity: Float[Array, "N P"],
    targets: Float[Array, "P C"],
    scaled_readout_variance: Scalar,
    noise: Scalar,
) -> Float[Array, "N C"]:
    """An exact draw of r given the activity and the targets: a prior draw corrected by the residual it leaves.

    (Matheron's rule: r = r0 + c Phi S^{-1} (Y - Phi^T r0 - noise).)
    """
    key_prior, key_noise = jax.random.split(key)
    prior = jax.random.normal(key_prior, (activity.shape[0], targets.shape[1]), activity.dtype)
    noise_draw = jax.random.normal(key_noise, targets.shape, activity.dtype)
    # Held: XLA compiles normal numbers anew for each use that it fuses them into, which costs more than all the rest.
    prior, noise_draw = jax.lax.optimization_barrier((prior, noise_draw))
    prior, noise_draw = jnp.sqrt(scaled_readout_variance) * prior, jnp.sqrt(noise) * noise_draw
    _, _, correction, _ = _solve(activity, targets - activity.T @ prior - noise_draw, scaled_readout_variance, noise)
    return prior + correction
