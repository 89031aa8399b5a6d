"""A linear max-margin decoder that sees activities through their kernel, so that its cost depends on samples only."""

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn import config_context
from sklearn.svm import SVC

from codingschemes.representation.kernels import center

PENALTY = 100.0
"""Soft-margin penalty for activities of unit mean square: separable data are separated unless the gap is below about
1/sqrt(PENALTY * samples); larger values cost time on inseparable data without changing their accuracy."""

TIE = 1e-2
"""Decision values, in units of the margin, that count as undecided; well above the solver's tolerance."""

SOLVER_TOLERANCE = 1e-4

NO_VARIANCE = 1e-12
"""Samples do not differ where their variance is below this fraction of their mean square."""


def decoding_kernel(kernel: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"] | None:
    """The kernel of centred activities scaled to unit mean diagonal, or None where the samples do not differ."""
    result = center(kernel)
    variance = float(np.mean(np.diagonal(result)))
    if variance <= NO_VARIANCE * float(np.mean(np.diagonal(kernel))):
        return None
    return result / variance


class _Margin(SVC):
    """scikit-learn's machine for sides -1 and +1, which are known to be that: finding out what kind of targets it was
    given takes it as long as the fit to a hundred samples."""

    def __init__(self) -> None:
        super().__init__(C=PENALTY, kernel="precomputed", tol=SOLVER_TOLERANCE)

    def _validate_targets(self, sides: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        self.classes_, self.class_weight_ = np.array([-1.0, 1.0]), np.ones(2)
        return (sides > 0).astype(np.float64)


def decoding_accuracy(
    gram: Float[np.ndarray, "P P"],
    labels: Int[np.ndarray, " P"],
    dichotomy: Float[np.ndarray, " G"],
    train: Bool[np.ndarray, " P"],
    test: Bool[np.ndarray, " P"],
) -> float:
    """Accuracy on the test samples of the linear decoder of the dichotomy fitted to the training samples.

    Every class weighs the same in the fit and in the accuracy, whatever its number of samples; a tie counts one half.

    Args:
        gram: the kernel from `decoding_kernel`.
        dichotomy: the side, -1 or +1, of each class.
        train, test: which samples to use; the training samples must hold both sides.
    """
    sides = dichotomy[labels]
    _, index, sizes = np.unique(labels[train], return_inverse=True, return_counts=True)
    weights = np.mean(sizes) / sizes[index]
    with config_context(assume_finite=True, skip_parameter_validation=True):
        decoder = _Margin()
        decoder.fit(gram[np.ix_(train, train)], sides[train], sample_weight=weights)
    support = np.flatnonzero(train)[decoder.support_]
    margins = (gram[np.ix_(test, support)] @ decoder.dual_coef_[0] + decoder.intercept_[0]) * sides[test]
    correct = np.where(np.abs(margins) < TIE, 0.5, (margins > 0).astype(float))
    tested = np.bincount(labels[test])
    hits = np.bincount(labels[test], weights=correct)
    return float(np.mean(hits[tested > 0] / tested[tested > 0]))


def class_accuracy(
    gram: Float[np.ndarray, "P P"],
    labels: Int[np.ndarray, " P"],
    train: Bool[np.ndarray, " P"],
    test: Bool[np.ndarray, " P"],
) -> float:
    """Accuracy of naming the class of the test samples, mean over classes: the vote of the decoders of all pairs of
    classes. Chance is one over the number of classes. Arguments as in `decoding_accuracy`."""
    _, index, sizes = np.unique(labels[train], return_inverse=True, return_counts=True)
    with config_context(assume_finite=True, skip_parameter_validation=True):
        decoder = SVC(C=PENALTY, kernel="precomputed", tol=SOLVER_TOLERANCE)
        decoder.fit(gram[np.ix_(train, train)], labels[train], sample_weight=np.mean(sizes) / sizes[index])
        named = decoder.predict(gram[np.ix_(test, train)])
    tested = np.bincount(labels[test])
    hits = np.bincount(labels[test], weights=named == labels[test], minlength=len(tested))
    return float(np.mean(hits[tested > 0] / tested[tested > 0]))
