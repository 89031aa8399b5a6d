"""What a run says: codes, scheme, outliers, abstraction, kernels, errors, and whether to trust it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from codingschemes.calls import checked
from codingschemes.coding.codes import Codes, drift, find_codes, occupancies
from codingschemes.coding.neurons import activity_chunks, read_neurons, spread_draws
from codingschemes.coding.outliers import Outliers, find_outliers, output_parts
from codingschemes.coding.population import Population
from codingschemes.coding.predictions import Estimate, Predictions, test_predictions, training_predictions
from codingschemes.coding.scheme import Scheme, classify
from codingschemes.convergence import moving
from codingschemes.diagnostics import Diagnostics, diagnose, mean_and_error, rhat
from codingschemes.progress import announce, tracked
from codingschemes.representation import SCORES, AbstractionScores, abstraction_scores, average_scores
from codingschemes.runs import Run

#: A chain is stuck in its codes where fewer than this share of its neurons change code in a draw.
_STUCK = 1e-3
#: Shares of codes are worth a warning where at least this share of the neurons has one: a few ReLU neurons always do.
_MOST = 0.5
#: Networks of each chain that abstraction is scored on: decoders are trained on each.
_SCORED_PER_CHAIN = 2
#: Chains whose code occupancies have a smaller R-hat hold the same codes in the same shares.
SAME_CODES = 1.1


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
    """The last hidden layer in the last draw of one chain, for figures.

    Attributes:
        activity: (neuron, sample).
        class_activity: class means, (neuron, class).
        readout: (neuron, output).
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
class Summary:
    """The answers of one run.

    Attributes:
        scheme: analog, redundant, sparse or undecided, with probability and evidence.
        codes: codes of the last hidden layer, the most frequent first.
        coded: share of neurons with a decided code.
        drift: probability that a neuron changes code from one stored draw to the next.
        outliers: outlier neurons of the chains' last draws, the strongest first.
        outlier_share: share of the class-specific output that they carry, mean over chains.
        abstraction_by_layer: one a layer.
        kernels: one a layer.
        energy: of the regularised loss.
        training, test: predictions; `test` is None for tasks without a test set.
        code_rhat: largest R-hat of the code occupancies (infinite for chains frozen in different codes).
        portraits: one a chain.
        class_names: in label order.
        diagnostics: can it be trusted?
        layer_name: what a layer is: "layer", or "time step" of a recurrent network.
    """

    scheme: Scheme
    codes: tuple[CodeShare, ...]
    coded: float
    drift: float
    outliers: tuple[OutlierNeuron, ...]
    outlier_share: float
    abstraction_by_layer: tuple[LayerAbstraction, ...]
    kernels: tuple[Kernels, ...]
    energy: Estimate
    training: Predictions
    test: Predictions | None
    code_rhat: float
    portraits: tuple[Portrait, ...]
    class_names: tuple[str, ...]
    diagnostics: Diagnostics
    layer_name: str = "layer"

    @property
    def abstraction(self) -> AbstractionScores:
        """Scores of the last hidden layer."""
        return self.abstraction_by_layer[-1].scores

    @property
    def abstraction_spread(self) -> dict[str, float]:
        """Standard deviation of each of them over draws."""
        return self.abstraction_by_layer[-1].spread

    @property
    def chains_share_codes(self) -> bool:
        """Whether all chains hold the same codes in the same shares."""
        return self.code_rhat < SAME_CODES

    @property
    def codes_stuck(self) -> bool:
        """Whether chains hold different codes and next to no neuron changes its own: each keeps those of its start."""
        return self._coded_apart and self.drift < _STUCK

    @property
    def _coded_apart(self) -> bool:
        """Whether chains disagree about the codes, and codes are what most neurons have."""
        return bool(self.codes) and self.coded >= _MOST and not self.chains_share_codes

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of the diagnostics, and of chains that disagree about the codes, which ends the list."""
        if not self._coded_apart:
            return self.diagnostics.warnings
        apart = (
            "the chains are stuck in the codes of their starts: shares of codes are those of the starts, not of the "
            "posterior"
            if self.codes_stuck
            else "neurons change codes, but too slowly for the chains to agree on the shares: raise `draws`"
        )
        return (*self.diagnostics.warnings, apart)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; NaN where a number does not exist."""
        found, last = self.diagnostics, self.kernels[-1]
        names = self.class_names
        return {
            "scheme": {
                "label": self.scheme.label,
                "probability": self.scheme.probability,
                "probabilities": dict(self.scheme.probabilities),
                "scores": self.scheme.scores,
                "evidence": asdict(self.scheme.evidence),
            },
            "classes": list(names),
            "codes": [asdict(code) for code in self.codes],
            "coded": self.coded,
            "drift": self.drift,
            "outliers": [
                {"class": names[each.class_index], "norm": each.norm, "strength": each.strength, "chain": each.chain}
                for each in self.outliers
            ],
            "outlier_share": self.outlier_share,
            "abstraction": {
                **asdict(self.abstraction),
                "spread": self.abstraction_spread,
                "layers": [
                    {**{name: getattr(layer.scores, name) for name in SCORES}, "spread": layer.spread}
                    for layer in self.abstraction_by_layer
                ],
            },
            "diagnostics": {
                "rhat_max": found.convergence.rhat_max,
                "ess_min": found.convergence.ess_min,
                "rhat_within": found.convergence.rhat_within,
                "ess_within": found.convergence.ess_within,
                "code_rhat": self.code_rhat,
                "chains_share_codes": self.chains_share_codes,
                "codes_stuck": self.codes_stuck,
                "converged": found.convergence.converged,
                "divergences": found.divergences,
                "gradients_per_draw": found.gradients_per_draw,
                "waste": found.waste,
                "saturated": found.saturated,
                "acceptance_rate": found.acceptance_rate,
                "virial": {"mean": found.identities.virial, "mcse": found.identities.virial_mcse, "exact": 1.0},
                "gradient_z": found.identities.gradient_z,
                "stuck_chains": list(found.faults.stuck),
                "far_chains": list(found.faults.far),
                "collapsed_steps": list(found.faults.collapsed),
                "rejecting_chains": list(found.faults.rejecting),
                "trust": found.trust,
                "warnings": list(self.warnings),
            },
            "energy": asdict(self.energy),
            "outputs": self.training.outputs.tolist(),
            "kernel": {
                "within": last.within.tolist(),
                "between": last.between.tolist(),
                "between_mcse": last.between_mcse.tolist(),
                "diagonal": last.diagonal.tolist(),
            },
            "training": {"error": self.training.error, "loss": asdict(self.training.loss)},
            "test": None if self.test is None else {"error": self.test.error, "loss": asdict(self.test.loss)},
        }


