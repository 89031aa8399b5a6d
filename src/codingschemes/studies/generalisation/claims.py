"""What the test errors say of each claim."""

from collections.abc import Iterator

import pandas as pd

from codingschemes.studies.generalisation.learners import (
    APART,
    AT_TEMPERATURE,
    BEST,
    BY_THEORY,
    COVERED,
    NETWORK,
    RATIO,
    TRAINED,
    by_task,
    gain,
)
from codingschemes.studies.study import NAMES, Claim, Judgement, OverTasks, above, agrees, below, named, over_tasks

_PAPER = "van Meegen & Sompolinsky 2025"
#: Share of the variance of unseen targets from which on networks are said to generalise well.
_WELL = 0.5


def claims(table: pd.DataFrame, chance: float) -> Iterator[Claim]:
    """Those that the settings of the table allow.

    Args:
        table: the numbers of the study.
        chance: the error of guessing.
    """
    present, fewest, most = set(table.activation), min(table.samples), max(table.samples)
    if "linear" in present:
        yield from _of_linear(table, most)
    nonlinear = [each for each in ("sigmoid", "relu") if each in present]
    for activation in nonlinear:
        rows = by_task(table, NETWORK, activation, most)
        name = NAMES[activation]
        found = over_tasks(rows.error)
        yield _claim(
            f"{name} networks do better than chance",
            "here",
            f"test error, P = {most}",
            f"below {chance:.3f}",
            (found, rows),
            below(found, chance),
        )
        found = over_tasks(rows.r2)
        yield _claim(
            f"{name} networks generalise well",
            "here",
            f"share R² of the variance of test targets that the mean predictor explains, P = {most}",
            f"above {_WELL:g}",
            (found, rows),
            above(found, _WELL),
        )
    for activation in nonlinear:
        for samples in sorted(set(table.samples)):
            said = f"{NAMES[activation]} networks generalise better than a GP with their kernel, P = {samples}"
            yield _gain(table, (NETWORK, activation), (BEST, activation), samples, said)
        said = f"{NAMES[activation]} networks of the posterior generalise better than one that is trained"
        yield _gain(table, (NETWORK, activation), (TRAINED, activation), most, said)
    if {"sigmoid", "relu"} <= present:
        for samples in dict.fromkeys((fewest, most)):
            said = f"ReLU networks generalise better than sigmoid networks, P = {samples}"
            yield _gain(table, (NETWORK, "relu"), (NETWORK, "sigmoid"), samples, said)
    for activation in nonlinear:
        rows = by_task(table, NETWORK, activation, most)
        found = over_tasks(rows.coverage)
        yield _claim(
            f"The posterior of {named(activation)} networks knows how uncertain it is",
            "here",
            f"share of test targets in the central 90 % of N(mean, variance + T), P = {most}",
            f"at least {COVERED:g}",
            (found, rows),
            above(found, COVERED),
        )


def _of_linear(table: pd.DataFrame, most: int) -> Iterator[Claim]:
    rows = by_task(table, NETWORK, "linear", most)
    found = over_tasks(rows[APART])
    yield _claim(
        "The mean predictor of linear networks is as near to that of lazy ones as theory says",
        _PAPER,
        f"root mean square difference of test outputs from the GP at T → 0, relative to it, P = {most}",
        f"{rows[APART + BY_THEORY].mean():.3g} by the mean field at this T; 0 as T → 0",
        (found, rows),
        agrees(over_tasks(rows[APART] - rows[APART + BY_THEORY]), 0.0),
    )
    ratio = over_tasks(rows[RATIO])
    yield _claim(
        "The variance of linear networks is smaller than that of lazy ones with readouts of variance 1",
        _PAPER,
        f"variance of test outputs over that of the GP at T → 0, P = {most}",
        f"below 1; {rows[RATIO + BY_THEORY].mean():.3g} by the mean field",
        (ratio, rows),
        below(ratio, 1.0),
    )
    ratio = over_tasks(rows.variance / by_task(table, AT_TEMPERATURE, "linear", most).variance)
    yield _claim(
        "The variance of linear networks is larger than that of lazy ones with the same prior",
        "here",
        f"variance of test outputs over that of the GP at the run's T, P = {most}",
        "above 1",
        (ratio, rows),
        above(ratio, 1.0),
    )


def _gain(table: pd.DataFrame, learner: tuple[str, str], other: tuple[str, str], samples: int, said: str) -> Claim:
    found = over_tasks(gain(table, learner, other, samples))
    whose = other[0].replace("GP", "the GP") if other[1] == learner[1] else f"{other[0]}, {other[1]}"
    rows = pd.concat([by_task(table, *each, samples) for each in (learner, other) if each[0] == NETWORK])
    words = f"test error less that of {whose}, same images, P = {samples}"
    return _claim(said, "here", words, "below 0", (found, rows), below(found, 0.0))


def _claim(
    said: str, source: str, measured: str, predicted: str, found: tuple[OverTasks, pd.DataFrame], verdict: Judgement
) -> Claim:
    """Of a number and of the runs that it is from, which may not be converged."""
    number, rows = found
    doubtful = int((~rows.converged.astype(bool)).sum())
    doubt = f"; {doubtful} of {len(rows)} runs not converged" if doubtful else ""
    return Claim(said, source, f"{measured}{doubt}", predicted, number.mean, number.error, verdict)
