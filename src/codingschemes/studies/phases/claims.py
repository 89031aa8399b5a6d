"""What the coordinates say of each claim."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from codingschemes.studies.study import NAMES, Claim, above, below, claim_over_chains, over_tasks

#: Of `SchemeEvidence`; they sum to one.
COORDINATES = ("binary", "concentrated", "graded", "unspecific")
#: Which one the scheme of an activation is known by, and its name.
OWN = {"linear": ("graded", "analog"), "sigmoid": ("binary", "redundant"), "relu": ("concentrated", "sparse")}
_PAPER = "van Meegen & Sompolinsky 2025"
_MAJORITY, _GONE = 0.5, 0.1


def claims(table: pd.DataFrame, centre: dict[str, Any]) -> Iterator[Claim]:
    """Those that the settings of the table allow.

    Args:
        table: the numbers of the study.
        centre: the setting that all diagrams share.
    """
    sampled, theory = (table[table.source == each] for each in ("sampled", "theory"))
    around = at(sampled, width=centre["width"], ceiling=0.0)
    coldest, hottest, largest = around.temperature.min(), around.temperature.max(), around.variance.max()
    for activation in (each for each in OWN if each in set(around.activation)):
        name, scheme = OWN[activation]
        own, solved = (at(rows, activation=activation, width=centre["width"]) for rows in (around, theory))
        cold = {"temperature": coldest, "variance": 1.0}
        yield claim_over_chains(
            f"{NAMES[activation]} networks are {scheme} in mean-field scaling",
            _PAPER,
            f"{name} at T = {coldest:g}, v = 1",
            _predicted("above 0.5", at(solved, **cold)[name]),
            found := over_tasks(at(own, **cold)[name]),
            above(found, _MAJORITY),
        )
        if activation == "linear":
            continue
        within = {"sigmoid": "sigmoid", "relu": "ReLU"}[activation]
        if hottest > coldest:
            heat = over_tasks(_by_chain(own, name, **cold) - _by_chain(own, name, temperature=hottest, variance=1.0))
            yield claim_over_chains(
                f"Heat makes {within} networks less {scheme}",
                "here",
                f"{name} at T = {coldest:g} less that at {hottest:g}, v = 1",
                "above 0",
                heat,
                above(heat, 0.0),
            )
        if largest > 1:
            lazy = {"temperature": centre["temperature"], "variance": largest}
            yield claim_over_chains(
                f"Towards lazy scaling {within} networks cease to be {scheme}",
                "here",
                f"{name} at T = {centre['temperature']:g}, v = {largest:g}",
                _predicted("below 0.1", at(solved, **lazy)[name]),
                found := over_tasks(at(own, **lazy)[name]),
                below(found, _GONE),
            )
    yield from _of_widths(sampled, theory, centre)
    yield from _of_ceilings(sampled, theory)
    yield from _of_theory(sampled, theory)


def at(rows: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """The rows with these values, numbers to rounding.

    Args:
        rows: of the table of numbers.
        where: column -> value.
    """
    for name, value in where.items():
        rows = rows[rows[name] == value if isinstance(value, str) else np.isclose(rows[name], value, rtol=1e-9)]
    return rows


def same_heat(rows: pd.DataFrame, centre: dict[str, Any]) -> pd.DataFrame:
    """Those of any width with the N T and the readouts of the shared setting.

    Args:
        rows: of the table of numbers.
        centre: the shared setting.
    """
    rows = at(rows, variance=1.0, ceiling=0.0)
    return rows[np.isclose(rows.temperature * rows.width, centre["temperature"] * centre["width"])]


def apart(table: pd.DataFrame) -> pd.DataFrame:
    """Setting -> largest difference of a coordinate between samples and theory, and what each names.

    Args:
        table: the numbers of the study.
    """
    keys = ["activation", "temperature", "variance", "width", "ceiling"]
    sampled, theory = (table[table.source == each].groupby(keys) for each in ("sampled", "theory"))
    columns = list(COORDINATES)
    distance = (sampled[columns].mean() - theory[columns].mean()).dropna().abs().max(axis=1)
    labels = {"sampled": sampled.label.first(), "theory": theory.label.first()}
    return pd.DataFrame({"apart": distance, **labels}).dropna()


def _of_widths(sampled: pd.DataFrame, theory: pd.DataFrame, centre: dict[str, Any]) -> Iterator[Claim]:
    rows, solved = same_heat(sampled, centre), same_heat(theory, centre)
    widths = sorted(set(rows.width))
    if len(widths) < 2:
        return
    for activation in (each for each in OWN if each in set(rows.activation)):
        name, scheme = OWN[activation]
        by_width = {width: over_tasks(at(rows, activation=activation, width=width)[name]) for width in widths}
        least = min(by_width, key=lambda width: by_width[width].mean)
        yield claim_over_chains(
            f"{NAMES[activation]} networks are {scheme} whatever N/P, at one N T",
            "here",
            f"smallest {name} of N = {', '.join(map(str, widths))} (N = {least})",
            _predicted("above 0.5", at(solved, activation=activation, width=least)[name]),
            by_width[least],
            above(by_width[least], _MAJORITY),
        )


def _of_ceilings(sampled: pd.DataFrame, theory: pd.DataFrame) -> Iterator[Claim]:
    rows = sampled[sampled.ceiling > 0]
    if rows.ceiling.nunique() < 2:
        return
    said = {
        rows.ceiling.min(): ("binary", "With a low ceiling neurons share codes"),
        rows.ceiling.max(): ("concentrated", "With a high ceiling few neurons carry the output, as with ReLU"),
    }
    for ceiling, (name, claim) in said.items():
        found = over_tasks(at(rows, ceiling=ceiling)[name])
        predicted = _predicted("above 0.5", at(theory, ceiling=ceiling)[name])
        yield claim_over_chains(
            claim, "here", f"{name} at the ceiling {ceiling:g}", predicted, found, above(found, _MAJORITY)
        )


def _of_theory(sampled: pd.DataFrame, theory: pd.DataFrame) -> Iterator[Claim]:
    found = apart(pd.concat([sampled, theory]))
    distance = over_tasks(found.apart)
    worst = found.apart.idxmax()
    yield Claim(
        "The mean field says where networks of finite width lie",
        "here",
        f"largest difference of a coordinate, mean over {len(found)} settings, error over settings; at most "
        f"{found.apart.max():.2f} ({worst[0]}, T = {worst[1]:g}, v = {worst[2]:g}, N = {worst[3]})",
        "below 0.1",
        distance.mean,
        distance.error,
        below(distance, _GONE),
    )
    named = found[(found.sampled != "undecided") & (found.theory != "undecided")]
    wrong = int((named.sampled != named.theory).sum())
    yield Claim(
        "Where theory and samples both name a scheme, it is the same",
        "here",
        f"settings with another one, of {len(named)}",
        "0",
        float(wrong),
        float("nan"),
        "does not hold" if wrong else "holds",
    )


def _by_chain(rows: pd.DataFrame, name: str, **where: Any) -> pd.Series:
    return at(rows, **where).set_index("chain")[name]


def _predicted(bound: str, solved: pd.Series) -> str:
    return f"{bound}; theory {solved.mean():.2f}" if len(solved) else bound
