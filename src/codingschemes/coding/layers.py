"""One hidden layer of a run: its codes, scheme, outliers, kernel, collapse and drift.

Lower layers have no readout of their own to the outputs; `direct_readout` stands in for it wherever one is needed: in
clusters, outliers, their share of the class-specific output, and the scheme. What follows is a statement about how the
targets can be read from the layer, not about the weights above it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from codingschemes.coding.codes import Codes, code_counts, drift, find_codes, occupancies
from codingschemes.coding.collapse import Collapse
from codingschemes.coding.dynamics import LayerDrift, Trajectory, layer_drift
from codingschemes.coding.outliers import Outliers, find_outliers, output_parts
from codingschemes.coding.population import ClassMeans
from codingschemes.coding.scheme import Scheme, classify
from codingschemes.convergence import SAME_NEURONS, worst_rhat
from codingschemes.networks.activations import Bounds
from codingschemes.representation import SCORES, AbstractionScores

#: A chain is stuck in its codes where fewer than this share of its neurons change code in a draw.
_STUCK = 1e-3
#: Shares of codes are worth a warning of their own where at least this share of the neurons has one.
_MOST = 0.5
MOST_RARE_CODES = 256
"""So many codes are listed however few neurons have them: all codes of eight classes."""


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
        norm: its root-mean-square activity, over the median neuron's.
        strength: the same of activity times readout norm.
    """

    chain: int
    neuron: int
    class_index: int
    norm: float
    strength: float


@dataclass(frozen=True)
class Portrait:
    """A hidden layer in the last draw of one chain, for figures.

    Attributes:
        activity: (neuron, sample).
        class_activity: class means, (neuron, class).
        readout: (neuron, output); below the last layer `direct_readout`.
        codes: code of each neuron, empty where it has none.
        output_part: the part of the class-specific output that each neuron carries, summing to one, (neuron,).
        outliers: indices of outlier neurons, the strongest first.
        order: neurons sorted by code, outliers first, then by preferred class and activity.
    """

    activity: Float[np.ndarray, "N P"]
    class_activity: Float[np.ndarray, "N G"]
    readout: Float[np.ndarray, "N C"]
    codes: tuple[str, ...]
    output_part: Float[np.ndarray, " N"]
    outliers: Int[np.ndarray, " K"]
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

    def to_json(self) -> dict[str, Any]:
        """The class means, as plain values."""
        return {
            "within": self.within.tolist(),
            "between": self.between.tolist(),
            "between_mcse": self.between_mcse.tolist(),
            "diagonal": self.diagonal.tolist(),
        }


@dataclass(frozen=True)
class LayerAbstraction:
    """How abstract one layer (one time step of a recurrent network) is.

    Attributes:
        scores: parallelism, CCGP and shattering dimensionality of single networks, mean over some draws.
        spread: standard deviation over these draws of each score that is defined.
    """

    scores: AbstractionScores
    spread: dict[str, float]


