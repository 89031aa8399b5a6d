"""A table of what was sampled beside what was predicted."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from codingschemes.calls import checked
from codingschemes.coding.codes import code_counts, find_codes
from codingschemes.coding.layers import code_rhat
from codingschemes.coding.neurons import read_neurons
from codingschemes.coding.population import ClassMeans
from codingschemes.coding.scheme import Scheme, classify
from codingschemes.comparison.quantities import Kind, Quantity, code_fractions, quantities, renormalize
from codingschemes.convergence import SAME_NEURONS
from codingschemes.diagnostics import mean_and_error
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.progress import announce, watched
from codingschemes.runs import Run
from codingschemes.theory import Prediction, UnstableCodes, choose, predict

#: Kinds of quantities whose size is worth comparing with.
KINDS: tuple[Kind, ...] = ("output", "kernel", "activity", "readout", "neurons")


@dataclass(frozen=True)
class Row:
    """One quantity.

    Attributes:
        quantity: what it is, in words.
        kind: what sort of number: output, kernel, activity, ...
        where: of which classes, codes, outputs or layer.
        sampled: posterior mean over draws and chains.
        mcse: its Monte Carlo standard error; NaN where there are too few draws to tell.
        predicted: the theory's value.
        given: whether `predicted` was handed to the theory, taken from the run: nothing is compared then.
        z: (sampled - predicted) / mcse; NaN without an error and where given. Theories of infinite width
            differ from a finite network by O(1/N), which shows as a large z with enough draws: see `relative_error`,
            too.
        relative_error: (sampled - predicted) / |predicted|; NaN where the prediction is zero or given.
    """

    quantity: str
    kind: Kind
    where: str
    sampled: float
    mcse: float
    predicted: float
    z: float
    relative_error: float
    given: bool = False


@dataclass(frozen=True)
class Comparison:
    """A run beside a prediction.

    Attributes:
        prediction: the theory's answers, certificate included.
        rows: one a quantity.
        conditional: whether the theory was given the sampled code fractions, because the chains did not move between
            codes: then the fractions themselves are not predicted.
        notes: what a reader should know, one sentence each; first why this theory, where it was chosen.
        scheme: that was sampled, beside `prediction.scheme`; None where the theory predicts none.

    Example:
        >>> list(comparison.to_dataframe().columns)[:5]
        ['kind', 'where', 'sampled', 'mcse', 'predicted']
    """

    prediction: Prediction
    rows: tuple[Row, ...]
    conditional: bool
    notes: tuple[str, ...]
    scheme: Scheme | None = None

    def __repr__(self) -> str:
        off = ", ".join(f"{kind} {deviation:.1%} off" for kind, (deviation, _) in self.deviations().items())
        return f"Comparison({self.prediction.theory}, {len(self.rows)} quantities{off and ': '}{off})"

    def to_dataframe(self) -> pd.DataFrame:
        """One row a quantity: sampled, mcse, predicted, z, relative_error, and whether it was given to the theory."""
        return pd.DataFrame([asdict(row) for row in self.rows]).set_index("quantity")

    def to_xarray(self) -> xr.Dataset:
        """What `to_dataframe` has, by quantity."""
        return self.to_dataframe().to_xarray()

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.to_dataframe().to_html(float_format='{:.4g}'.format)}"

    @property
    def scheme_words(self) -> str:
        """Sampled and predicted scheme in one sentence; empty where the theory predicts none."""
        if self.scheme is None or self.prediction.scheme is None:
            return ""
        predicted = self.prediction.scheme
        return f"Scheme: sampled {self.scheme.words}, predicted {predicted.label}. {predicted.reason}"

    def deviation(self, kind: str) -> tuple[float, float]:
        """Root mean square of sampled less predicted over all quantities of a kind, and of their Monte Carlo errors,
        relative to the predictions. What was given to the theory is left out.

        Args:
            kind: one of `KINDS`.

        Raises:
            InvalidInput: the comparison has none.
        """
        rows = [row for row in self.rows if row.kind == kind and not row.given]
        if not rows:
            raise InvalidInput(f"the {self.prediction.theory} theory predicts no {kind} here: choose another kind")
        sampled, errors, predicted = np.array([[row.sampled, row.mcse, row.predicted] for row in rows]).T
        size = np.linalg.norm(predicted)
        return float(np.linalg.norm(sampled - predicted) / size), float(np.linalg.norm(errors) / size)

    def deviations(self) -> dict[str, tuple[float, float]]:
        """`deviation` of every kind that the comparison has."""
        present = {row.kind for row in self.rows if not row.given}
        return {kind: self.deviation(kind) for kind in KINDS if kind in present}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; NaN where a number does not exist."""
        return {
            "theory": self.prediction.theory,
            "conditional": self.conditional,
            "notes": list(self.notes),
            "certificate": self.prediction.to_json()["certificate"],
            **self._schemes(),
            "rows": [asdict(row) for row in self.rows],
        }

    def _schemes(self) -> dict[str, Any]:
        if self.scheme is None or self.prediction.scheme is None:
            return {}
        sampled = {"label": self.scheme.label, "probability": self.scheme.probability}
        return {"scheme": {"sampled": sampled, "predicted": asdict(self.prediction.scheme)}}


