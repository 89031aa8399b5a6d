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
        plain, corrected = self.moments(samples[None]).kernels(neurons[None])
        return plain[0], corrected[0]

    def moments(self, samples: Float[np.ndarray, "W P"]) -> "Moments":
        """Of many weights, in one pass over the activity: what takes time is to read it."""
        starts = self.edges[:-1]
        blocks = [slice(first, end) for first, end in zip(starts, self.edges[1:], strict=True)]
        return Moments(
            np.add.reduceat(samples, starts, axis=1),
            np.add.reduceat(samples**2, starts, axis=1),
            np.stack([samples[:, block] @ self.activity[block] for block in blocks], axis=1),
            np.stack([samples[:, block] ** 2 @ self.squares[block] for block in blocks], axis=1),
        )


@dataclass(frozen=True)
class Moments:
    """What kernels need of weighted samples, whatever the neurons weigh.

    Attributes:
        count, repeated: sums of weights and of their squares in each class, (weights, class).
        sums: of weighted activities, (weights, class, neuron).
        squares: of the squares of weighted activities, likewise.
    """

    count: Float[np.ndarray, "W G"]
    repeated: Float[np.ndarray, "W G"]
    sums: Float[np.ndarray, "W G N"]
    squares: Float[np.ndarray, "W G N"]

    def kernels(
        self, neurons: Float[np.ndarray, "W N"]
    ) -> tuple[Float[np.ndarray, "W G G"], Float[np.ndarray, "W G G"]]:
        """As `Samples.kernels`, one pair for all weights of samples and of neurons."""
        count, total = self.count, neurons.sum(1)
        pairs = count[:, :, None] * count[:, None, :] * total[:, None, None]
        plain = (self.sums * neurons[:, None, :]) @ self.sums.transpose(0, 2, 1)
        plain = np.divide(plain, pairs, out=np.full_like(plain, np.nan), where=pairs > 0)
        different = np.where(count**2 > self.repeated, count**2 - self.repeated, np.nan)  # pairs of different samples
        corrected = plain.copy()
        diagonal = np.arange(count.shape[1])
        alone = np.sum(self.squares * neurons[:, None, :], axis=2) / total[:, None]
        corrected[:, diagonal, diagonal] = (count**2 * plain[:, diagonal, diagonal] - alone) / different
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

    def moments(self, samples: Samples, weights: Float[np.ndarray, " P"]) -> Moments | None:
        """Of both halves of the samples, each to be paired with both halves of the neurons; None where of some class
        only one half was drawn."""
        halves = np.stack([self.samples, 1 - self.samples], axis=1).reshape(-1, len(weights)) * weights
        return samples.moments(halves) if np.add.reduceat(halves, samples.edges[:-1], axis=1).all() else None

    def dimensions(self, moments: Moments | None, neurons: Float[np.ndarray, " N"]) -> float:
        """The participation ratio of the class means of all neurons of which these are a sample, without noise.

        (sum lam)^2 is the product of traces from two halves and sum lam^2 their inner product, with noise corrected
        in each; means over both pairings and all splits.
        """
        if moments is None:
            return float("nan")
        side = np.stack([self.neurons, 1 - self.neurons], axis=1).reshape(-1, len(neurons)) * neurons
        traces = squares = 0.0
        # a half of the samples with a half of the neurons, and what is left with what is left
        for paired in (side, side.reshape(-1, 2, len(neurons))[:, ::-1].reshape(side.shape)):
            centred = np.array([_centre(kernel) for kernel in moments.kernels(paired)[1]])
            first, second = centred[::2], centred[1::2]
            traces += float(np.sum(np.trace(first, axis1=1, axis2=2) * np.trace(second, axis1=1, axis2=2)))
            squares += float(np.sum(first * second))
        return traces / squares if squares > 0 and traces > 0 else float("nan")


def _centre(kernel: Float[np.ndarray, "G G"]) -> Float[np.ndarray, "G G"]:
    half = kernel - kernel.mean(0)
    return half - half.mean(1, keepdims=True)
