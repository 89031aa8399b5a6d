"""A readout for populations that come without one: what a linear decoder of the classes would read from each neuron."""

import numpy as np
from jaxtyping import Float, Int

PENALTIES = np.logspace(-8, 4, 49)
"""Ridge penalties that are tried, over the mean eigenvalue of the Gram matrix."""


def direct_readout(activity: Float[np.ndarray, "P N"], labels: Int[np.ndarray, " P"]) -> Float[np.ndarray, "N G"]:
    """Ridge regression of one output a class on the activity, as stands in for the readout of lower layers of a run.

    There prior and temperature give the penalty; here generalized cross-validation does (Golub, Heath & Wahba,
    Technometrics 21, 215, 1979): the least RSS / (P - degrees of freedom)^2. No intercept, as networks have none.

    Args:
        activity: (sample, neuron).
        labels: 0..G-1.

    Returns:
        (neuron, class).
    """
    targets = np.eye(labels.max() + 1)[labels]
    samples, neurons = activity.shape
    wide = samples <= neurons
    gram = activity @ activity.T if wide else activity.T @ activity
    powers, axes = np.linalg.eigh(gram)
    powers = np.maximum(powers, 0.0)
    moments = axes.T @ (targets if wide else activity.T @ targets)
    # squared projections of the targets on left singular vectors of the activity
    kept = powers > np.finfo(float).eps * len(gram) * powers[-1]
    squares = (moments**2).sum(1)
    parts = squares if wide else np.divide(squares, powers, out=np.zeros_like(powers), where=kept)
    penalties = PENALTIES[:, None] * powers.mean()
    shrunk = penalties / (powers + penalties)
    residual = float(np.sum(targets**2)) - float(parts.sum()) + (shrunk**2 * parts).sum(1)
    freedom = samples - len(powers) + shrunk.sum(1)
    penalty = float(penalties[np.argmin(np.maximum(residual, 0.0) / freedom**2), 0])
    weights = axes @ (moments / (powers + penalty)[:, None])
    return activity.T @ weights if wide else weights
