"""Neural collapse: four signs that last-layer activities have become one vertex of a simplex a class."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from codingschemes.errors import InvalidInput
from codingschemes.representation.kernels import checked_activity, class_means

SMALLEST_SINGULAR = 1e-8
"""Singular values of the class means below this fraction of the largest do not count as directions between classes."""


@dataclass(frozen=True)
class NeuralCollapse:
    """NC1 to NC4 of Papyan, Han & Donoho (PNAS 117:24652, 2020); all 0 at full collapse, None where undefined.

    mu_c are the class means of the activities and mu_G the mean of the mu_c.

    Attributes:
        variability: NC1, tr(S_W S_B^+) / G, with S_W the mean over samples of the scatter about their class mean and
            S_B the mean over classes of the scatter of mu_c about mu_G.
        norm_variation: NC2, coefficient of variation over classes of ||mu_c - mu_G||.
        angle_variation: NC2, standard deviation over pairs of classes of the cosine of mu_c - mu_G and mu_c' - mu_G.
        angle_excess: NC2, mean over pairs of |cosine + 1 / (G - 1)|, the distance from the widest equal angles.
        self_duality: NC3, || W / ||W||_F - M / ||M||_F ||_F^2, with W the readout and M the mu_c - mu_G, a row a class.
        nearest_mean_mismatch: NC4, fraction of samples where argmax(W h + b) is not the class of the nearest mean.
        reasons: a sentence for every value that is None, by its name.
    """

    variability: float | None
    norm_variation: float | None
    angle_variation: float | None
    angle_excess: float | None
    self_duality: float | None
    nearest_mean_mismatch: float | None
    reasons: dict[str, str]


def neural_collapse(
    activity: Float[np.ndarray, "N P"],
    labels: Int[np.ndarray, " P"],
    readout: Float[np.ndarray, "N C"] | None = None,
    bias: Float[np.ndarray, " C"] | None = None,
) -> NeuralCollapse:
    """The neural-collapse metrics of a layer's activities and the readout that acts on them.

    Args:
        activity: (neuron, sample).
        labels: the class of each sample, 0..G-1.
        readout: (neuron, output). NC3 and NC4 compare its columns with classes and are undefined unless there is one
            output a class.
        bias: of the outputs; zero if left out.

    Raises:
        InvalidInput: there is a single class.
    """
    phi = checked_activity(activity)
    means = class_means(phi, labels)
    class_count = means.shape[1]
    if class_count < 2:
        raise InvalidInput("neural collapse compares classes: give samples of at least two classes")
    offsets = means - means.mean(axis=1, keepdims=True)
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}

    distances = np.linalg.norm(offsets, axis=0)
    geometry = ("variability", "norm_variation", "angle_variation", "angle_excess")
    if distances.max() <= SMALLEST_SINGULAR * np.linalg.norm(means, axis=0).max():
        reasons |= dict.fromkeys(geometry, "all classes have the same mean activity")
    else:
        values["variability"] = _variability(phi - means[:, labels], offsets)
        values["norm_variation"] = float(distances.std() / distances.mean())
        if distances.min() <= SMALLEST_SINGULAR * distances.max():
            reasons |= dict.fromkeys(geometry[2:], "a class mean equals the mean of all classes and has no direction")
        else:
            cosines = (offsets.T @ offsets / np.outer(distances, distances))[np.triu_indices(class_count, 1)]
            values["angle_variation"] = float(cosines.std())
            values["angle_excess"] = float(np.mean(np.abs(cosines + 1 / (class_count - 1))))

    duality = ("self_duality", "nearest_mean_mismatch")
    if readout is None:
        reasons |= dict.fromkeys(duality, "no readout was given")
    elif readout.shape[1] != class_count:
        reasons |= dict.fromkeys(
            duality, f"the readout has {readout.shape[1]} outputs for {class_count} classes, not one a class"
        )
    else:
        norms = np.linalg.norm(readout), np.linalg.norm(offsets)
        if min(norms) == 0:
            reasons["self_duality"] = "the readout or all differences of class means are zero"
        else:
            values["self_duality"] = float(np.sum((readout / norms[0] - offsets / norms[1]) ** 2))
        outputs = readout.T @ phi + (0.0 if bias is None else bias[:, None])
        squared_distances = np.sum(means**2, axis=0)[:, None] - 2 * means.T @ phi
        values["nearest_mean_mismatch"] = float(np.mean(outputs.argmax(axis=0) != squared_distances.argmin(axis=0)))

    return NeuralCollapse(**{name: values.get(name) for name in (*geometry, *duality)}, reasons=reasons)


def _variability(residuals: Float[np.ndarray, "N P"], offsets: Float[np.ndarray, "N G"]) -> float:
    """tr(S_W S_B^+) / G. With offsets = U s V^T, S_B^+ = G U s^-2 U^T, so no N x N matrix is needed."""
    directions, singular, _ = np.linalg.svd(offsets, full_matrices=False)
    kept = singular > SMALLEST_SINGULAR * singular[0]
    scaled = directions[:, kept].T @ residuals / singular[kept, None]
    return float(np.sum(scaled**2) / residuals.shape[1])
