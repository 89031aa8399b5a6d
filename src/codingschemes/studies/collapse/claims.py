"""What the layers say of each claim."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from codingschemes.studies.study import NAMES, Claim, above, below, claim_over_chains, named, over_tasks

_PAPER, _COLLAPSE = "van Meegen & Sompolinsky 2025", "Papyan, Han & Donoho 2020"
#: Of the last layer, beside NC1.
GEOMETRY = ("nc2_norms", "nc2_angles", "nc2_simplex", "nc3")
_COLUMNS = {
    "nc1": "NC1",
    "within": "share",
    "nc2_norms": "NC2 of norms",
    "nc2_angles": "spread of NC2 angles",
    "nc2_simplex": "NC2 of angles",
    "nc3": "NC3",
    "permutation": "distance by permutation",
    "rotation": "distance by rotation",
}
#: What is set beside theory, and the columns of each.
_SAID = {
    "NC1": ("nc1",),
    "The share of the variance within classes": ("within",),
    "Geometry (NC2, NC3)": GEOMETRY,
    "Likeness of draws": ("permutation", "rotation"),
}
#: How far log10 NC1, and angles and shares, may be from what is predicted.
_NEAR = 0.05
#: Classes within which so small a share of the variance lies have collapsed.
_COLLAPSED = 0.05
#: Kernels at least so aligned are alike.
_ALIKE = 0.9


def claims(table: pd.DataFrame, images: str) -> Iterator[Claim]:
    """Those that the settings of the table allow.

    Args:
        table: the numbers of the study.
        images: the name of the set of images; other inputs are orthogonal.
    """
    for inputs in dict.fromkeys(table.inputs):
        rows = _trusted(table[table.inputs == inputs])
        of_inputs = inputs if inputs == images else f"{inputs} inputs"
        cold = rows[(rows.temperature == rows.temperature.min()) & (rows.source == "sampled")]
        present = [each for each in NAMES if each in set(cold.activation)]
        for activation in present:
            own = rows[rows.activation == activation]
            yield from _of_collapse(own, activation, of_inputs)
            yield from _of_theory(own, activation, of_inputs)
            if inputs == images:
                yield from _of_equal_classes(own, activation, of_inputs)
        if "sigmoid" in present:
            yield from _of_codes(rows[rows.activation == "sigmoid"], of_inputs)
        if len(present) > 1:
            last = cold[cold.layer == cold.layer.max()]
            worst = last.groupby("activation").alike.mean().idxmin()
            found = over_tasks(last[last.activation == worst].alike)
            yield claim_over_chains(
                "Kernels of networks with different schemes look alike",
                _PAPER,
                f"smallest centred alignment of two activations, last layer, T = {cold.temperature.iloc[0]:g}, "
                f"{of_inputs}",
                f"above {_ALIKE:g}",
                found,
                above(found, _ALIKE),
            )
        yield from _of_draws(rows, present, of_inputs)


def _of_collapse(own: pd.DataFrame, activation: str, of_inputs: str) -> Iterator[Claim]:
    """That there is collapse at all, that it deepens from layer to layer, and that heat undoes it."""
    sampled, name = own[own.source == "sampled"], NAMES[activation]
    low, high, last = sampled.temperature.min(), sampled.temperature.max(), int(sampled.layer.max())
    if last > 1:
        steps = np.log10(_by_chain(sampled, "nc1", low)).diff(axis=1).iloc[:, 1:].max(axis=1)
        found = over_tasks(steps)
        yield claim_over_chains(
            f"{name} networks collapse further from layer to layer",
            "here",
            f"change of log10 NC1 to the next layer, the largest, T = {low:g}, {of_inputs}",
            "below 0",
            found,
            below(found, 0.0),
        )
    if high > low:
        found = over_tasks(np.log10(_by_chain(sampled, "nc1", high)[last] / _by_chain(sampled, "nc1", low)[last]))
        yield claim_over_chains(
            f"Heat undoes the collapse of {named(activation)} networks",
            "here",
            f"log10 NC1 of the last layer, T = {high:g} less {low:g}, {of_inputs}",
            "above 0",
            found,
            above(found, 0.0),
        )


def _of_theory(own: pd.DataFrame, activation: str, of_inputs: str) -> Iterator[Claim]:
    """Where the theory has neurons and a certificate, what is measured of the last layer: NC1 where it is
    coldest, so that networks fit, all else at the worst temperature."""
    last = own[(own.source == "sampled") & (own.layer == own.layer.max())]
    for source in ("theory", "fitted theory"):
        solved = own[(own.source == source) & own.certified.eq(True)]
        for words, columns in _SAID.items():
            off = _deviations(last, solved, columns)
            if not off or (source == "fitted theory" and words != "NC1"):
                continue
            worst = min(off) if words == "NC1" else max(off, key=lambda each: abs(off[each].mean()))
            found, value = over_tasks(off[worst].abs()), solved[solved.temperature == worst[0]][worst[1]].mean()
            which = "coldest" if words == "NC1" else f"worst of {len({each for each, _ in off})} with a certificate"
            said = f"{words} of {named(activation)} networks is theory's"
            if source != "theory":
                said += ", once its neurons fit the targets together"
            yield claim_over_chains(
                said,
                "here",
                f"|{'log10 ' if worst[1] == 'nc1' else ''}{_COLUMNS[worst[1]]}, sampled less predicted|, last layer, "
                f"{which} (T = {worst[0]:g}), {of_inputs}",
                f"below {_NEAR:g}; theory has {_COLUMNS[worst[1]]} {value:.3g}",
                found,
                below(found, _NEAR),
            )


def _deviations(
    sampled: pd.DataFrame, solved: pd.DataFrame, columns: tuple[str, ...]
) -> dict[tuple[float, str], pd.Series]:
    """(temperature, column) -> sampled less predicted, of every chain; of NC1 of its decimal logarithm."""
    off: dict[tuple[float, str], pd.Series] = {}
    for temperature, theory in solved.groupby("temperature"):
        rows = sampled[sampled.temperature == temperature]
        for name in columns:
            values, value = rows[name].dropna(), theory[name].mean()
            if len(values) and not math.isnan(value):
                off[float(temperature), name] = np.log10(values / value) if name == "nc1" else values - value
    return off


def _of_equal_classes(own: pd.DataFrame, activation: str, of_inputs: str) -> Iterator[Claim]:
    """What collapse is where classes are alike: a simplex, and readouts that are what class means are before their
    mean is taken off."""
    sampled = own[(own.source == "sampled") & (own.layer == own.layer.max())]
    cold = sampled[sampled.temperature == sampled.temperature.min()]
    where = f"last layer, T = {cold.temperature.iloc[0]:g}, {of_inputs}"
    found = over_tasks(cold.nc2_simplex.dropna())
    yield claim_over_chains(
        f"Class means of {named(activation)} networks are a simplex",
        _COLLAPSE,
        f"NC2, mean |cosine + 1/2|, {where}",
        f"below {_NEAR:g}",
        found,
        below(found, _NEAR),
    )
    found = over_tasks(cold.nc3.dropna())
    without_bias = 2 - 2 * math.sqrt(2 / 3)
    yield claim_over_chains(
        f"Readouts of {named(activation)} networks are their class means, no bias taking off what classes share",
        "derived here",
        f"NC3, {where}",
        f"2 - 2 sqrt(2/3) = {without_bias:.3f} to within {_NEAR:g}",
        found,
        below(over_tasks((cold.nc3.dropna() - without_bias).abs()), _NEAR),
    )


def _of_codes(own: pd.DataFrame, of_inputs: str) -> Iterator[Claim]:
    """Sigmoid networks: activity within classes is gone, and what is left is that of the mean neurons of codes."""
    cold = own[(own.temperature == own.temperature.min()) & (own.layer == own.layer.max())]
    sampled, codes = (cold[cold.source == each].set_index("chain") for each in ("sampled", "codes"))
    where = f"last layer, T = {cold.temperature.iloc[0]:g}, {of_inputs}"
    found = over_tasks(sampled.within)
    yield claim_over_chains(
        "Where neurons have binary codes, classes collapse",
        _PAPER,
        f"share of the variance within classes, sigmoid, {where}",
        f"below {_COLLAPSED:g}",
        found,
        below(found, _COLLAPSED),
    )
    if codes.empty:
        return
    off = pd.DataFrame({name: sampled[name] - codes[name] for name in GEOMETRY}).dropna(axis=1)
    worst = str(off.mean().abs().idxmax())
    found = over_tasks(off[worst].abs())
    yield claim_over_chains(
        "Codes explain the geometry of collapse: NC2 and NC3 are those of codes",
        _PAPER,
        f"|{_COLUMNS[worst]}, of sigmoid networks less of their codes|, {where}",
        f"below {_NEAR:g}; codes have {_COLUMNS[worst]} {codes[worst].mean():.3g}",
        found,
        below(found, _NEAR),
    )


def _of_draws(rows: pd.DataFrame, present: list[str], of_inputs: str) -> Iterator[Claim]:
    """Whether draws are permutations of each other or rotations, the last layer."""
    last = rows[(rows.layer == rows.layer.max()) & rows.source.isin(["sampled", "prior"])].copy()
    last["excess"] = last.permutation - last.rotation
    low = last.temperature.min()
    excess = {each: _by_chain(last[last.activation == each], "excess") for each in present}
    said = "distance by permutation less that by rotation, last layer"
    if "sigmoid" in present:
        hot = last[np.isfinite(last.temperature)].temperature.max()
        found = over_tasks(excess["sigmoid"][hot] - excess["sigmoid"][low])
        if hot > low:
            yield claim_over_chains(
                "Cold sigmoid networks are more nearly permutations of each other than hot ones",
                "here",
                f"{said}, T = {hot:g} less {low:g}, {of_inputs}",
                "above 0",
                found,
                above(found, 0.0),
            )
    for activation in (each for each in ("sigmoid", "relu") if {each, "linear"} <= set(present)):
        found = over_tasks(excess["linear"][low] - excess[activation][low])
        yield claim_over_chains(
            f"Draws of {named(activation)} networks are nearer to permutations than those of linear ones",
            "derived here",
            f"{said}, linear less {named(activation)}, T = {low:g}, {of_inputs}",
            "above 0",
            found,
            above(found, 0.0),
        )


def _trusted(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of temperatures at which all runs are converged, and of the prior; all, where none is."""
    wrong = set(rows[rows.trust.isin(["not converged", "no"])].temperature)
    kept = rows[~rows.temperature.isin(wrong)]
    return kept if (kept.source == "sampled").any() else rows


def _by_chain(rows: pd.DataFrame, name: str, temperature: float | None = None) -> pd.DataFrame:
    """(chain, layer) at a temperature, or (chain, temperature) of one layer."""
    if temperature is None:
        return rows.pivot_table(name, "chain", "temperature")
    return rows[rows.temperature == temperature].pivot_table(name, "chain", "layer")
