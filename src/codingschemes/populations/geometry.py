"""What noise adds to the geometry of class means, and the same without it.

Class means of few trials lie further apart than the conditions do: a mean of n trials carries 1/n of the noise, which
adds to its squared length and to nothing else. Inner products of two different trials do not have it, so kernels
averaged over such pairs are unbiased, and cosines from them are corrected as correlations are for attenuation (Spearman
1904; for distances Walther et al., NeuroImage 137, 188, 2016). Neurons are a sample too: squares of a kernel that is
averaged over N of them have a bias of order 1/N, which two halves of the neurons do not share.

All take weights of samples and of neurons, so that a bootstrap is a call with the numbers of times that each was drawn;
copies of one trial are no different trials.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from codingschemes.errors import InvalidInput
from codingschemes.representation import dichotomy_parallelism_from_kernel, parallelism_score_from_kernel
from codingschemes.representation.parallelism import MATCHING_CLASS_LIMIT

SPLITS = 8
"""Random halves behind the corrected number of dimensions."""


@dataclass(frozen=True)
class Samples:
    """Samples sorted by class, of which weighted class means are taken.

    Attributes:
        activity: (sample, neuron).
        labels: 0..G-1, ascending.
    """

    activity: Float[np.ndarray, "P N"]
    labels: Int[np.ndarray, " P"]

    @cached_property
    def edges(self) -> Int[np.ndarray, " G_plus_1"]:
        """Where each class begins, and the end."""
        return np.concatenate([[0], np.cumsum(np.bincount(self.labels))])

    @cached_property
    def squares(self) -> Float[np.ndarray, "P N"]:
        return self.activity**2

    @property
    def sizes(self) -> Int[np.ndarray, " G"]:
        return np.diff(self.edges)

    def sums(
        self, weights: Float[np.ndarray, " P"], values: Float[np.ndarray, "P N"] | None = None
    ) -> Float[np.ndarray, "G N"]:
        """Weighted sums over the samples of each class, of `values` or of the activity."""
        values = self.activity if values is None else values
        blocks = zip(self.edges[:-1], self.edges[1:], strict=True)
        return np.stack([weights[first:end] @ values[first:end] for first, end in blocks])

    def kernels(
        self, samples: Float[np.ndarray, " P"], neurons: Float[np.ndarray, " N"]
    ) -> tuple[Float[np.ndarray, "G G"], Float[np.ndarray, "G G"]]:
        """The kernel of the class means as they are, and without what noise adds.

        Args:
            samples: weight of each; the diagonal of the second is NaN where a class has one sample.
            neurons: weight of each.
        """
        count = np.add.reduceat(samples, self.edges[:-1])
        repeated = np.add.reduceat(samples**2, self.edges[:-1])
        sums, total = self.sums(samples), neurons.sum()
        plain = (sums * neurons) @ sums.T / total / np.outer(count, count)
        own = self.sums(samples**2, self.squares) @ neurons / total
        different = np.where(count**2 > repeated, count**2 - repeated, np.nan)  # pairs of different samples
        corrected = plain.copy()
        np.fill_diagonal(corrected, (count**2 * np.diagonal(plain) - own) / different)
        return plain, corrected


def parallelism_of(
    kernel: Float[np.ndarray, "G G"], factors: Float[np.ndarray, "G F"] | None, sides: Float[np.ndarray, "D G"]
) -> float:
    """Parallelism by factors where there are any, else the largest over dichotomies; NaN where undefined."""
    if not np.isfinite(kernel).all():
        return float("nan")
    if factors is not None:
        value = parallelism_score_from_kernel(kernel, factors).value
    elif len(sides) and sides.shape[1] <= MATCHING_CLASS_LIMIT and kernel.diagonal().max() > 0:
        value = dichotomy_parallelism_from_kernel(kernel, sides).value
    else:
        value = None
    return float("nan") if value is None else value


def dimensions(kernel: Float[np.ndarray, "G G"]) -> float:
    """Participation ratio of the class means, (sum lam)^2 / sum lam^2 of their centred kernel; NaN without variance."""
    centred = _centre(kernel)
    squares = float(np.sum(centred**2))
    return float(np.trace(centred)) ** 2 / squares if squares > 0 else float("nan")


@dataclass(frozen=True)
class Halves:
    """Random halves of samples within each class and of neurons: what one pair says of the geometry has noise of its
    own.

    Attributes:
        samples: whether each is in the first half, (split, sample).
        neurons: likewise, (split, neuron).
    """

    samples: Float[np.ndarray, "S P"]
    neurons: Float[np.ndarray, "S N"]

    @classmethod
    def of(cls, samples: Samples, seed: int) -> "Halves":
        """Needs four samples of every class.

        Raises:
            InvalidInput: there are fewer.
        """
        if samples.sizes.min() < 4:
            raise InvalidInput("halves of every class need two samples each: give four samples a class or more")
        rng = np.random.default_rng(seed)
        order = np.stack([np.concatenate([rng.permutation(size) for size in samples.sizes]) for _ in range(SPLITS)])
        first = order < (samples.sizes // 2)[samples.labels]
        neurons = samples.activity.shape[1]
        shuffled = np.stack([rng.permutation(neurons) for _ in range(SPLITS)])
        return cls(first.astype(float), (shuffled < neurons // 2).astype(float))

    def dimensions(self, samples: Samples, weights: Float[np.ndarray, " P"], neurons: Float[np.ndarray, " N"]) -> float:
        """The participation ratio of the class means of all neurons of which these are a sample, without noise.

        (sum lam)^2 is the product of traces from two halves and sum lam^2 their inner product, with noise corrected
        in each; means over both pairings and all splits.
        """
        traces, squares = 0.0, 0.0
        for half, side in zip(self.samples, self.neurons, strict=True):
            for one, other in ((half, 1 - half), (1 - half, half)):
                if not all(np.add.reduceat(weights * each, samples.edges[:-1]).all() for each in (one, other)):
                    return float("nan")  # of some class only one half was drawn
                first = _centre(samples.kernels(weights * one, neurons * side)[1])
                second = _centre(samples.kernels(weights * other, neurons * (1 - side))[1])
                traces += float(np.trace(first) * np.trace(second))
                squares += float(np.sum(first * second))
        return traces / squares if squares > 0 and traces > 0 else float("nan")


def _centre(kernel: Float[np.ndarray, "G G"]) -> Float[np.ndarray, "G G"]:
    half = kernel - kernel.mean(0)
    return half - half.mean(1, keepdims=True)
