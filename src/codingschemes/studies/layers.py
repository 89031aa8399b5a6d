"""What studies of single layers share: networks of a run, how alike they are, and kernels beside those of theory."""

import numpy as np
from jaxtyping import Float

from codingschemes.coding.neurons import activity_chunks, spread_draws
from codingschemes.representation import permutation_distance, shape_distance
from codingschemes.runs import Run
from codingschemes.theory import Prediction


def some_networks(
    run: Run, at_most: int
) -> tuple[Float[np.ndarray, "chain draw L N P"], Float[np.ndarray, "chain draw N C"]]:
    """Activities of all layers and readouts, evenly spaced draws of every chain.

    Args:
        run: with draws.
        at_most: about so many of each chain.
    """
    activity, readout = zip(*activity_chunks(run, spread_draws(run, at_most)), strict=True)
    return np.concatenate(activity, axis=1).astype(float), np.concatenate(readout, axis=1).astype(float)


def unlike(
    activity: Float[np.ndarray, "chain draw N P"],
) -> tuple[Float[np.ndarray, " chain"], Float[np.ndarray, " chain"]]:
    """Distance of the last network of each chain from the first of the next one, by the best permutation and the best
    rotation of neurons, in radians: no network is in two pairs.

    Args:
        activity: of one layer.
    """
    pairs = [(last.T, first.T) for last, first in zip(activity[:, -1], np.roll(activity[:, 0], -1, 0), strict=True)]
    permuted, rotated = ([distance(*pair) for pair in pairs] for distance in (permutation_distance, shape_distance))
    return np.array(permuted), np.array(rotated)


def mean_kernels(activity: Float[np.ndarray, "chain draw L N P"]) -> Float[np.ndarray, "chain L P P"]:
    """The kernel of every layer, mean over each chain's networks.

    Args:
        activity: of all layers.
    """
    products = np.einsum("kdlnp,kdlnq->klpq", activity, activity, optimize=True)
    return products / (activity.shape[1] * activity.shape[3])


def predicted_kernels(prediction: Prediction) -> tuple[Float[np.ndarray, "P P"], ...]:
    """Of all layers; empty where the theory has none.

    Args:
        prediction: of any depth.
    """
    return () if prediction.kernel is None else (*prediction.lower_kernels, prediction.kernel)


def apart(kernel: Float[np.ndarray, "P P"], theory: Float[np.ndarray, "P P"]) -> float:
    """Distance of a kernel from the theory's, relative to the theory's.

    Args:
        kernel, theory: of one layer.
    """
    return float(np.linalg.norm(kernel - theory) / np.linalg.norm(theory))