@checked
def compare(
    run: Run,
    prediction: Prediction | None = None,
    *,
    theory: str | None = None,
    progress: bool = False,
    time_limit: float | None = None,
) -> Comparison:
    """Set a run against a theory.

    Args:
        run: the run.
        prediction: the theory's answers about the run's posterior; computed if left out. Then, where chains did not
            move between codes, the mean-field theory is asked for the fractions that were sampled.
        theory: which theory, where no prediction is given; left out, the one that covers the run, see
            `theory.choose`.
        progress: show on standard error how far the work is.
        time_limit: in seconds; None sets none.

    Raises:
        InvalidInput: a prediction of another posterior, a theory that does not cover this one, a run without draws.
        TimeLimitReached: the work was stopped at `time_limit`.

    Example:
        >>> comparison = cs.compare(run, prediction)
        >>> [row.quantity for row in comparison.rows if row.kind == 'output'][0]
        'output 0 for class 0'
    """
    with watched(shown=progress, time_limit=time_limit):
        return _comparison(run, prediction, theory)


def _comparison(run: Run, prediction: Prediction | None, theory: str | None) -> Comparison:
    notes = []

    @cache
    def read() -> ClassMeans:
        return read_neurons(run).populations

    if prediction is None:
        if theory is None:
            theory, reason = choose(run.posterior)
            announce(reason)
            notes.append(reason)
        fractions = _frozen_fractions(run, read) if theory == "mean-field" else None
        if fractions is None:
            prediction = predict(run.posterior, theory)
        else:
            prediction, left_out = _at_fractions(run.posterior, fractions)
            notes += left_out
    elif not _same(run, prediction):
        raise InvalidInput("the prediction is of another posterior than the run: predict with the run's own posterior")
    if prediction.conditional:
        notes.append(
            "chains did not move between codes: the theory was given the sampled fractions of the codes that half a "
            "neuron or more has, so these are not predicted"
        )
    if not prediction.certificate.holds:
        notes.append(f"the prediction is not certified, {prediction.certificate.words}")
    notes += [
        f"broken assumption: {each.statement.removesuffix('.')}" for each in prediction.assumptions if not each.holds
    ]
    bounds = run.posterior.network.activation.bounds
    return Comparison(
        prediction,
        tuple(map(_row, quantities(run, prediction, read))),
        prediction.conditional,
        tuple(notes),
        None if prediction.scheme is None else classify(read(), bounds),
    )


def _frozen_fractions(run: Run, read: Callable[[], ClassMeans]) -> dict[str, float] | None:
    """The sampled fractions of codes where chains keep their own, empty where all codes are rare; None where chains
    share them or there are no codes."""
    network = run.posterior.network
    if not network.activation.bounded:
        return None
    codes = find_codes(read(), network.activation.bounds)
    if not codes.names or code_rhat(code_counts(codes)) < SAME_NEURONS:
        return None
    return code_fractions(codes)


def _at_fractions(posterior: Posterior, sampled: dict[str, float]) -> tuple[Prediction, list[str]]:
    """The mean field at the sampled fractions of those codes that are stable in it; that of equilibrium where none is.

    Returns:
        The prediction, and a note on what was left out.
    """
    kept = sampled
    notes: list[str] = []
    while kept:
        try:
            return predict(posterior, "mean-field", code_fractions=kept), notes
        except UnstableCodes as refusal:
            kept = renormalize({code: share for code, share in kept.items() if code not in refusal.codes})
            left_out = [f"{code} ({share:.2g})" for code, share in sampled.items() if code not in kept]
            notes = [f"sampled codes that are not stable in the theory were not given to it: {', '.join(left_out)}"]
    notes.append(
        "chains did not move between codes, but no code could be given to the theory: it predicts the shares of "
        "equilibrium"
    )
    return predict(posterior, "mean-field"), notes


def _same(run: Run, prediction: Prediction) -> bool:
    mine, other = run.posterior, prediction.posterior
    return mine is other or bool(
        mine.prior[:3] == other.prior[:3]
        and mine.network == other.network
        and np.array_equal(mine.task.inputs, other.task.inputs)
        and np.array_equal(mine.task.targets, other.task.targets)
    )


def _row(quantity: Quantity) -> Row:
    series, predicted, given = quantity.sampled, quantity.predicted, quantity.given
    defined = np.isfinite(series).all()
    if defined:
        mean, error = map(float, mean_and_error(series))
    else:
        mean, error = float(np.nanmean(series)), float("nan")
    difference = mean - predicted
    return Row(
        quantity=quantity.label,
        kind=quantity.kind,
        where=quantity.where,
        sampled=mean,
        mcse=error,
        predicted=predicted,
        z=difference / error if error > 0 and not given else float("nan"),
        relative_error=difference / abs(predicted) if predicted != 0 and not given else float("nan"),
        given=given,
    )