@dataclass(frozen=True)
class Layer:
    """What one hidden layer (one time step of a recurrent network) does.

    Attributes:
        scheme: analog, redundant, sparse or undecided, with probability and evidence.
        codes: the most frequent first, see `code_shares`.
        coded: share of neurons with a decided code.
        code_sizes: share of coded neurons that answer to 0, 1, .. G classes, (classes + 1,).
        decided: share of bits (neurons x classes) that are decided.
        code_rhat: largest R-hat of `code_counts` (infinite for chains frozen in different codes).
        outlier_rhat: largest R-hat of the norms of outliers, by rank: of as many neurons as the chain with the most
            outliers has in its last draw; 1 where none has any.
        code_changes: probability that a neuron changes code from one draw to the next of those looked at: a property
            of the sampler's moves. For the network's own see `drift`.
        outliers: outlier neurons of the chains' last draws, the strongest first.
        outlier_share: share of the class-specific output that they carry, mean over chains.
        effective_neurons: how many neurons carry the class-specific output, (sum |c|)^2 / sum c^2 of their parts c;
            mean over the chains' last draws.
        kernels: posterior means.
        abstraction: of single networks.
        collapse: of single networks, mean over some draws.
        drift: along a local dynamics; None where it was not measured.
        portraits: one a chain.
        codes_left_out: number of rarer codes that `codes` does not list.
    """

    scheme: Scheme
    codes: tuple[CodeShare, ...]
    coded: float
    code_sizes: Float[np.ndarray, " sizes"]
    decided: float
    code_rhat: float
    outlier_rhat: float
    code_changes: float
    outliers: tuple[OutlierNeuron, ...]
    outlier_share: float
    effective_neurons: float
    kernels: Kernels
    abstraction: LayerAbstraction
    collapse: Collapse
    drift: LayerDrift | None
    portraits: tuple[Portrait, ...]
    codes_left_out: int = 0

    @property
    def code_count(self) -> int:
        """Distinct codes, those that are too rare to be listed among them."""
        return len(self.codes) + self.codes_left_out

    @property
    def neuron_rhat(self) -> float:
        """The larger one of `code_rhat` and `outlier_rhat`."""
        return float(np.nanmax([self.code_rhat, self.outlier_rhat, 1.0]))

    @property
    def chains_share_codes(self) -> bool:
        """Whether all chains hold the same codes in the same shares."""
        return self.code_rhat < SAME_NEURONS

    @property
    def codes_stuck(self) -> bool:
        """Whether chains hold different codes and next to no neuron changes its own: each keeps those of its start."""
        return self.coded_apart and self.code_changes < _STUCK

    @property
    def coded_apart(self) -> bool:
        """Whether chains disagree about the codes, and codes are what most neurons have."""
        return bool(self.codes) and self.coded >= _MOST and not self.chains_share_codes

    def to_json(self, class_names: Sequence[str]) -> dict[str, Any]:
        """Plain values; NaN where a number does not exist."""
        return {
            "scheme": {
                "label": self.scheme.label,
                "probability": self.scheme.probability,
                "probabilities": dict(self.scheme.probabilities),
                "scores": self.scheme.scores,
                "unlike": self.scheme.unlike,
                "evidence": asdict(self.scheme.evidence),
            },
            "codes": [asdict(code) for code in self.codes],
            "codes_left_out": self.codes_left_out,
            "coded": self.coded,
            "code_sizes": self.code_sizes.tolist(),
            "decided": self.decided,
            "code_rhat": self.code_rhat,
            "outlier_rhat": self.outlier_rhat,
            "outliers": [
                {
                    "class": class_names[each.class_index],
                    "norm": each.norm,
                    "strength": each.strength,
                    "chain": each.chain,
                }
                for each in self.outliers
            ],
            "outlier_share": self.outlier_share,
            "effective_neurons": self.effective_neurons,
            "kernel": self.kernels.to_json(),
            "abstraction": {
                **{name: getattr(self.abstraction.scores, name) for name in SCORES},
                "spread": self.abstraction.spread,
            },
            "collapse": asdict(self.collapse),
            "drift": None if self.drift is None else asdict(self.drift),
        }


