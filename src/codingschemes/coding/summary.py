"""What a run says: codes, scheme, outliers, abstraction, kernels, errors, and whether to trust it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from codingschemes.diagnostics import Diagnostics
from codingschemes.representation import AbstractionScores


@dataclass(frozen=True)
class Estimate:
    """A posterior mean and its Monte Carlo standard error (NaN where there are too few draws to tell)."""

    mean: float
    mcse: float


@dataclass(frozen=True)
class CodeShare:
    """One code and how many neurons carry it.

    Attributes:
        code: one bit a class, in label order.
        fraction: posterior mean of the share of neurons that carry it.
        interval: 95 % credible interval of that share, over draws and chains.
        by_chain: the mean share in each chain.
    """

    code: str
    fraction: float
    interval: tuple[float, float]
    by_chain: tuple[float, ...]


@dataclass(frozen=True)
class OutlierNeuron:
    """A neuron that does far more than the others, in the last draw of a chain.

    Attributes:
        chain, neuron: which.
        class_index: the class it answers to most.
        norm: its root-mean-square activity times the norm of its readout, over the median neuron's.
    """

    chain: int
    neuron: int
    class_index: int
    norm: float


@dataclass(frozen=True)
class Portrait:
    """The last hidden layer in the last draw of one chain, for figures.

    Attributes:
        activity: (neuron, sample).
        class_activity: class means, (neuron, class).
        readout: (neuron, output).
        codes: code of each neuron, empty where undecided.
        order: neurons sorted by code, outliers first, then by their activity.
    """

    activity: Float[np.ndarray, "N P"]
    class_activity: Float[np.ndarray, "N G"]
    readout: Float[np.ndarray, "N C"]
    codes: tuple[str, ...]
    order: Int[np.ndarray, " N"]


@dataclass(frozen=True)
class Kernels:
    """Posterior means of the representational kernel K = Phi^T Phi / N of one layer.

    Attributes:
        full: (sample, sample).
        within: mean over distinct pairs of a class, (class,); NaN for classes of one sample.
        between: mean over distinct pairs of two classes, (class, class).
        between_mcse: its Monte Carlo standard error.
        diagonal: mean of K_mumu over a class, (class,).
    """

    full: Float[np.ndarray, "P P"]
    within: Float[np.ndarray, " G"]
    between: Float[np.ndarray, "G G"]
    between_mcse: Float[np.ndarray, "G G"]
    diagonal: Float[np.ndarray, " G"]


@dataclass(frozen=True)
class Predictions:
    """What the network says about inputs it was or was not trained on.

    Attributes:
        outputs: posterior mean output, (sample, output).
        spread: posterior standard deviation of the output, (sample, output).
        error: share of samples classified wrongly by the mean output.
        loss: mean squared error of a single network, posterior mean.
    """

    outputs: Float[np.ndarray, "P C"]
    spread: Float[np.ndarray, "P C"]
    error: float
    loss: Estimate


@dataclass(frozen=True)
class Summary:
    """The answers of one run.

    Attributes:
        scheme: analog, redundant, sparse or undecided, with probability and evidence.
        codes: codes of the last hidden layer, the most frequent first.
        coded: share of neurons with a decided code.
        drift: probability that a neuron changes code between stored draws.
        outliers: outlier neurons of the chains' last draws, the largest first.
        outlier_share: share of the class-specific output that outliers carry.
        abstraction: parallelism, CCGP and shattering dimensionality of the last layer's mean kernel.
        kernels: one a layer.
        energy: of the regularised loss.
        training, test: predictions; `test` is None for tasks without a test set.
        code_rhat: largest R-hat of the code occupancies.
        chains_share_codes: whether all chains hold the same codes in the same shares, up to drift.
        portraits: one a chain.
        class_names: in label order.
        diagnostics: can it be trusted?
    """

    scheme: Any
    codes: tuple[CodeShare, ...]
    coded: float
    drift: float
    outliers: tuple[OutlierNeuron, ...]
    outlier_share: float
    abstraction: AbstractionScores
    kernels: tuple[Kernels, ...]
    energy: Estimate
    training: Predictions
    test: Predictions | None
    code_rhat: float
    chains_share_codes: bool
    portraits: tuple[Portrait, ...]
    class_names: tuple[str, ...]
    diagnostics: Diagnostics