@checked
def summarize(run: Run) -> Summary:
    """Single-neuron posteriors -> codes, scheme, abstraction scores, kernels, predictions, diagnostics.

    Raises:
        InvalidInput: the run holds no draws.
    """
    family = run.posterior.network.activation.family
    neurons = read_neurons(run)
    announce("looking for codes and outliers")
    codes = find_codes(neurons.populations, family)
    activity, _ = next(activity_chunks(run, slice(-1, None)))
    last = [neurons.populations[chain, -1] for chain in range(len(activity))]
    outliers = [find_outliers(each) for each in last]
    energy, energy_error = mean_and_error(run.values("posterior", "energy"))
    share_rhat = code_rhat(occupancies(codes.assignment, len(codes.names)))
    return Summary(
        scheme=classify(neurons.populations, family),
        codes=_code_shares(codes),
        coded=float(np.mean(codes.assignment >= 0)),
        drift=drift(codes.assignment).probability,
        outliers=_strongest_first(outliers),
        outlier_share=float(np.mean([found.share for found in outliers])),
        abstraction_by_layer=_abstraction(run),
        kernels=_kernels(run, neurons.kernels),
        energy=Estimate(float(energy), float(energy_error)),
        training=training_predictions(run),
        test=test_predictions(run),
        code_rhat=share_rhat,
        portraits=tuple(
            _portrait(shown, each, found, codes)
            for shown, each, found in zip(activity[:, -1, -1], last, outliers, strict=True)
        ),
        class_names=run.posterior.task.class_names,
        diagnostics=_with_disagreement(diagnose(run), same_codes=share_rhat < SAME_CODES),
        layer_name=run.posterior.network.layer_name,
    )


def _with_disagreement(found: Diagnostics, *, same_codes: bool) -> Diagnostics:
    """Chains in different codes show physics; chains that disagree although their codes do not is a warning."""
    if not (same_codes and found.convergence.chains_differ):
        return found
    warning = (
        f"chains disagree with each other (R-hat {found.convergence.rhat_max:.2f}) though each has settled and all "
        "hold the same codes: raise `warmup` and `draws`"
    )
    return replace(found, warnings=(*found.warnings, warning))


def _code_shares(codes: Codes) -> tuple[CodeShare, ...]:
    shares = occupancies(codes.assignment, len(codes.names)) / codes.assignment.shape[-1]
    low, high = np.quantile(shares, [0.025, 0.975], axis=(0, 1))
    return tuple(
        CodeShare(
            code=name,
            fraction=float(shares[..., index].mean()),
            interval=(float(low[index]), float(high[index])),
            by_chain=tuple(float(share) for share in shares[..., index].mean(axis=1)),
        )
        for index, name in enumerate(codes.names)
    )


def code_rhat(occupancy: Int[np.ndarray, "chain draw K"]) -> float:
    """Largest R-hat of the number of neurons in each code; infinite where it never changes but chains differ."""
    changing = moving(occupancy.astype(float))
    if changing.shape[2] == 0:
        return 1.0
    frozen = (np.ptp(changing, axis=1) == 0).all(axis=0)
    if frozen.any():
        return float("inf")
    return float(np.max(rhat(changing)))


def _portrait(activity: Float[np.ndarray, "N P"], neurons: Population, found: Outliers, codes: Codes) -> Portrait:
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


def _abstraction(run: Run) -> tuple[LayerAbstraction, ...]:
    task = run.posterior.task
    kept = spread_draws(run, _SCORED_PER_CHAIN)
    networks = (
        network
        for activity, _ in activity_chunks(run, kept)
        for network in activity.astype(float).reshape(-1, *activity.shape[-3:])
    )
    count = len(range(run.draw_count)[kept]) * run.config["sampling"]["chains"]
    scores = [
        [abstraction_scores(layer.T, task.labels, task.factors) for layer in network]
        for network in tracked(networks, "scoring abstraction", count)
    ]
    return tuple(LayerAbstraction(*average_scores(layer)) for layer in zip(*scores, strict=True))


def _kernels(run: Run, full: Float[np.ndarray, "L P P"]) -> tuple[Kernels, ...]:
    blocks, errors = mean_and_error(run.values("posterior", "kernel_block"))
    diagonals, _ = mean_and_error(run.values("posterior", "kernel_diagonal"))
    return tuple(
        Kernels(kernel, np.diag(block), block, error, diagonal)
        for kernel, block, error, diagonal in zip(full, blocks, errors, diagonals, strict=True)
    )
