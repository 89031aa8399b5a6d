"""What the layers say of each claim."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from codingschemes.studies.study import (
    NAMES,
    Claim,
    Judgement,
    OverTasks,
    above,
    below,
    claim_over_chains,
    named,
    over_tasks,
)

_PAPER = "van Meegen & Sompolinsky 2025"
#: Correlations along local dynamics that count as none forgotten, and as most.
_STAYS, _DRIFTS = 0.9, 0.5
#: How far a kernel may be from its theory, relative to it.
_NEAR = 0.1


def claims(table: pd.DataFrame) -> Iterator[Claim]:
    """Those that the settings of the table allow.

    Args:
        table: the numbers of the study.
    """
    depth = int(table.depth.max())
    deepest = table[table.depth == depth]
    present = [each for each in NAMES if each in set(deepest.activation)]
    where = f"{depth} hidden layers"
    if depth > 1:
        for activation in present:
            yield from _along_layers(_by_chain(deepest, activation), activation, where)
    for activation in present:
        yield from _of_drift(_by_chain(deepest, activation), activation, where)
    if "relu" in present:
        yield from _of_relu_drift(table[table.activation == "relu"], depth)
    for activation in present:
        yield from _of_kernels(table[table.activation == activation], activation)
    for activation in ("sigmoid", "relu"):
        if {"linear", activation} <= set(present):
            excess = [_excess(deepest[deepest.activation == each], depth) for each in ("linear", activation)]
            found = over_tasks(excess[0] - excess[1])
            yield claim_over_chains(
                f"Draws of {named(activation)} networks are nearer to permutations than those of linear ones",
                "derived here",
                f"distance by permutation less that by rotation, linear less {named(activation)}, last of {where}",
                "above 0",
                found,
                above(found, 0.0),
            )
    if "sigmoid" in present and table.temperature.nunique() > 1:
        single = table[(table.depth == 1) & (table.activation == "sigmoid")]
        low, high = single.temperature.min(), single.temperature.max()
        cold, hot = (_excess(single[single.temperature == each], 1) for each in (low, high))
        found = over_tasks(hot - cold)
        yield claim_over_chains(
            "Cold sigmoid networks are more nearly permutations of each other than hot ones",
            "here",
            f"distance by permutation less that by rotation, at T = {high:g} less that at {low:g}, one hidden layer",
            "above 0",
            found,
            above(found, 0.0),
        )


def _along_layers(rows: dict[str, pd.DataFrame], activation: str, where: str) -> Iterator[Claim]:
    if activation == "sigmoid":
        found = over_tasks(rows["within"].iloc[:, 0] - rows["within"].iloc[:, -1])
        yield claim_over_chains(
            "Codes of sigmoid networks sharpen with depth",
            _PAPER,
            f"share of the variance within classes, first layer less last, {where}",
            "above 0",
            found,
            above(found, 0.0),
        )
    collapse = np.log10(rows["nc1"])
    steps = over_tasks((-collapse.diff(axis=1)).min(axis=1))
    yield claim_over_chains(
        f"{NAMES[activation]} networks collapse further from layer to layer",
        "here",
        f"log10 of NC1, smallest fall from a layer to the next, {where}",
        "above 0",
        steps,
        above(steps, 0.0),
    )


def _of_drift(rows: dict[str, pd.DataFrame], activation: str, where: str) -> Iterator[Claim]:
    drift = rows["drift"]
    if activation == "linear":
        found = over_tasks(drift.max(axis=1))
        yield _drift("Linear networks drift in all layers", f"largest, {where}", found, below(found, _DRIFTS))
    elif activation == "sigmoid":
        found = over_tasks(drift.iloc[:, -1])
        yield _drift("The last layer of sigmoid networks does not drift", where, found, above(found, _STAYS))
        if drift.shape[1] > 1:
            found = over_tasks(drift.iloc[:, 0])
            yield _drift("Lower layers of sigmoid networks drift", f"first of {where}", found, below(found, _STAYS))


def _of_relu_drift(rows: pd.DataFrame, depth: int) -> Iterator[Claim]:
    """The claim is of sparse networks: beside the deepest, one layer at the lowest temperature, with their schemes."""
    for layers, asked in {depth: rows[rows.depth == depth], 1: rows[rows.depth == 1]}.items():
        coldest = asked[asked.temperature == asked.temperature.min()]
        last = coldest[coldest.layer == layers]
        found = over_tasks(last.drift)
        what = "one hidden layer" if layers == 1 else f"last of {layers} hidden layers"
        where = f"{what}, {last.scheme.iloc[0]} at T = {last.temperature.iloc[0]:g}"
        yield _drift("ReLU networks do not drift", where, found, above(found, _STAYS))


def _drift(said: str, where: str, found: OverTasks, verdict: Judgement) -> Claim:
    bound = f"below {_DRIFTS:g}" if "all layers" in said else f"{'below' if 'Lower' in said else 'above'} {_STAYS:g}"
    return claim_over_chains(
        said, _PAPER, f"correlation of class means along a local dynamics, {where}", bound, found, verdict
    )


def _of_kernels(rows: pd.DataFrame, activation: str) -> Iterator[Claim]:
    solved = rows[rows.certified.eq(True)]
    if solved.empty:
        return
    settings = solved.groupby(["depth", "temperature", "layer"]).kernel_apart
    worst = settings.mean().idxmax()
    found = over_tasks(settings.get_group(worst))
    yield claim_over_chains(
        f"Kernels of {named(activation)} networks are those of theory, layer by layer",
        "here",
        f"largest relative distance of {len(settings)} layers with a certificate (depth {worst[0]}, T = {worst[1]:g}, "
        f"layer {worst[2]})",
        f"below {_NEAR:g}",
        found,
        below(found, _NEAR),
    )


def _by_chain(deepest: pd.DataFrame, activation: str) -> dict[str, pd.DataFrame]:
    """Column -> (chain, layer)."""
    rows = deepest[deepest.activation == activation]
    return {name: rows.pivot_table(name, "chain", "layer") for name in ("within", "nc1", "drift")}


def _excess(rows: pd.DataFrame, layer: int) -> pd.Series:
    """Of the distance by permutation over that by rotation, by chain."""
    last = rows[rows.layer == layer].set_index("chain")
    return last.permutation - last.rotation
