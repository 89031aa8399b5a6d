"""One run of a sweep: sampled or continued, summarised, set beside a theory; what is kept of it in a table."""

import json
import operator
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from pandas.api.types import infer_dtype

from codingschemes.coding import summarize
from codingschemes.coding.predictions import Predictions
from codingschemes.comparison import compare
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.reading import number, reading
from codingschemes.runs import Run, Sampling, sample
from codingschemes.runs.configuration import describe
from codingschemes.runs.folder import check_same
from codingschemes.runs.precision import Precision
from codingschemes.runs.run import CONFIG, replacing, write_json

#: What is kept of `Predictions` at the test inputs.
TEST_SCORES = (
    "error",
    "error_se",
    "error_mcse",
    "loss",
    "loss_mcse",
    "bias",
    "variance",
    "r2",
    "log_score",
    "coverage",
)
#: What a run can fail with while the others go on; anything else is a mistake in the program.
_FAILURES = (InvalidInput, RuntimeError, OSError, MemoryError, np.linalg.LinAlgError)
#: Where the result of a run is kept, in its folder.
RESULT = "result.json"
#: Of `Result`, what is one number or word.
_SINGLE = ("draws", "theory", "scheme", "probability", "rhat_max", "code_rhat", "ess_min", "trust", "seconds")


@dataclass(frozen=True)
class Job:
    """A run to be made.

    Attributes:
        name: of the run.
        varied: the options that vary over the sweep.
        posterior, sampling: what is sampled, and how.
        folder: the run folder.
        theory: what the run is compared with; None: nothing.

    Example:
        >>> from pathlib import Path
        >>> from codingschemes.runs import Sampling
        >>> short = Sampling("mala", chains=2, draws=4, warmup=2)
        >>> job = cs.sweeps.Job("first", {"width": 12}, posterior, short, Path("runs/first"))
        >>> job.posterior
        Posterior(orthogonal, sigmoid, width 12, depth 1, T = 0.01)
    """

    name: str
    varied: dict[str, Any]
    posterior: Posterior
    sampling: Sampling
    folder: Path
    theory: str | None = None


