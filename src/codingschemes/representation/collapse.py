"""Neural collapse: four signs that last-layer activities have become one vertex of a simplex a class."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real, Shaped

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.representation.arrays import labelled_activity, several_classes
from codingschemes.representation.kernels import class_means

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

    Example:
        >>> cs.representation.neural_collapse(activity, labels).variability > 0
        True
    """

    variability: float | None
    norm_variation: float | None
    angle_variation: float | None
    angle_excess: float | None
    self_duality: float | None
    nearest_mean_mismatch: float | None
    reasons: dict[str, str]


@known_keywords
def neural_collapse(
    activity: Real[np.ndarray, "P N"],
    labels: Shaped[np.ndarray, " P"],
    readout: Real[np.ndarray, "N C"] | None = None,
    bias: Real[np.ndarray, " C"] | None = None,
) -> NeuralCollapse:
    """The neural-collapse metrics of a layer's activities and the readout that acts on them.

    Args:
        activity: (sample, neuron).
        labels: the class of each sample: whole numbers, text or booleans.
        readout: (neuron, output), outputs in the sorted order of the labels. NC3 and NC4 compare its columns with
            classes and are undefined unless there is one output a class.
        bias: of the outputs; zero if left out.

    Raises:
        InvalidInput: there is a single class, or arrays do not belong together.

    Example:
        >>> collapse = cs.representation.neural_collapse(activity, labels)
        >>> collapse.variability > 0
        True
    """
    phi, classes = labelled_activity(activity, labels)
    several_classes(classes, "neural collapse")
    means = class_means(phi, classes.numbers)
    class_count = len(means)
    offsets = means - means.mean(axis=0)
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}

    distances = np.linalg.norm(offsets, axis=1)
    geometry = ("variability", "norm_variation", "angle_variation", "angle_excess")
    if distances.max() <= SMALLEST_SINGULAR * np.linalg.norm(means, axis=1).max():
        reasons |= dict.fromkeys(geometry, "all classes have the same mean activity")
    else:
        values["variability"] = _variability(phi - means[classes.numbers], offsets)
        values["norm_variation"] = float(distances.std() / distances.mean())
        if distances.min() <= SMALLEST_SINGULAR * distances.max():
            reasons |= dict.fromkeys(geometry[2:], "a class mean equals the mean of all classes and has no direction")
        else:
            cosines = (offsets @ offsets.T / np.outer(distances, distances))[np.triu_indices(class_count, 1)]
            values["angle_variation"] = float(cosines.std())
            values["angle_excess"] = float(np.mean(np.abs(cosines + 1 / (class_count - 1))))

    duality = ("self_duality", "nearest_mean_mismatch")
    weights = None if readout is None else _readout(readout, phi.shape[1])
    if weights is None:
        reasons |= dict.fromkeys(duality, "no readout was given")
    elif weights.shape[1] != class_count:
        reasons |= dict.fromkeys(
            duality, f"the readout has {weights.shape[1]} outputs for {class_count} classes, not one a class"
        )
    else:
        norms = np.linalg.norm(weights), np.linalg.norm(offsets)
        if min(norms) == 0:
            reasons["self_duality"] = "the readout or all differences of class means are zero"
        else:
            values["self_duality"] = float(np.sum((weights.T / norms[0] - offsets / norms[1]) ** 2))
        outputs = phi @ weights + _bias(bias, class_count)
        squared_distances = np.sum(means**2, axis=1) - 2 * phi @ means.T
        values["nearest_mean_mismatch"] = float(np.mean(outputs.argmax(axis=1) != squared_distances.argmin(axis=1)))

    return NeuralCollapse(**{name: values.get(name) for name in (*geometry, *duality)}, reasons=reasons)


def _readout(readout: Real[np.ndarray, "N C"], neurons: int) -> Float[np.ndarray, "N C"]:
    found = np.asarray(readout)
    if found.ndim != 2 or found.dtype.kind not in "buif" or len(found) != neurons or not np.all(np.isfinite(found)):
        raise InvalidInput(
            f"a readout is finite numbers (neuron, output) with {neurons} rows here, not {found.dtype} of shape "
            f"{found.shape}: give one row a neuron"
        )
    return found.astype(np.float64)


def _bias(bias: Real[np.ndarray, " C"] | None, outputs: int) -> Float[np.ndarray, " C"]:
    if bias is None:
        return np.zeros(outputs)
    found = np.asarray(bias)
    if found.dtype.kind not in "buif" or found.shape != (outputs,) or not np.all(np.isfinite(found)):
        raise InvalidInput(f"the bias is {outputs} finite numbers, one an output, not {found.dtype} {found.shape}")
    return found.astype(np.float64)


def _variability(residuals: Float[np.ndarray, "P N"], offsets: Float[np.ndarray, "G N"]) -> float:
    """tr(S_W S_B^+) / G. With offsets = U s V^T, S_B^+ = G V s^-2 V^T, so no N x N matrix is needed."""
    _, singular, directions = np.linalg.svd(offsets, full_matrices=False)
    kept = singular > SMALLEST_SINGULAR * singular[0]
    scaled = residuals @ directions[kept].T / singular[kept]
    return float(np.sum(scaled**2) / len(residuals))
