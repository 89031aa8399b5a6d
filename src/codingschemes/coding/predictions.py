"""What the sampled networks say about inputs, seen in training or not."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.stats import binomtest, norm

from codingschemes.coding.neurons import spread_draws
from codingschemes.diagnostics import mean_and_error
from codingschemes.posterior import Posterior
from codingschemes.progress import announce
from codingschemes.runs import Run
from codingschemes.tasks import Task
from codingschemes.tasks.classification import classification_error, tells_classes

_NETWORKS_PER_CHAIN = 25
_ONE_STANDARD_ERROR = float(norm.cdf(1) - norm.cdf(-1))
_NINETY_PERCENT = float(norm.ppf(0.95))
"""Standard deviations to either side."""


@dataclass(frozen=True)
class Estimate:
    """A posterior mean and its Monte Carlo standard error (NaN where there are too few draws to tell)."""

    mean: float
    mcse: float


@dataclass(frozen=True)
class Predictions:
    """What the network says about inputs it was or was not trained on.

    The loss of a single network is the sum of two parts, exactly: `bias`, of the mean predictor, and `variance`. Over M
    networks that are independent, `bias` is larger than that of the posterior by variance / M on average.

    The predictive density of a target is N(mean output, spread^2 + T), output by output: exact for a Gaussian process.
    The mixture of N(f, T) over sampled networks is not taken: where T is far below spread^2 it is that of the one
    network nearest to the target, and measures how many there are. Scores of the first two moments are proper, too
    (Dawid & Sebastiani 1999).

    Attributes:
        outputs: posterior mean output, (sample, output).
        spread: posterior standard deviation of the output, (sample, output).
        error: share of samples whose mean output is nearest to a target that is not their class's; NaN where all
            classes share one target and there is nothing to tell apart, and where targets differ within a class.
        r2: 1 - sum (Y - mean output)^2 / sum (Y - mean Y)^2 over samples and outputs; NaN for constant targets.
        loss: mean squared error of a single network, over samples and outputs.
        log_score: mean log predictive density of a sample's targets, all outputs together, in nats; NaN where a
            predictive variance is zero.
        coverage: share of targets within the central 90 % interval of their predictive density.
        networks: how many were sampled, M; 0 where the moments are known.
        error_mcse: standard error of `error` over the mean predictors of single chains; NaN for one chain, and where
            nothing was sampled.
    """

    outputs: Float[np.ndarray, "P C"]
    spread: Float[np.ndarray, "P C"]
    error: float
    r2: float
    loss: Estimate
    log_score: float = float("nan")
    coverage: float = float("nan")
    error_mcse: float = float("nan")
    networks: int = 0

    @property
    def variance(self) -> float:
        """Mean of spread^2 over samples and outputs: the part of the loss of single networks that averages out."""
        return float(np.mean(self.spread**2))

    @property
    def bias(self) -> float:
        """Mean squared error of the mean predictor, over samples and outputs: the loss without the variance."""
        return self.loss.mean - self.variance

    @property
    def classified(self) -> bool:
        """Whether there is an error of classification: each class has a target, and not all the same."""
        return bool(np.isfinite(self.error))

    @property
    def error_se(self) -> float:
        """Half the width of Wilson's 68.3 % interval (one standard error) of `error`: of inputs drawn anew, networks as
        they are. About sqrt(e (1 - e) / samples), but not zero where no input is wrong; NaN without an error."""
        if not self.classified:
            return float("nan")
        samples = len(self.outputs)
        interval = binomtest(round(self.error * samples), samples).proportion_ci(_ONE_STANDARD_ERROR, method="wilson")
        return float(interval.high - interval.low) / 2

    def words(self, *, held_out: bool = False) -> str:
        """`error 2.3%, R^2 0.93, loss 0.021`, with the binomial error of held-out inputs; where there is no error of
        classification, why."""
        fit = f"R^2 {self.r2:.3g}, loss {self.loss.mean:.3g}"
        if not self.classified:
            return f"{fit}; no error of classification, as no class has a target of its own"
        sampled = f" +- {self.error_se:.1%} (binomial, of {len(self.outputs)})" if held_out else ""
        return f"error {self.error:.1%}{sampled}, {fit}"

    def to_json(self) -> dict[str, Any]:
        """Plain values; NaN where a number does not exist."""
        return {
            "error": self.error,
            "error_se": self.error_se,
            "classified": self.classified,
            "r2": self.r2,
            "error_mcse": self.error_mcse,
            "loss": asdict(self.loss),
            "bias": self.bias,
            "variance": self.variance,
            "log_score": self.log_score,
            "coverage": self.coverage,
            "samples": len(self.outputs),
        }


def training_predictions(run: Run) -> Predictions:
    """Outputs at the training inputs, as recorded."""
    return _predictions(run.values("posterior", "outputs"), run.posterior, test=False)


def test_predictions(run: Run) -> Predictions | None:
    """Outputs at the test inputs, from exact draws of the weights given the stored neurons; None without test inputs.

    About 25 networks of each chain are taken: neighbouring draws resemble each other.
    """
    task = run.posterior.task
    if len(task.test_inputs) == 0:
        return None
    announce("predicting test inputs from draws of the weights")
    group = run.data["neurons"].dataset.isel(draw=spread_draws(run, _NETWORKS_PER_CHAIN))
    preactivations, readouts = group["preactivation"].values, group["readout"].values
    chains, draws = preactivations.shape[:2]
    keys = jax.random.split(jax.random.PRNGKey(run.config["sampling"]["seed"]), chains * draws)
    posterior, inputs = run.posterior, jnp.asarray(task.test_inputs)

    def outputs_of(draw: tuple[Array, Float[Array, "L N P"], Float[Array, "N C"]]) -> Float[Array, "Q C"]:
        return posterior.network.apply(posterior.draw_weights(*draw), inputs)[1]

    flat = [jnp.asarray(values.reshape(chains * draws, *values.shape[2:])) for values in (preactivations, readouts)]
    outputs = np.asarray(jax.jit(lambda *stacked: jax.lax.map(outputs_of, stacked))(keys, *flat))
    outputs = outputs.reshape(chains, draws, *outputs.shape[1:])
    return _predictions(outputs, posterior, test=True)


def score(
    mean: Float[np.ndarray, "P C"],
    variance: Float[np.ndarray, "P C"],
    task: Task,
    noise: float,
    *,
    test: bool,
    loss: Estimate | None = None,
) -> Predictions:
    """A predictor set beside the targets.

    Args:
        mean, variance: of its outputs, (sample, output).
        task: whose targets.
        noise: variance of a target about the output, the temperature; with a variance of zero everywhere and no noise
            there is no predictive density.
        test: whether the samples are those of the test set.
        loss: of single networks, where these were sampled; else it follows from mean and variance.
    """
    targets, labels = (task.test_targets, task.test_labels) if test else (task.targets, task.labels)
    classified = bool(tells_classes(task.targets, task.labels, task.class_targets))
    variation = float(np.sum((targets - targets.mean(axis=0)) ** 2))
    bias = float(np.mean((targets - mean) ** 2))
    width = np.sqrt(variance + noise)
    stated = bool(np.all(width > 0))
    return Predictions(
        outputs=mean,
        spread=np.sqrt(variance),
        error=_error(mean, labels, task) if classified else float("nan"),
        r2=1 - float(np.sum((mean - targets) ** 2)) / variation if variation else float("nan"),
        loss=Estimate(bias + float(np.mean(variance)), 0.0) if loss is None else loss,
        log_score=float(norm.logpdf(targets, mean, width).sum(axis=1).mean()) if stated else float("nan"),
        coverage=float(np.mean(np.abs(targets - mean) <= _NINETY_PERCENT * width)) if stated else float("nan"),
    )


def _error(outputs: Float[np.ndarray, "P C"], labels: Int[np.ndarray, " P"], task: Task) -> float:
    """A share of the samples, in the precision of the process."""
    share = float(classification_error(outputs, labels, task.class_targets))
    return round(share * len(labels)) / len(labels) if np.isfinite(share) else share


def _predictions(outputs: Float[np.ndarray, "chain draw P C"], posterior: Posterior, *, test: bool) -> Predictions:
    task = posterior.task
    targets, labels = (task.test_targets, task.test_labels) if test else (task.targets, task.labels)
    loss, loss_mcse = mean_and_error(((outputs - targets) ** 2).mean(axis=(2, 3)))
    by_chain = [_error(each, labels, task) for each in outputs.mean(axis=1)]
    apart = float(np.std(by_chain, ddof=1)) / len(by_chain) ** 0.5 if len(by_chain) > 1 else float("nan")
    moments = outputs.mean(axis=(0, 1)), outputs.var(axis=(0, 1))
    found = score(*moments, task, posterior.prior.temperature, test=test, loss=Estimate(float(loss), float(loss_mcse)))
    networks = outputs.shape[0] * outputs.shape[1]
    return replace(found, error_mcse=apart if found.classified else float("nan"), networks=networks)