@dataclass(frozen=True)
class Result:
    """What is kept of a run.

    Attributes:
        draws: stored draws a chain.
        theory: what it was compared with.
        scheme: the coding scheme.
        probability: of that scheme.
        codes: share of the neurons with each code.
        rhat_max, code_rhat, ess_min, trust: whether chains agree; see `Summary`.
        deviations: kind of quantity -> (deviation from theory, its Monte Carlo error); see `Comparison.deviation`.
        notes: what a reader of the comparison should know.
        scores: support for each scheme.
        test: error, loss, r2, log_score, ... of the test inputs, by name, with their errors (`TEST_SCORES`); NaN where
            a number does not exist, empty without test inputs.
        seconds: that the run took, NaN where it is not known.

    Example:
        >>> result = cs.sweeps.Result(100, None, "redundant", 0.9, {"100": 1.0}, 1.01, 1.0, 200.0, "converged")
        >>> result.codes
        {'100': 1.0}
    """

    draws: int
    theory: str | None
    scheme: str
    probability: float
    codes: dict[str, float]
    rhat_max: float
    code_rhat: float
    ess_min: float
    trust: str
    deviations: dict[str, tuple[float, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    test: dict[str, float] = field(default_factory=dict)
    seconds: float = float("nan")

    @classmethod
    def read(cls, path: Path) -> "Result":
        """The result in a file that `write_json` wrote.

        Args:
            path: of the file.

        Raises:
            InvalidInput: the file is missing, broken or altered.
        """
        with reading(path, "the result is made again from the run"):
            values = json.loads(path.read_text(encoding="utf-8"))
            deviations = {kind: tuple(map(number, pair)) for kind, pair in values["deviations"].items()}
            codes = {code: number(share) for code, share in values["codes"].items()}
            scores = {label: number(score) for label, score in values.get("scores", {}).items()}
            test = {name: number(score) for name, score in values.get("test", {}).items()}
            for name in ("probability", "rhat_max", "code_rhat", "ess_min"):
                number(values[name])
            number(values.get("seconds", 0))
            words = [values["scheme"], values["trust"], *values["notes"]]
            if values["theory"] is not None:
                words.append(values["theory"])
            if test and test.keys() != set(TEST_SCORES):
                raise ValueError("scores of the test inputs are missing")
            if any(len(pair) != 2 for pair in deviations.values()) or not all(isinstance(word, str) for word in words):
                raise ValueError("it is not what a sweep writes")
            return cls(
                **{
                    **values,
                    "draws": operator.index(values["draws"]),
                    "deviations": deviations,
                    "codes": codes,
                    "scores": scores,
                    "test": test,
                    "notes": tuple(values["notes"]),
                }
            )


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        job: which.
        status: `complete`; `stopped` by Ctrl-C, with the draws made so far; `failed`.
        result: of a complete run.
        message: what it failed with.

    Example:
        >>> from pathlib import Path
        >>> from codingschemes.runs import Sampling
        >>> short = Sampling("mala", chains=2, draws=4, warmup=2)
        >>> job = cs.sweeps.Job("first", {"width": 12}, posterior, short, Path("runs/first"))
        >>> cs.sweeps.Outcome(job, "failed", message="no space left").to_json()["status"]
        'failed'
    """

    job: Job
    status: Literal["complete", "stopped", "failed"]
    result: Result | None = None
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        network, prior = self.job.posterior.network, self.job.posterior.prior
        return {
            "name": self.job.name,
            "folder": str(self.job.folder),
            "options": self.job.varied,
            "width": network.width,
            "temperature": prior.temperature,
            "status": self.status,
            "message": self.message,
            "result": None if self.result is None else asdict(self.result),
        }


class Outcomes(list[Outcome]):
    """What became of all runs of a sweep, in their order.

    Example:
        >>> from pathlib import Path
        >>> from codingschemes.runs import Sampling
        >>> short = Sampling("mala", chains=2, draws=4, warmup=2)
        >>> job = cs.sweeps.Job("first", {"width": 12}, posterior, short, Path("runs/first"))
        >>> outcomes = cs.sweeps.Outcomes([cs.sweeps.Outcome(job, "stopped")])
        >>> outcomes.to_dataframe()["width"].tolist()
        [12]
    """

    def to_dataframe(self) -> pd.DataFrame:
        """One row a run: what varies, status and message, the numbers of `Result`, those of the test inputs
        (`test_error`, `test_loss`, ...), and by kind of quantity the deviation from theory and its Monte Carlo error.
        """
        return pd.DataFrame([_flat(outcome) for outcome in self]).set_index("name")

    def save(self, folder: Path) -> None:
        """Write the table, whole or not at all: sweep.csv, and sweep.parquet where pyarrow is installed. Lists are text
        in it, as are options that are numbers in some runs and words in others.

        Args:
            folder: of the sweep.
        """
        table = self.to_dataframe().map(lambda value: ",".join(map(str, value)) if isinstance(value, list) else value)
        mixed = [name for name in table if infer_dtype(table[name]) in ("mixed", "mixed-integer")]
        table[mixed] = table[mixed].astype(str)
        save_table(table, folder, "sweep")

    def to_xarray(self) -> xr.Dataset:
        """What `to_dataframe` has, by name of the run."""
        return self.to_dataframe().to_xarray()


def save_table(table: pd.DataFrame, folder: Path, name: str, *, index: bool = True) -> None:
    """Write a table, whole or not at all: as .csv, and as .parquet where pyarrow is installed.

    Args:
        name: of the files.
        index: whether the rows' names are part of it.
    """
    writers: dict[str, Callable[[Path], None]] = {"csv": partial(table.to_csv, index=index)}
    if find_spec("pyarrow") is not None:
        writers["parquet"] = partial(table.to_parquet, index=index)
    for ending, write in writers.items():
        with replacing(folder / f"{name}.{ending}") as unfinished:
            write(unfinished)


def _flat(outcome: Outcome) -> dict[str, Any]:
    found = {} if outcome.result is None else asdict(outcome.result)
    deviations = {
        f"{kind}_{name}": value
        for kind, pair in found.pop("deviations", {}).items()
        for name, value in zip(("deviation", "error"), pair, strict=True)
    }
    said = {"name": outcome.job.name, **outcome.job.varied, "status": outcome.status, "message": outcome.message}
    test = {f"test_{name}": value for name, value in found.pop("test", {}).items()}
    return {**said, **{name: found[name] for name in _SINGLE if name in found}, **test, **deviations}


def carry_out(job: Job, notify: Callable[[str], None] | None = None) -> Outcome:
    """Make the run, or go on with what its folder holds, and read it. A complete run is not sampled again, and one
    whose result is kept is not read again.

    Args:
        job: the run to be made.
        notify: is told what is being done.

    Returns:
        What became of it: `failed` with the message of an `InvalidInput`, of a lack of memory or of disk; anything else
        is a mistake of the program and raised.

    Example:
        >>> from pathlib import Path
        >>> from codingschemes.runs import Sampling
        >>> short = Sampling("mala", chains=2, draws=4, warmup=2)
        >>> job = cs.sweeps.Job("first", {"width": 12}, posterior, short, Path("runs/carried"))
        >>> cs.sweeps.carry_out(job).status  # a run: about 20 seconds
        'complete'
    """
    try:
        run = _draw_run(job, notify)
        if not _complete(run, job.sampling):
            return Outcome(job, "stopped")
        return Outcome(job, "complete", _result_of(run, job.theory, notify))
    except _FAILURES as error:
        return Outcome(job, "failed", message=" ".join(str(error).split()) or type(error).__name__)


def _draw_run(job: Job, notify: Callable[[str], None] | None) -> Run:
    begun = (job.folder / CONFIG).exists()
    if begun:
        run = Run.open(job.folder)
        check_same(run, job.posterior, describe(job.posterior, job.sampling))
        if _complete(run, job.sampling):
            return run
    if notify is not None:
        notify(f"{job.name}: {'going on' if begun else 'sampling'}")
    return sample(job.posterior, out=job.folder, resume=begun, progress=False, **asdict(job.sampling))


def _complete(run: Run, sampling: Sampling) -> bool:
    """Whether it holds the draws asked for, is as precise as asked for, or has what its time allowed."""
    assert run.path is not None
    late = sampling.time_limit is not None and run.seconds >= sampling.time_limit
    precise = run.provenance.get("ended") == "precision" and _precision_of(run) == sampling.until
    return precise or run.draw_count >= sampling.draws or late


def _precision_of(run: Run) -> Precision:
    """The precision that the run ended at."""
    recorded = run.config["sampling"]
    return Precision(recorded.get("until_ess"), recorded.get("until_rhat"))


def _result_of(run: Run, theory: str | None, notify: Callable[[str], None] | None) -> Result:
    assert run.path is not None
    kept = run.path / RESULT
    if kept.exists():
        try:
            found = Result.read(kept)
        except InvalidInput as error:
            if notify is not None:
                notify(f"{run.path.name}: {error}")
        else:
            tested = len(run.posterior.task.test_inputs) > 0
            if (found.draws, found.theory, bool(found.test)) == (run.draw_count, theory, tested):
                return found
    summary = summarize(run)
    comparison = None if theory is None else compare(run, theory=theory)
    result = Result(
        draws=run.draw_count,
        theory=theory,
        scheme=summary.scheme.label,
        probability=summary.scheme.probability,
        codes={code.code: code.fraction for code in summary.codes},
        rhat_max=summary.diagnostics.convergence.rhat_max,
        code_rhat=summary.code_rhat,
        ess_min=summary.diagnostics.convergence.ess_min,
        trust=summary.diagnostics.trust,
        deviations={} if comparison is None else comparison.deviations(),
        notes=() if comparison is None else comparison.notes,
        scores=summary.scheme.scores,
        test={} if summary.test is None else test_scores(summary.test),
        seconds=run.seconds,
    )
    write_json(kept, asdict(result))
    return result


def test_scores(found: Predictions) -> dict[str, float]:
    """`TEST_SCORES` by name."""
    loss = {"loss": found.loss.mean, "loss_mcse": found.loss.mcse}
    return {name: loss[name] if name in loss else getattr(found, name) for name in TEST_SCORES}