def summarize_layer(
    neurons: ClassMeans,
    bounds: Bounds,
    activity: Float[np.ndarray, "chain N P"],
    kernels: Kernels,
    abstraction: LayerAbstraction,
    collapse: Collapse,
    trajectory: Trajectory | None,
    index: int,
    *,
    readout_known: bool = True,
) -> Layer:
    """From the neurons of one layer to its codes, scheme and outliers.

    Args:
        neurons: (chain, draw), the last draw of each chain among them as its last.
        bounds: of the activation.
        activity: of the chains' last draws.
        trajectory: networks along a local dynamics; None leaves drift unmeasured.
        index: of the layer, in `trajectory`.
        readout_known: see `classify`.
    """
    codes = find_codes(neurons, bounds)
    shares = code_shares(codes)
    last = [neurons[chain, -1] for chain in range(len(activity))]
    outliers = [find_outliers(each) for each in last]
    return Layer(
        scheme=classify(neurons, bounds, readout_known=readout_known),
        codes=shares,
        coded=float(np.mean(codes.assignment >= 0)),
        code_sizes=codes.code_sizes,
        decided=codes.decided,
        code_rhat=code_rhat(code_counts(codes)),
        outlier_rhat=outlier_rhat(neurons, max(found.count for found in outliers)),
        code_changes=drift(codes.assignment).probability,
        outliers=_strongest_first(outliers),
        outlier_share=float(np.mean([found.share for found in outliers])),
        effective_neurons=float(np.mean([found.participation for found in outliers])),
        kernels=kernels,
        abstraction=abstraction,
        collapse=collapse,
        drift=None if trajectory is None else layer_drift(trajectory, index, codes),
        portraits=tuple(
            _portrait(shown, each, found, codes) for shown, each, found in zip(activity, last, outliers, strict=True)
        ),
        codes_left_out=len(codes.names) - len(shares),
    )


def code_shares(codes: Codes) -> tuple[CodeShare, ...]:
    """Share of the neurons in each code, over draws and chains.

    Listed are the 256 most frequent codes, and all that at least one neuron has on average: with many classes there may
    be more distinct codes than memory holds for every draw.
    """
    listed = min(len(codes.names), max(MOST_RARE_CODES, codes.common))
    held = np.where(codes.assignment < listed, codes.assignment, -1)
    shares = occupancies(held, listed) / codes.assignment.shape[-1]
    low, high = np.quantile(shares, [0.025, 0.975], axis=(0, 1))
    return tuple(
        CodeShare(
            code=name,
            fraction=float(shares[..., index].mean()),
            interval=(float(low[index]), float(high[index])),
            by_chain=tuple(float(share) for share in shares[..., index].mean(axis=1)),
        )
        for index, name in enumerate(codes.names[:listed])
    )


def code_rhat(occupancy: Int[np.ndarray, "chain draw K"]) -> float:
    """Largest R-hat of the numbers of `code_counts`; infinite where one never changes but chains differ. What no chain
    has one neuron of on average is left out: no chain is long enough for it."""
    held = occupancy.mean(axis=1).max(axis=0, initial=0) >= 1
    return worst_rhat(occupancy[..., held].astype(float))


def outlier_rhat(neurons: ClassMeans, count: int) -> float:
    """Largest R-hat of the norms of the `count` neurons with the largest ones, by rank.

    Args:
        neurons: (chain, draw).
    """
    return worst_rhat(np.sort(neurons.norm, axis=-1)[..., neurons.size - count :])


def _portrait(activity: Float[np.ndarray, "N P"], neurons: ClassMeans, found: Outliers, codes: Codes) -> Portrait:
    assignment = codes.assign(neurons)
    rank = np.where(assignment >= 0, assignment, len(codes.names))
    rank[found.neurons] = -1
    return Portrait(
        activity=activity,
        class_activity=neurons.activity,
        readout=neurons.readout,
        codes=tuple(np.array([*codes.names, ""])[assignment]),
        output_part=output_parts(neurons),
        outliers=found.neurons,
        order=np.lexsort((-neurons.activity.max(axis=1), neurons.activity.argmax(axis=1), rank)),
    )


def _strongest_first(outliers: Sequence[Outliers]) -> tuple[OutlierNeuron, ...]:
    listed = [
        OutlierNeuron(chain, int(neuron), int(label), float(norm), float(strength))
        for chain, found in enumerate(outliers)
        for neuron, label, norm, strength in zip(found.neurons, found.classes, found.norm, found.strength, strict=True)
    ]
    return tuple(sorted(listed, key=lambda each: -each.strength))
