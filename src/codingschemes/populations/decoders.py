"""Scores that train decoders: CCGP, shattering dimensionality, and how well classes are told apart.

They see samples through their kernel (`representation.decoding`). Drawn samples may be copies of one trial, and these
share a fold: else a decoder would be tested on what it was trained on.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from codingschemes.representation import ccgp_from_kernel, dichotomy_ccgp_from_kernel
from codingschemes.representation.decoding import class_accuracy, decoding_accuracy, decoding_kernel
from codingschemes.representation.generalization import deal_folds

FOLDS = 5
DECODED = ("ccgp", "shattering", "decoding")


@dataclass(frozen=True)
class Decoders:
    """What decoders are trained to tell.

    Attributes:
        factors: -1/+1 of each class, or None.
        sides: balanced dichotomies, none where there are none.
        fold: of each sample, from `deal_folds`; None where a class has a single sample.
        max_splits, seed: see `representation.ccgp`.
    """

    factors: Float[np.ndarray, "G F"] | None
    sides: Float[np.ndarray, "D G"]
    fold: Int[np.ndarray, " P"] | None
    max_splits: int
    seed: int

    def ccgp(self, kernel: Float[np.ndarray, "K K"], labels: Int[np.ndarray, " K"]) -> float:
        """By factors where there are any, else the largest over dichotomies; NaN where undefined."""
        if self.factors is not None:
            value = ccgp_from_kernel(kernel, labels, self.factors, max_splits=self.max_splits, seed=self.seed).value
        elif len(self.sides):
            value = dichotomy_ccgp_from_kernel(
                kernel, labels, self.sides, max_splits=self.max_splits, seed=self.seed
            ).value
        else:
            value = None
        return float("nan") if value is None else value

    def shattering(
        self, kernel: Float[np.ndarray, "K K"], labels: Int[np.ndarray, " K"], fold: Int[np.ndarray, " K"]
    ) -> float:
        """Mean accuracy over balanced dichotomies, cross-validated."""
        gram = decoding_kernel(kernel)
        if gram is None:
            return float("nan")
        accuracies = [
            decoding_accuracy(gram, labels, side, fold != held, fold == held)
            for side in self.sides
            for held in np.unique(fold)
            if len(np.unique(side[labels[fold != held]])) == 2  # drawn samples of a class may share a fold
        ]
        return float(np.mean(accuracies)) if accuracies else float("nan")

    def decoding(
        self, kernel: Float[np.ndarray, "K K"], labels: Int[np.ndarray, " K"], fold: Int[np.ndarray, " K"]
    ) -> float:
        """Accuracy of naming the class, cross-validated; chance is one over the number of classes."""
        gram = decoding_kernel(kernel)
        if gram is None:
            return float("nan")
        accuracies = [
            class_accuracy(gram, labels, fold != held, fold == held)
            for held in np.unique(fold)
            if len(np.unique(labels[fold != held])) > 1
        ]
        return float(np.mean(accuracies)) if accuracies else float("nan")


def decoders(
    labels: Int[np.ndarray, " P"],
    factors: Float[np.ndarray, "G F"] | None,
    sides: Float[np.ndarray, "D G"],
    max_splits: int,
    seed: int,
) -> Decoders:
    """What there is to decode among these samples."""
    folds = min(FOLDS, int(np.bincount(labels).min()))
    fold = deal_folds(labels, folds, np.random.default_rng(seed)) if folds > 1 else None
    return Decoders(factors, sides, fold, max_splits, seed)
