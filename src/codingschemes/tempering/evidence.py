"""The log evidence of a posterior at every temperature from the prior down to its own."""

import time
from dataclasses import asdict, dataclass
from typing import Any, Unpack

import jax
import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from codingschemes.calls import checked
from codingschemes.posterior import Posterior
from codingschemes.progress import tracked, watched
from codingschemes.tempering.options import Tempering, TemperingOptions
from codingschemes.tempering.sweeps import Stage, frozen_warning, sweep

#: Sweeps that spread this many times wider than their weights imply do so by chance in one of 400 pairs.
_WIDE = 3.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """log p(Y | T) in nats, by independent sweeps along the same temperatures.

    Attributes:
        temperatures: falling to the posterior's own, (stage,).
        curves: log p(Y | T) at each of them, (sweep, stage).
        effective_particles: effective sample size of the weights that led there, (sweep, stage).
        variances: of each sweep's curve as its weights imply it, where particles forget their past at every
            temperature: relative variances of mean weights, summed, (sweep, stage).
        acceptance: mean acceptance probability there, in [0, 1], (sweep, stage).
        gradients: gradient evaluations of all particles and sweeps.
        seconds: wall-clock time, compilation included.
        options: how the sweeps were made.

    Example:
        >>> found = cs.evidence(posterior, particles=8, sweeps=1, sampler="hmc")
        >>> found.log_curve.shape == found.temperatures.shape
        True
    """

    temperatures: Float[np.ndarray, " stage"]
    curves: Float[np.ndarray, "sweep stage"]
    effective_particles: Float[np.ndarray, "sweep stage"]
    variances: Float[np.ndarray, "sweep stage"]
    acceptance: Float[np.ndarray, "sweep stage"]
    gradients: int
    seconds: float
    options: Tempering

    @property
    def estimates(self) -> Float[np.ndarray, " sweep"]:
        """log p(Y) of every sweep."""
        return self.curves[:, -1]

    @property
    def log_curve(self) -> Float[np.ndarray, " stage"]:
        """log of the mean evidence over sweeps: the mean of an evidence is unbiased, that of its log is not."""
        return logsumexp(self.curves, axis=0) - np.log(len(self.curves))

    @property
    def log_evidence(self) -> float:
        """log p(Y) at the posterior's temperature."""
        return float(self.log_curve[-1])

    @property
    def curve_error(self) -> Float[np.ndarray, " stage"]:
        """Standard error of `log_curve`: that of their spread, or what their weights imply where this is larger.

        Two or three sweeps may agree by chance; what the weights imply is then the safer number.
        """
        sweeps = len(self.curves)
        implied = self._weight_errors
        spread = self.curves.std(axis=0, ddof=1) if sweeps > 1 else np.zeros_like(implied)
        return np.maximum(spread, implied) / np.sqrt(sweeps)

    @property
    def standard_error(self) -> float:
        """Standard error of `log_evidence`."""
        return float(self.curve_error[-1])

    @property
    def weight_error(self) -> float:
        """The error of one sweep whose particles forget their past at every temperature.

        From the effective sample sizes alone. Sweeps that spread much wider mean that the particles do not mix: raise
        `steps`.
        """
        return float(self._weight_errors[-1])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What stands against the estimate, in sentences; empty where nothing does."""
        said = [frozen_warning(self.temperatures, self.acceptance.min(axis=0))]
        spread = self.estimates.std(ddof=1) if len(self.estimates) > 1 else 0.0
        if spread > _WIDE * self.weight_error:
            said.append(
                f"sweeps differ by {spread:.2g} nats where their weights imply {self.weight_error:.2g}: particles do "
                "not forget where they were between temperatures, raise `steps`"
            )
        return tuple(sentence for sentence in said if sentence)

    @property
    def _weight_errors(self) -> Float[np.ndarray, " stage"]:
        return np.sqrt(self.variances.mean(axis=0))

    def to_json(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return {
            "log_evidence": self.log_evidence,
            "standard_error": self.standard_error,
            "weight_error": self.weight_error,
            "warnings": list(self.warnings),
            "estimates": self.estimates.tolist(),
            "temperatures": self.temperatures.tolist(),
            "log_curve": self.log_curve.tolist(),
            "curve_error": self.curve_error.tolist(),
            "curves": self.curves.tolist(),
            "effective_particles": self.effective_particles.tolist(),
            "acceptance": self.acceptance.tolist(),
            "gradients": self.gradients,
            "seconds": self.seconds,
            "options": asdict(self.options),
        }


@checked
def evidence(posterior: Posterior, *, progress: bool = False, **options: Unpack[TemperingOptions]) -> Evidence:
    """Estimate log p(Y | T) = log of the integral of prior times likelihood N(Y; f, T I), by tempered sequential
    Monte Carlo (Del Moral, Doucet & Jasra 2006).

    The first sweep chooses the temperatures, the others follow them. Differences between two posteriors on the same
    targets are log Bayes factors.

    Args:
        posterior: prior, network, task and the last temperature.
        progress: show on standard error how far the sweeps are.
        **options: see `Tempering`.

    Raises:
        InvalidInput: an option out of range.
        SamplingFailed: the likelihood is not finite on the way.

    Example:
        >>> found = cs.evidence(posterior, particles=8, sweeps=1, sampler="hmc")
        >>> round(float(found.temperatures[-1]), 3)
        0.01
    """
    tempering = Tempering(**options)
    started = time.monotonic()
    density = posterior.density(tempering.space)
    keys = jax.random.split(jax.random.PRNGKey(tempering.seed), tempering.sweeps)
    stages: list[Stage] = []
    with watched(shown=progress):
        for key in tracked(keys, f"sweeps with {tempering.sampler}, the first one compiles for a while"):
            path = np.asarray(stages[0].temperature) if stages else None
            stages.append(sweep(key, density, tempering, path).stages)
    temperatures = np.asarray(stages[0].temperature)
    return Evidence(
        temperatures=temperatures,
        curves=np.stack([np.cumsum(stage.increment) for stage in stages]),
        effective_particles=np.stack([stage.effective for stage in stages]),
        variances=np.stack([np.cumsum(stage.variance) for stage in stages]),
        acceptance=np.stack([stage.acceptance for stage in stages]),
        gradients=int(sum(stage.gradients.sum() for stage in stages)),
        seconds=time.monotonic() - started,
        options=tempering,
    )
