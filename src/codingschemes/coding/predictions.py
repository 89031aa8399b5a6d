"""What the sampled networks say about inputs, seen in training or not."""

from dataclasses import asdict, dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.stats import binomtest, norm

from codingschemes.coding.neurons import spread_draws
from codingschemes.diagnostics import mean_and_error
from codingschemes.progress import announce
from codingschemes.runs import Run
from codingschemes.tasks import Task
from codingschemes.tasks.classification import classification_error, tells_classes

_NETWORKS_PER_CHAIN = 25
_ONE_STANDARD_ERROR = float(norm.cdf(1) - norm.cdf(-1))


@dataclass(frozen=True)
class Estimate:
    """A posterior mean and its Monte Carlo standard error (NaN where there are too few draws to tell)."""

    mean: float
    mcse: float


@dataclass(frozen=True)
class Predictions:
    """What the network says about inputs it was or was not trained on.

    Attributes:
        outputs: posterior mean output, (sample, output).
        spread: posterior standard deviation of the output, (sample, output).
        error: share of samples whose mean output is nearest to a target that is not their class's; NaN where all
            classes share one target and there is nothing to tell apart, and where targets differ within a class.
        r2: 1 - sum (Y - mean output)^2 / sum (Y - mean Y)^2 over samples and outputs; NaN for constant targets.
        loss: mean squared error of a single network, over samples and outputs.
    """

    outputs: Float[np.ndarray, "P C"]
    spread: Float[np.ndarray, "P C"]
    error: float
    r2: float
    loss: Estimate

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
            "loss": asdict(self.loss),
            "samples": len(self.outputs),
        }


def training_predictions(run: Run) -> Predictions:
    """Outputs at the training inputs, as recorded."""
    task = run.posterior.task
    return _predictions(run.values("posterior", "outputs"), task.targets, task.labels, task)


def test_predictions(run: Run) -> Predictions | None:
    """Outputs at the test inputs, from exact draws of the weights given the stored neurons; None without test inputs.

    At most 25 networks of each chain are taken: neighbouring draws resemble each other.
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
    return _predictions(outputs, task.test_targets, task.test_labels, task)


def _predictions(
    outputs: Float[np.ndarray, "chain draw P C"],
    targets: Float[np.ndarray, "P C"],
    labels: Int[np.ndarray, " P"],
    task: Task,
) -> Predictions:
    mean = outputs.mean(axis=(0, 1))
    loss, error = mean_and_error(((outputs - targets) ** 2).mean(axis=(2, 3)))
    classified = bool(tells_classes(task.targets, task.labels, task.class_targets))
    variation = float(np.sum((targets - targets.mean(axis=0)) ** 2))
    return Predictions(
        outputs=mean,
        spread=outputs.std(axis=(0, 1)),
        error=float(classification_error(mean, labels, task.class_targets)) if classified else float("nan"),
        r2=1 - float(np.sum((mean - targets) ** 2)) / variation if variation else float("nan"),
        loss=Estimate(float(loss), float(error)),
    )
