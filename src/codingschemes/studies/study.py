"""What a study is, and what it says."""

import abc
import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import t as student

from codingschemes.posterior import Posterior
from codingschemes.runs.configuration import SamplingOptions, resolve
from codingschemes.samplers import default_sampler
from codingschemes.sweeps import Job, Outcome, Outcomes
from codingschemes.sweeps.plan import folder_name

#: Of activations, at the beginning of a sentence.
NAMES = {"linear": "Linear", "sigmoid": "Sigmoid", "relu": "ReLU"}

type Judgement = Literal["holds", "does not hold", "not decided"]


def named(activation: str) -> str:
    """The name of an activation within a sentence.

    Args:
        activation: registered name.
    """
    return "ReLU" if activation == "relu" else activation


class OverTasks(NamedTuple):
    """A mean over tasks.

    Attributes:
        mean: of the tasks' values.
        error: its standard error, from their spread; NaN for one task.
        low, high: the 95 % interval of Student's t, infinite for one task.
    """

    mean: float
    error: float
    low: float
    high: float


def over_tasks(values: Sequence[float] | pd.Series) -> OverTasks:
    """The mean of independent values, and its error from their spread.

    Args:
        values: one a task; of none, the mean is NaN.
    """
    mean = float(np.mean(values)) if len(values) else math.nan
    if len(values) < 2:
        return OverTasks(mean, math.nan, -math.inf, math.inf)
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = float(student.ppf(0.975, len(values) - 1)) * error
    return OverTasks(mean, error, mean - half, mean + half)


@dataclass(frozen=True)
class Claim:
    """What is said, and whether it holds here.

    Attributes:
        claim: in one sentence.
        source: whose claim it is.
        measured: what the numbers are, and where.
        predicted: what theory, or the claim, says of the number; in words.
        sampled: the number found.
        error: its standard error, over tasks where not said otherwise; NaN where there is none.
        verdict: `not decided` where the error allows either.

    Example:
        >>> from codingschemes.studies import Claim
        >>> Claim("water is wet", "here", "drops", "above 0", 3.0, 0.1, "holds").verdict
        'holds'
    """

    claim: str
    source: str
    measured: str
    predicted: str
    sampled: float
    error: float
    verdict: Judgement


def claim_of(
    said: str, source: str, measured: str, predicted: str, found: OverTasks, verdict: Judgement, over: str = ""
) -> Claim:
    """What is said of a mean; `over` is what its error is over, in words, where that is not tasks."""
    words = f"{measured}; error over {over}" if over else measured
    return Claim(said, source, words, predicted, found.mean, found.error, verdict)


def claim_over_chains(
    said: str, source: str, measured: str, predicted: str, found: OverTasks, verdict: Judgement
) -> Claim:
    """What is said of a mean over chains."""
    return claim_of(said, source, measured, predicted, found, verdict, "chains")


def below(found: OverTasks, bound: float) -> Judgement:
    """Whether what was measured lies below a bound, by its 95 % interval."""
    if found.high < bound:
        return "holds"
    return "does not hold" if found.low > bound else "not decided"


def above(found: OverTasks, bound: float) -> Judgement:
    """Whether what was measured lies above a bound, by its 95 % interval."""
    if found.low > bound:
        return "holds"
    return "does not hold" if found.high < bound else "not decided"


def agrees(found: OverTasks, value: float) -> Judgement:
    """Whether the 95 % interval of what was measured holds a value."""
    if math.isinf(found.low):
        return "not decided"
    return "holds" if found.low <= value <= found.high else "does not hold"


def with_result(outcomes: Outcomes) -> list[Outcome]:
    """Those that there is something to read of."""
    return [each for each in outcomes if each.result is not None]


def converged(outcome: Outcome) -> bool:
    """Whether a run with a result may be trusted."""
    return outcome.result is not None and outcome.result.trust not in ("not converged", "no")


def said_of_trust(outcomes: Sequence[Outcome]) -> str:
    """How many runs with a result should not be trusted, in a sentence."""
    count = len(outcomes)
    doubtful = sum(not converged(each) for each in outcomes)
    if not doubtful:
        return "The run is converged." if count == 1 else f"All {count} runs are converged."
    return f"{doubtful} of {count} runs {'is' if doubtful == 1 else 'are'} not converged: see the table of runs."


class Drawing(NamedTuple):
    """A figure, its heading and its caption.

    Attributes:
        figure: in the style of the reports.
        heading, caption: in words.

    Example:
        >>> from matplotlib.figure import Figure
        >>> from codingschemes.studies import Drawing
        >>> Drawing(Figure(), "Nothing", "An empty figure.").heading
        'Nothing'
    """

    figure: Figure
    heading: str
    caption: str


@dataclass(frozen=True)
class Findings:
    """What a study found.

    Attributes:
        numbers: the table that everything else is made from, one row a learner and setting.
        claims: what is said, and whether it holds.
        figures: by name.
        shown: columns of text, heads first, for the page.
        remarks: what a reader should know first.

    Example:
        >>> import pandas as pd
        >>> from codingschemes.studies import Findings
        >>> Findings(pd.DataFrame(), (), {}, [["samples"]], ()).headline
        '0 claims'
    """

    numbers: pd.DataFrame
    claims: tuple[Claim, ...]
    figures: dict[str, Drawing]
    shown: list[list[str]]
    remarks: tuple[str, ...]

    @property
    def headline(self) -> str:
        """How many claims came to what."""
        count = len(self.claims)
        verdicts = [claim.verdict for claim in self.claims]
        came = ", ".join(f"{verdicts.count(each)} {words}" for each, words in _COUNTED.items() if each in verdicts)
        return f"{count} claim{'' if count == 1 else 's'}{': ' if came else ''}{came}"


_COUNTED = {"holds": "hold", "does not hold": "do not hold", "not decided": "not decided"}


@dataclass(frozen=True)
class Study(abc.ABC):
    """A question, the runs that answer it, and how they are read. The fields of a study are its sizes.

    Attributes:
        title, question: of the page.
        sampler: registered name.
        chains: of each run.
        draws, warmup: of each run; None samples until it is converged.
        time_limit: seconds of a run; None sets no limit.

    Example:
        >>> from codingschemes.studies import STUDIES
        >>> STUDIES["generalisation"].title
        'Generalisation'
    """

    title: ClassVar[str]
    question: ClassVar[str]

    _: KW_ONLY
    sampler: str = default_sampler("draws")
    chains: int = 4
    draws: int | None = None
    warmup: int | None = None
    time_limit: float | None = 300.0

    @classmethod
    @abc.abstractmethod
    def quick(cls) -> "Study":
        """The study below two minutes on two cores, without downloads: to see that it runs."""

    @abc.abstractmethod
    def jobs(self, folder: Path) -> list[Job]:
        """The runs.

        Args:
            folder: in which each has a folder of its own.
        """

    @abc.abstractmethod
    def read(self, outcomes: Outcomes) -> Findings:
        """Numbers, figures and claims.

        Args:
            outcomes: of the runs; those without a result are left out.
        """

    def job(self, folder: Path, varied: dict[str, Any], posterior: Posterior) -> Job:
        """One run.

        Args:
            folder: in which it has one named after what is `varied`.
            varied: name -> value.
            posterior: to be sampled.
        """
        options: SamplingOptions = {
            "sampler": self.sampler,
            "chains": self.chains,
            "draws": self.draws,
            "warmup": self.warmup,
            "time_limit": self.time_limit,
        }
        name = folder_name(varied)
        return Job(name, varied, posterior, resolve(posterior, options), folder / name)
