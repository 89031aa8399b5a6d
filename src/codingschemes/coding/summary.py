"""What a run says: codes, scheme, outliers, abstraction, kernels, errors, and whether to trust it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from codingschemes.calls import checked
from codingschemes.coding.collapse import Collapse, collapse_of, mean_collapse
from codingschemes.coding.dynamics import LayerDrift, Trajectory, continued_trajectory, own_trajectory
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

__all__ = ["Summary", "code_rhat", "summarize"]

#: Networks of each chain that abstraction and collapse are scored on: decoders are trained on each.
_SCORED_PER_CHAIN = 2
#: Draws of each chain that lower layers are looked at in: deep runs need no more memory than shallow ones.
_LOWER_DRAWS = 50


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
        factor_names: of the task, in the order of the abstraction scores by factor; empty where it has no factors.
        levels: whether the task is a regression, in which levels of the target stand in for classes.

    Example:
        >>> summary.scheme.label in ('analog', 'redundant', 'sparse', 'undecided')
        True
        >>> summary.to_dataframe().index.name, dict(summary.to_xarray()['kernel'].sizes)
        ('layer', {'layer': 1, 'class': 3, 'other_class': 3})
    """

    layers: tuple[Layer, ...]
    jumps: float | None
    energy: Estimate
    training: Predictions
    test: Predictions | None
    class_names: tuple[str, ...]
    diagnostics: Diagnostics
    layer_name: str = "layer"
    factor_names: tuple[str, ...] = ()
    levels: bool = False

    def __repr__(self) -> str:
        layers = f"{len(self.layers)} {self.layer_name}s, " if len(self.layers) > 1 else ""
        return f"Summary({layers}{self.scheme.words}, trusted: {self.diagnostics.trust})"

    def to_dataframe(self) -> pd.DataFrame:
        """One row a layer, first to last: the numbers of `Layer` that are single ones, and its neural collapse."""
        return pd.DataFrame(
            {
                "scheme": layer.scheme.label,
                "probability": layer.scheme.probability,
                "coded": layer.coded,
                "decided": layer.decided,
                "codes": layer.code_count,
                "code_rhat": layer.code_rhat,
                "effective_neurons": layer.effective_neurons,
                "outliers": len(layer.outliers) / len(layer.portraits),
                "outlier_share": layer.outlier_share,
                **asdict(layer.collapse),
            }
            for layer in self.layers
        ).rename_axis(self.layer_name)

    def to_xarray(self) -> xr.Dataset:
        """What `to_dataframe` has, by layer; mean kernels within and between classes, (layer, class, class); and the
        mean predictor, (training sample, output)."""
        kernels = np.stack([layer.kernels.between for layer in self.layers])
        arrays = {
            "kernel": ((self.layer_name, "class", "other_class"), kernels),
            "outputs": (("training_sample", "output"), self.training.outputs),
        }
        names = {"class": list(self.class_names), "other_class": list(self.class_names)}
        return self.to_dataframe().to_xarray().merge(xr.Dataset(arrays, names))

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.to_dataframe().to_html(float_format='{:.3g}'.format)}"

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
    def code_count(self) -> int:
        """See `Layer`."""
        return self.last.code_count

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
        """See `Layer`."""
        return self.last.chains_share_codes

    @property
    def codes_stuck(self) -> bool:
        """See `Layer`."""
        return self.last.codes_stuck

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of the diagnostics, and of chains that disagree about codes or outliers, which end the list."""
        return (*self.diagnostics.warnings, *(self._apart(number) for number in self.diagnostics.neurons_apart))

    def _apart(self, number: int) -> str:
        """In what chains differ in a layer, and what that means."""
        layer = self.layers[number - 1]
        of_layer = "" if len(self.layers) == 1 else f" of {self.layer_name} {number}"
        if layer.codes_stuck:
            return (
                f"the chains are stuck in the codes of their starts: shares of codes{of_layer} are those of the "
                "starts, not of the posterior"
            )
        if layer.coded_apart:
            return (
                f"neurons change codes, but too slowly for the chains to agree on the shares{of_layer}: raise `draws`"
            )
        what, rhat = max(
            ("numbers of neurons in a code", layer.code_rhat), ("norms of outliers", layer.outlier_rhat),
            key=lambda each: np.nan_to_num(each[1], posinf=np.inf),
        )  # fmt: skip
        return f"chains differ in the {what}{of_layer} (R-hat {rhat:.2f}): raise `warmup` and `draws`"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; NaN where a number does not exist."""
        found, names = self.diagnostics, self.class_names
        layers = [layer.to_json(names) for layer in self.layers]
        return {
            **layers[-1],
            "classes": list(names),
            "levels": self.levels,
            "layers": layers,
            "code_changes": self.code_changes,
            "jumps": self.jumps,
            "abstraction": {
                **asdict(self.abstraction),
                "factors": list(self.factor_names),
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
                "neuron_rhat": list(found.neuron_rhat),
                "converged": found.converged,
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
            sampler is one (`Kernel.integration_time`) are followed in any case.

    Raises:
        InvalidInput: the run holds no draws.

    Example:
        >>> summary = cs.summarize(run)
        >>> summary.class_names, len(summary.layers)
        (('0', '1', '2'), 1)
    """
    network = run.posterior.network
    bounds = network.activation.bounds
    neurons = read_neurons(run)
    populations = [neurons.populations]
    if network.depth > 1:
        announce("reading lower layers")
        populations = [*read_layers(run, spread_draws(run, _LOWER_DRAWS))[:-1], neurons.populations]
    activity, _ = next(activity_chunks(run, slice(-1, None)))
    kernels, scores, trajectory = _kernels(run, neurons.kernels), _scores(run), _trajectory(run, asked=drift)
    layers = tuple(
        summarize_layer(each, bounds, activity[:, -1, index], kernels[index], *scores[index], trajectory, index)
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
        diagnostics=_with_neurons(diagnose(run), tuple(layer.neuron_rhat for layer in layers)),
        layer_name=network.layer_name,
        factor_names=run.posterior.task.factor_names,
        levels=run.posterior.task.levels,
    )


def _with_neurons(found: Diagnostics, neuron_rhat: tuple[float, ...]) -> Diagnostics:
    """With what the neurons of each layer say. Chains in different codes show physics; chains that disagree although
    their codes and outliers do not is a warning."""
    found = replace(found, neuron_rhat=neuron_rhat)
    if found.neurons_apart or not found.convergence.chains_differ:
        return found
    warning = (
        f"chains disagree with each other (R-hat {found.convergence.rhat_max:.2f}) though each has settled and all "
        "hold the same codes: raise `warmup` and `draws`"
    )
    return replace(found, warnings=(*found.warnings, warning))


def _trajectory(run: Run, *, asked: bool) -> Trajectory | None:
    return own_trajectory(run) or (continued_trajectory(run) if asked else None)


def _jumps(run: Run) -> float | None:
    switches = run.values("sample_stats", "switches")
    network = run.posterior.network
    return float(switches.mean()) / network.width if run.kernel.jumps(network) else None


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
