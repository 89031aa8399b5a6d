"""One sampler on one posterior: what an effective draw costs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.benchmark.rivals import RIVALS, sample_rival
from codingschemes.convergence import INVARIANTS, moving
from codingschemes.diagnostics import ess, mean_and_error, rhat
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior, Space
from codingschemes.precision import in_double_precision
from codingschemes.runs import Run, sample
from codingschemes.runs.configuration import Arithmetic, neuron_bytes
from codingschemes.samplers import Settings

#: The row that ratios are taken against.
BASELINE = ("nuts", "weights")
#: Names under which samplers of other libraries are listed.
LISTED = {"nuts": "numpyro-nuts"}
#: Draws of all chains end a measurement early: as many as hold neurons of this many bytes, within limits. Quarters of
#: an hour of samplers that do not mix have room.
_DRAWS_BYTES = 2e9
_FEWEST_DRAWS, _MOST_DRAWS = 8000, 200_000
_CHAINS = 4
#: Draws a chain, of however many chains: with fewer nothing is known of them.
_FEWEST_A_CHAIN = 20
#: Trajectories of NUTS have at most 2^8 - 1 steps, those of rivals that take theirs from it likewise.
_TREE_DEPTH = 8
_BLOCK = 200
#: Scalars whose mean a sampler must get right.
COMPARED = ("energy", "training_loss", "kernel_diagonal")


@dataclass(frozen=True)
class Measurement:
    """What one sampler did on one target; medians over seeds where there are several.

    Attributes:
        target, sampler, space: names.
        draws: recorded draws, all chains.
        chains: chains side by side; ensembles have more of them.
        gradients_per_draw: of one chain.
        ess_min, ess_median: bulk effective sample size over all recorded invariants and chains; chains that disagree
            lower it.
        rhat_max: largest R-hat of the invariants.
        seconds: wall-clock time of the recorded draws, recording included.
        warmup_seconds, compile_seconds: before them. What a rival's own warm-up compiles counts as warm-up, and what
            is compiled for the first seed serves the others: `compile_seconds` is the longest.
        ess_min_per_second: ess_min / seconds.
        code_switches: neurons that change code from one draw to the next, mean over draws and chains; NaN where the
            activation is not bounded.
        means: mean and Monte Carlo error of `COMPARED`.
        reference_z: largest |z| of these against the recorded reference; NaN without one.
        device: what it ran on.
        seeds: how many times it was measured.
        spread: smallest and largest value over seeds of every number above; empty with a single seed.
    """

    target: str
    sampler: str
    space: Space
    draws: int
    gradients_per_draw: float
    ess_min: float
    ess_median: float
    rhat_max: float
    seconds: float
    warmup_seconds: float
    compile_seconds: float
    ess_min_per_second: float
    code_switches: float
    means: dict[str, tuple[float, float]]
    reference_z: float
    device: str
    chains: int = _CHAINS
    seeds: int = 1
    spread: dict[str, tuple[float, float]] = field(default_factory=dict)


def over_seeds(rows: Sequence[Measurement]) -> Measurement:
    """One row of those that differ in their seed alone: medians, and how far they spread."""
    if len(rows) == 1:
        return rows[0]
    numbers = [entry.name for entry in fields(Measurement) if isinstance(getattr(rows[0], entry.name), (int, float))]
    values = {
        name: np.array([getattr(row, name) for row in rows]) for name in numbers if name not in ("chains", "seeds")
    }
    middle = {name: type(getattr(rows[0], name))(np.median(each)) for name, each in values.items()}
    means = {name: np.median([row.means[name] for row in rows], axis=0) for name in rows[0].means}
    return replace(
        rows[0],
        **middle
        | {
            "compile_seconds": float(values["compile_seconds"].max()),
            "means": {name: (float(mean), float(error)) for name, (mean, error) in means.items()},
            "seeds": len(rows),
            "spread": {name: (float(each.min()), float(each.max())) for name, each in values.items()},
        },
    )


@in_double_precision
def measure(
    name: str,
    posterior: Posterior,
    sampler: str,
    space: Space,
    *,
    warmup: int | None,
    seconds: float,
    reference: dict[str, tuple[float, float]] | None = None,
    seed: int = 0,
    chains: int = _CHAINS,
    precision: Arithmetic | None = None,
) -> Measurement:
    """Sample a target for some time after its warm-up.

    Args:
        name: what the target is called.
        posterior: the target.
        sampler, space: as in `Sampling`, or a rival's name.
        warmup: adapting iterations; None begins from mixed starts and ends by itself, as `sample` does.
        seconds: of sampling, about.
        reference: mean and error of some of `COMPARED`.
        seed: of the sampler.
        chains: side by side; of a rival with an ensemble of its own size where it is left out.
        precision: as in `Sampling`; None is what `sample` would take. Rivals know `double` alone.

    Raises:
        InvalidInput: the sampler is not for this target, or a rival, whose warm-up does not end by itself.
        SamplingFailed: its chains have left for infinity.
    """
    draws = _most_draws(posterior)
    if sampler in RIVALS:
        if warmup is None:
            raise InvalidInput(f"the warm-up of {sampler} does not end by itself: give `warmup` a number")
        settings = Settings(warmup, max_tree_depth=_TREE_DEPTH)
        ensemble = None if chains == _CHAINS else chains
        run = sample_rival(
            sampler, posterior, space, settings, draws=draws, seconds=seconds, seed=seed, chains=ensemble
        )
    else:
        run = sample(
            posterior,
            sampler=sampler,
            space=space,
            chains=chains,
            warmup=warmup,
            draws=max(_FEWEST_A_CHAIN, draws // chains),
            sampling_limit=seconds,
            seed=seed,
            max_tree_depth=_TREE_DEPTH,
            precision=precision,
            progress=False,
        )
    chains = run.config["sampling"]["chains"]
    moved = np.concatenate([moving(run.values("posterior", variable)) for variable in INVARIANTS], axis=2)
    sizes = ess(moved)
    means = {variable: _scalar(run.values("posterior", variable)) for variable in COMPARED}
    spent = run.provenance["sampling_seconds"]
    return Measurement(
        target=name,
        sampler=LISTED.get(sampler, sampler),
        space=space,
        draws=run.draw_count * chains,
        gradients_per_draw=float(run.values("sample_stats", "n_steps").mean()),
        ess_min=float(sizes.min()),
        ess_median=float(np.median(sizes)),
        rhat_max=float(rhat(moved).max()),
        seconds=spent,
        warmup_seconds=run.provenance["warmup_seconds"],
        compile_seconds=run.provenance["compile_seconds"],
        ess_min_per_second=float(sizes.min()) / spent,
        code_switches=_code_switches(run, posterior),
        means=means,
        reference_z=worst_z(means, reference),
        device=jax.devices()[0].device_kind,
        chains=chains,
    )


def _most_draws(posterior: Posterior) -> int:
    return int(np.clip(_DRAWS_BYTES / neuron_bytes(posterior), _FEWEST_DRAWS, _MOST_DRAWS))


def _scalar(series: Float[np.ndarray, "chain draw *rest"]) -> tuple[float, float]:
    mean, error = mean_and_error(series.reshape(*series.shape[:2], -1).mean(axis=2))
    return float(mean), float(error)


def worst_z(means: dict[str, tuple[float, float]], reference: dict[str, tuple[float, float]] | None) -> float:
    """The largest |z| of means against those of a reference, each (mean, error); NaN without one."""
    if reference is None:
        return float("nan")
    scores = [
        abs(mean - reference[name][0]) / np.hypot(error, reference[name][1])
        for name, (mean, error) in means.items()
        if name in reference
    ]
    return float(max(scores))


def _code_switches(run: Run, posterior: Posterior) -> float:
    activation = posterior.network.activation
    if not activation.bounded:
        return float("nan")
    membership = np.eye(posterior.task.class_count)[posterior.task.labels]
    average = membership / membership.sum(axis=0)
    stored = run.data["neurons"].dataset["preactivation"]
    middle, changes = activation.midpoint, []
    for first in range(0, run.draw_count - 1, _BLOCK):  # the neurons of all draws outgrow memory
        preactivation = stored[:, first : first + _BLOCK + 1, -1].values
        bits = np.asarray(activation(jnp.asarray(preactivation))) @ average > middle
        changes.append(np.any(bits[:, 1:] != bits[:, :-1], axis=3).sum(axis=2).mean(axis=0))
    return float(np.mean(np.concatenate(changes))) if changes else float("nan")
