"""What a run says: codes, scheme, outliers, abstraction, kernels, errors, and whether to trust it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from codingschemes.calls import checked
from codingschemes.coding.collapse import Collapse, collapse_of, mean_collapse
from codingschemes.coding.dynamics import LayerDrift, Trajectory, continued_trajectory, local_dynamics, own_trajectory
from codingschemes.coding.layers import (
    CodeShare,
    Kernels,
    Layer,
    LayerAbstraction,
    OutlierNeuron,
    Portrait,
    code_rhat,
    summarize_layer,
)
from codingschemes.coding.neurons import activity_chunks, read_layers, read_neurons, spread_draws
from codingschemes.coding.predictions import Estimate, Predictions, test_predictions, training_predictions
from codingschemes.coding.scheme import Scheme
from codingschemes.diagnostics import Diagnostics, diagnose, mean_and_error
from codingschemes.progress import announce, tracked
from codingschemes.representation import AbstractionScores, abstraction_scores, average_scores
from codingschemes.runs import Run

__all__ = ["SAME_CODES", "Summary", "code_rhat", "summarize"]

#: A chain is stuck in its codes where fewer than this share of its neurons change code in a draw.
_STUCK = 1e-3
#: Shares of codes are worth a warning where at least this share of the neurons has one: a few ReLU neurons always do.
_MOST = 0.5
#: Networks of each chain that abstraction and collapse are scored on: decoders are trained on each.
_SCORED_PER_CHAIN = 2
#: Draws of each chain that lower layers are looked at in: deep runs need no more memory than shallow ones.
_LOWER_DRAWS = 50
#: Chains whose code occupancies have a smaller R-hat hold the same codes in the same shares.
SAME_CODES = 1.1


@dataclass(frozen=True)
class Summary:
    """The answers of one run. What has no layer in its name is about the last one.

    Attributes:
        layers: one a hidden layer (time step of a recurrent network).
        jumps: accepted jumps between codes per neuron and draw; None for samplers that propose none.
        energy: of the regularised loss.
        training, test: predictions; `test` is None for tasks without a test set.
        class_names: in label order.
        diagnostics: can it be trusted?
        layer_name: what a layer is: "layer", or "time step" of a recurrent network.
    """

    layers: tuple[Layer, ...]
    jumps: float | None
    energy: Estimate
    training: Predictions
    test: Predictions | None
    class_names: tuple[str, ...]
    diagnostics: Diagnostics
    layer_name: str = "layer"

    @property
    def last(self) -> Layer:
        """The last hidden layer."""
        return self.layers[-1]

    @property
    def scheme(self) -> Scheme:
        """See `Layer`."""
        return self.last.scheme

    @property
    def codes(self) -> tuple[CodeShare, ...]:
        """See `Layer`."""
        return self.last.codes

    @property
    def coded(self) -> float:
        """See `Layer`."""
        return self.last.coded

    @property
    def code_rhat(self) -> float:
        """See `Layer`."""
        return self.last.code_rhat

    @property
    def code_changes(self) -> float:
        """See `Layer`."""
        return self.last.code_changes

    @property
    def drift(self) -> LayerDrift | None:
        """See `Layer`."""
        return self.last.drift

    @property
    def outliers(self) -> tuple[OutlierNeuron, ...]:
        """See `Layer`."""
        return self.last.outliers

    @property
    def outlier_share(self) -> float:
        """See `Layer`."""
        return self.last.outlier_share

    @property
    def portraits(self) -> tuple[Portrait, ...]:
        """See `Layer`."""
        return self.last.portraits

    @property
    def portrait_names(self) -> tuple[str, ...]:
        """What each portrait is of."""
        return tuple(f"chain {chain}" for chain in range(len(self.portraits)))

    @property
    def abstraction_by_layer(self) -> tuple[LayerAbstraction, ...]:
        """One a layer."""
        return tuple(layer.abstraction for layer in self.layers)

    @property
    def kernels(self) -> tuple[Kernels, ...]:
        """One a layer."""
        return tuple(layer.kernels for layer in self.layers)

    @property
    def abstraction(self) -> AbstractionScores:
        """Scores of the last hidden layer."""
        return self.last.abstraction.scores

    @property
    def abstraction_spread(self) -> dict[str, float]:
        """Standard deviation of each of them over draws."""
        return self.last.abstraction.spread

    @property
    def chains_share_codes(self) -> bool:
        """Whether all chains hold the same codes in the same shares."""
        return self.code_rhat < SAME_CODES

    @property
    def codes_stuck(self) -> bool:
        """Whether chains hold different codes and next to no neuron changes its own: each keeps those of its start."""
        return self._coded_apart and self.code_changes < _STUCK

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
        found, names = self.diagnostics, self.class_names
        layers = [layer.to_json(names) for layer in self.layers]
        return {
            **layers[-1],
            "classes": list(names),
            "layers": layers,
            "code_changes": self.code_changes,
            "jumps": self.jumps,
            "abstraction": {
                **asdict(self.abstraction),
                "spread": self.abstraction_spread,
                "layers": [layer["abstraction"] for layer in layers],
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
            "training": self.training.to_json(),
            "test": None if self.test is None else self.test.to_json(),
        }


@checked
def summarize(run: Run, *, drift: bool = False) -> Summary:
    """Single-neuron posteriors -> codes, scheme, abstraction scores, kernels, predictions, diagnostics.

    Args:
        run: the run.
        drift: follow the networks along a local dynamics, which takes seconds to minutes; the draws of a run whose own
            sampler is local (`hmc`, `langevin`, `mala`, `nuts`) are such a dynamics already.

    Raises:
        InvalidInput: the run holds no draws.
    """
    network = run.posterior.network
    family = network.activation.family
    neurons = read_neurons(run)
    populations = [neurons.populations]
    if network.depth > 1:
        announce("reading lower layers")
        populations = [*read_layers(run, spread_draws(run, _LOWER_DRAWS))[:-1], neurons.populations]
    activity, _ = next(activity_chunks(run, slice(-1, None)))
    kernels, scores, trajectory = _kernels(run, neurons.kernels), _scores(run), _trajectory(run, asked=drift)
    layers = tuple(
        summarize_layer(each, family, activity[:, -1, index], kernels[index], *scores[index], trajectory, index)
        for index, each in enumerate(tracked(populations, "looking for codes and outliers"))
    )
    energy, energy_error = mean_and_error(run.values("posterior", "energy"))
    return Summary(
        layers=layers,
        jumps=_jumps(run),
        energy=Estimate(float(energy), float(energy_error)),
        training=training_predictions(run),
        test=test_predictions(run),
        class_names=run.posterior.task.class_names,
        diagnostics=_with_disagreement(diagnose(run), same_codes=layers[-1].code_rhat < SAME_CODES),
        layer_name=network.layer_name,
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


def _trajectory(run: Run, *, asked: bool) -> Trajectory | None:
    if local_dynamics(run) and run.draw_count > 1:
        return own_trajectory(run)
    return continued_trajectory(run) if asked else None


def _jumps(run: Run) -> float | None:
    switches = run.values("sample_stats", "switches")
    proposed = run.config["sampling"]["sampler"] == "codes" and run.posterior.network.activation.bounded
    return float(switches.mean()) / run.posterior.network.width if proposed or switches.any() else None


def _scores(run: Run) -> list[tuple[LayerAbstraction, Collapse]]:
    """Abstraction and collapse of every layer, from a few networks of each chain."""
    task = run.posterior.task
    kept = spread_draws(run, _SCORED_PER_CHAIN)
    count = len(range(run.draw_count)[kept]) * run.config["sampling"]["chains"]
    scored = []
    for activity, readout in tracked(_networks(run, kept), "scoring abstraction and collapse", count):
        readouts = [None] * (len(activity) - 1) + [readout if task.one_hot else None]
        scored.append(
            [
                (
                    abstraction_scores(layer.T, task.labels, task.factors),
                    collapse_of(layer, task.labels, own),
                )
                for layer, own in zip(activity, readouts, strict=True)
            ]
        )
    by_layer = [zip(*layer, strict=True) for layer in zip(*scored, strict=True)]
    return [(LayerAbstraction(*average_scores(scores)), mean_collapse(collapses)) for scores, collapses in by_layer]


def _networks(run: Run, kept: slice) -> Iterable[tuple[Float[np.ndarray, "L N P"], Float[np.ndarray, "N C"]]]:
    """Activities and readouts of single networks."""
    for activity, readout in activity_chunks(run, kept):
        for draw in np.ndindex(*readout.shape[:2]):
            yield activity[draw].astype(float), readout[draw].astype(float)


def _kernels(run: Run, full: Float[np.ndarray, "L P P"]) -> tuple[Kernels, ...]:
    blocks, errors = mean_and_error(run.values("posterior", "kernel_block"))
    diagonals, _ = mean_and_error(run.values("posterior", "kernel_diagonal"))
    return tuple(
        Kernels(kernel, np.diag(block), block, error, diagonal)
        for kernel, block, error, diagonal in zip(full, blocks, errors, diagonals, strict=True)
    )
