"""What is recorded of every draw: invariants under permutations of neurons, and the neurons themselves.

Everything here is computed inside the compiled sampling loop, for one chain, and counts: of linear and sigmoidal
networks it once took as long as the moves. No kernel is formed, singular values need no vectors and are as exact in
single precision as the stored neurons are, and the gradient of the identities is that which trajectories follow. All
else is in double precision.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from codingschemes.posterior import Density, Position
from codingschemes.runs.dimensions import QUANTILES
from codingschemes.tasks.classification import classification_error, tells_classes

type Record = dict[str, dict[str, Array]]

_EIGENVALUES = 10
_DIRECTIONS = 16


def observe(key: Array, position: Position, density: Density, membership: Float[Array, "P G"]) -> Record:
    """The recorded variables of one draw, by group (see `dimensions.DIMENSIONS`).

    Args:
        key: randomness for the readout and the hidden weights where they are integrated out.
        position: whitened coordinates.
        density: the density they were drawn from.
        membership: one-hot class of each sample.

    The `posterior` group holds:
        energy: ||Y - f||^2 + T (|u|^2 + |w|^2 + |a|^2/sigma_a^2), with u the whitened first-layer preactivations, w
            the whitened hidden weights (see `Density.hidden_norm`): the regularised loss at the smallest input
            weights that give these preactivations (Wang, Johnston & Fusi 2025), with the same distribution in all
            forms of the posterior.
        training_loss: mean squared error over samples and outputs.
        training_error: share of samples whose output is nearest to a target that is not their class's; NaN where all
            classes share one, or targets differ within a class.
        outputs: f at the training inputs.
        kernel_block: mean of K = Phi^T Phi / N over pairs of distinct samples of two classes; NaN without such pairs.
        kernel_diagonal: mean of K_mumu over a class.
        kernel_eigenvalue: largest eigenvalues of K, as many as there are neurons at most.
        activity_norm_quantile, readout_norm_quantile: quantiles over neurons of the root-mean-square activity and of
            |a|.
        virial: theta . grad U / dimension, with expectation exactly 1.
        gradient: the gradient summed over neurons / sqrt(N) in the leading directions of each block of coordinates,
            with expectation exactly 0.
    """
    readout_key, hidden_key = jax.random.split(key)
    preactivations, _ = density.propagate(position)
    activity = density.network.activation(preactivations)
    readout = density.readout(readout_key, position, activity[-1])
    outputs = density.network.outputs(activity[-1], readout)
    residual = density.targets - outputs
    class_targets = (membership.T @ density.targets) / membership.sum(axis=0)[:, None]
    labels = membership.argmax(axis=1)
    classified = tells_classes(density.targets, labels, class_targets)
    blocks, diagonal = _class_means(activity, membership)
    levels = jnp.asarray(QUANTILES)
    gradient = jax.grad(density.approximate_potential or density.potential)(position)
    return {
        "posterior": {
            "energy": jnp.sum(residual**2)
            + density.temperature * _squared_norm(hidden_key, density, position, preactivations[0], readout),
            "training_loss": jnp.mean(residual**2),
            "training_error": jnp.where(classified, classification_error(outputs, labels, class_targets), jnp.nan),
            "outputs": outputs,
            "kernel_block": blocks,
            "kernel_diagonal": diagonal,
            "kernel_eigenvalue": _leading_eigenvalues(activity),
            "activity_norm_quantile": jnp.quantile(jnp.sqrt(jnp.mean(activity**2, axis=2)), levels, axis=1).T,
            "readout_norm_quantile": jnp.quantile(jnp.linalg.norm(readout, axis=1), levels),
            "virial": sum((jnp.sum(position[name] * gradient[name]) for name in position), jnp.zeros(()))
            / density.dimension,
            "gradient": _leading_gradient(gradient),
        },
        "neurons": {
            "preactivation": preactivations.astype(jnp.float32),
            "readout": readout.astype(jnp.float32),
        },
    }


def _squared_norm(
    key: Array, density: Density, position: Position, first: Float[Array, "N P"], readout: Float[Array, "N C"]
) -> Float[Array, ""]:
    inputs = jnp.sum(density.input_coordinates(first) ** 2)
    return inputs + density.hidden_norm(key, position) + jnp.sum(readout**2) / density.readout_variance


def _class_means(
    activity: Float[Array, "L N P"], membership: Float[Array, "P G"]
) -> tuple[Float[Array, "L G G"], Float[Array, "L G"]]:
    """Means of the kernel over pairs of distinct samples of two classes, and of its diagonal over those of one."""
    width, counts = activity.shape[1], membership.sum(axis=0)
    pairs = jnp.outer(counts, counts) - jnp.diag(counts)
    own = jnp.sum(activity**2, axis=1) / width @ membership
    of_class = activity @ membership
    sums = jnp.swapaxes(of_class, 1, 2) @ of_class / width - jax.vmap(jnp.diag)(own)
    return jnp.where(pairs > 0, sums / jnp.where(pairs > 0, pairs, 1.0), jnp.nan), own / counts


def _leading_eigenvalues(activity: Float[Array, "L N P"]) -> Float[Array, "L K"]:
    """The largest eigenvalues of K = Phi^T Phi / N that can differ from zero: squares of Phi's singular values."""
    values = jnp.linalg.svd(activity.astype(jnp.float32), compute_uv=False)[:, :_EIGENVALUES]
    return values.astype(activity.dtype) ** 2 / activity.shape[1]


def _leading_gradient(gradient: Position) -> Float[Array, " K"]:
    blocks = [jnp.sum(block, axis=-2).reshape(-1)[:_DIRECTIONS] / block.shape[-2] ** 0.5 for block in gradient.values()]
    return jnp.concatenate(blocks)
