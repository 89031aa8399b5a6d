"""What training, samples, channels and recovery say of each claim."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from codingschemes.studies.manifolds.gated import GATED, NEURONS, SINES, WIDTHS
from codingschemes.studies.manifolds.redundancy import AT, POSTERIOR, TRAINED
from codingschemes.studies.manifolds.training import TOLERANCE, narrow, passed
from codingschemes.studies.study import NAMES, Claim, above, agrees, below, claim_of, named, over_tasks

_PAPER, _CHANNELS = "Zhao, Luo & Zhang", "Martinelli et al. 2025"
#: Distances that count as on a manifold, and as away from all; on one for training that has come to rest.
_ON, _AWAY, _AT_REST = 0.05, 0.1, 1e-6
#: Samples at a posterior's temperature are further from all manifolds than this.
_THERMAL = 0.01
#: Relative test error below which a teacher is recovered.
_RECOVERED = 0.1
#: Error of students that have gone far enough to see a channel's limit.
FAR = 1e-6
#: How far an exponent may be off on the way to the limit.
_SLOPES = 0.5
_TAUGHT = {GATED: "one gated unit", NEURONS: "two neurons"}


def claims(table: pd.DataFrame, sizes: tuple[float, ...]) -> Iterator[Claim]:
    """Those that the settings of the table allow.

    Args:
        table: the numbers of the study.
        sizes: of first weights, small and large.
    """
    yield from _of_training(table[table.part == "training"], sizes)
    yield from _of_redundancy(table[table.part == "redundancy"])
    yield from _of_channels(table[table.part == "channels"])
    yield from _of_recovery(table[table.part == "recovery"])


def _of_training(rows: pd.DataFrame, sizes: tuple[float, ...]) -> Iterator[Claim]:
    paths = passed(rows)
    neurons = int(rows.direction.max())
    small, large = (paths[paths["size"] == size] for size in sizes)
    for activation in dict.fromkeys(paths.activation):
        own, name = small[small.activation == activation], NAMES.get(activation, activation)
        condensed, wide = over_tasks(own.fewest_directions), large[large.activation == activation].fewest_directions
        yield claim_of(
            f"Directions of {named(activation)} neurons condense when training starts from small weights",
            _PAPER,
            f"fewest directions of {neurons}, tolerance {TOLERANCE:g}; from large weights {wide.mean():.3g}",
            f"below {neurons / 3:.3g}",
            condensed,
            below(condensed, neurons / 3),
            "starts",
        )
        near = over_tasks(own.nearest_few)
        ray = activation == "relu"
        yield claim_of(
            f"{name} paths {'pass a manifold' if ray else 'pass no manifold'} of few neurons: "
            + ("lengths are free" if ray else "directions align, lengths do not"),
            "derived here",
            f"smallest relative distance to a manifold of at most {narrow(neurons)} neurons",
            f"below {_ON:g}" if ray else f"above {_AWAY:g}",
            near,
            below(near, _ON) if ray else above(near, _AWAY),
            "starts",
        )
        later = over_tasks(own.last_direction - own.fewest_directions)
        yield claim_of(
            f"Condensation of {named(activation)} neurons is passed, and left",
            "here",
            "directions at the end less the fewest",
            "above 0",
            later,
            above(later, 0.0),
            "starts",
        )


def _of_redundancy(rows: pd.DataFrame) -> Iterator[Claim]:
    if rows.empty or rows.width.nunique() < 2:
        return
    narrow, wide = int(rows.width.min()), int(rows.width.max())
    at = rows[np.isclose(rows.tolerance, AT) & (rows.source == POSTERIOR)]
    by_chain = at.pivot_table("distinct", "chain", ["level", "width"])
    where = f"tolerance {AT:.2g}, N = {wide} over N = {narrow}"
    codes = over_tasks(by_chain["codes"][wide] / by_chain["codes"][narrow])
    yield claim_of(
        "Redundancy: wider networks have no more codes",
        "here",
        f"ratio of distinct codes, {where}",
        f"1, not {wide / narrow:g}",
        codes,
        below(codes, (1 + wide / narrow) / 2),
        "chains",
    )
    weights = over_tasks(by_chain["weights"][wide] / wide)
    yield claim_of(
        "Weights of redundant neurons do not condense",
        "here",
        f"share of neurons with weights of their own, N = {wide}, tolerance {AT:.2g}",
        "above 0.9",
        weights,
        above(weights, 0.9),
        "chains",
    )
    near = rows[(rows.width == wide)].dropna(subset=["nearest"]).groupby(["source", "chain"]).nearest.first()
    away = over_tasks(near[POSTERIOR])
    yield claim_of(
        "Posterior samples are on no smaller manifold",
        "derived here",
        f"relative distance to the nearest one, N = {wide}",
        f"above {_THERMAL:g}",
        away,
        above(away, _THERMAL),
        "chains",
    )
    if TRAINED in near:
        rest = over_tasks(near[TRAINED])
        yield claim_of(
            "Training in the same loss from small weights ends on one",
            "here",
            f"relative distance to the nearest one, N = {wide}",
            f"below {_AT_REST:g}",
            rest,
            below(rest, _AT_REST),
            "starts",
        )
    pairs = rows[rows.source == POSTERIOR].dropna(subset=["channels"]).channels
    found = over_tasks(pairs)
    yield claim_of(
        "Posterior samples are in no channel: the prior bounds readouts",
        "derived here",
        "channels a network, all widths",
        "below 0.05",
        found,
        below(found, 0.05),
        "chains",
    )


def _of_channels(rows: pd.DataFrame) -> Iterator[Claim]:
    last = rows[rows.step == rows.step.max()]
    held = (last.channels > 0).astype(float)
    for teacher, said in ((GATED, "Students of a gated unit"), (SINES, "Students of other targets, too,")):
        found = over_tasks(held[last.teacher == teacher])
        yield claim_of(
            f"{said} end in channels to infinity",
            _CHANNELS,
            f"share of students ({WIDTHS[teacher]} neurons) with a pair whose readouts grow apart as weights meet",
            "above 0",
            found,
            above(found, 0.0),
            "students",
        )
    for teacher, said, predicted in (
        (GATED, "What two neurons can fit at infinity alone, they fit in a channel", 1.0),
        (NEURONS, "What two neurons can fit, they fit outside of channels", 0.0),
    ):
        fitted = held[(last.teacher == teacher) & (last.loss < FAR)]
        if len(fitted) > 1:
            found = over_tasks(fitted)
            yield claim_of(
                said,
                "derived here",
                f"share in channels, of {len(fitted)} students of {_TAUGHT[teacher]} with errors below {FAR:g}",
                f"{predicted:g}",
                found,
                agrees(found, predicted),
                "students",
            )
    far = last[(last.teacher == GATED) & (last.loss < FAR) & last["product"].notna()]
    if len(far) > 1:
        product = over_tasks(far["product"])
        yield claim_of(
            "In a channel distance of readouts times distance of weights stays what the gated unit asks for",
            "derived here",
            f"|a_i - a_j| |w_i - w_j| over 2 |v|, {len(far)} students with errors below {FAR:g}",
            "1 to within 0.01",
            product,
            below(over_tasks((far["product"] - 1).abs()), 0.01),
            "students",
        )
        unit = over_tasks(far.from_unit)
        yield claim_of(
            "Two neurons in a channel are a gated linear unit",
            _CHANNELS,
            "relative distance of the outputs of the pair and of the unit, the same students",
            "below 0.01",
            unit,
            below(unit, 0.01),
            "students",
        )
        paths = rows[(rows.teacher == GATED)].set_index(["activation", "seed"])
        keys = list(zip(far.activation, far.seed, strict=True))
        slopes = [_slope(paths.loc[key]) for key in keys]
        slope = over_tasks(slopes)
        yield claim_of(
            "The loss in a channel falls with the fourth power of the distance of weights",
            "derived here",
            "slope of log loss against log |w_i - w_j| over the last three looks",
            f"4 to within {_SLOPES:g}",
            slope,
            below(over_tasks([abs(each - 4) for each in slopes]), _SLOPES),
            "students",
        )


def _slope(path: pd.DataFrame) -> float:
    late = path.sort_values("step").iloc[-3:]
    return float(np.polyfit(np.log(late.gap), np.log(late.loss), 1)[0])


def _of_recovery(rows: pd.DataFrame) -> Iterator[Claim]:
    small, large = rows["size"].min(), rows["size"].max()
    by = rows.pivot_table("test_error", "seed", ["size", "samples"])
    enough = [each for each in sorted(set(rows.samples)) if 12 < each < 180]
    if not enough:
        return
    at = 24 if 24 in enough else enough[-1]
    found = over_tasks(by[small][at])
    yield claim_of(
        "A student of 180 weights recovers a teacher of 12 from fewer samples than weights if it starts small",
        _PAPER,
        f"relative test error, {at:g} samples",
        f"below {_RECOVERED:g}",
        found,
        below(found, _RECOVERED),
        "teachers",
    )
    better = over_tasks(np.log10(by[large][at] / by[small][at]))
    yield claim_of(
        "From large weights it does not",
        _PAPER,
        f"log10 of the test error from large weights over that from small ones, {at:g} samples",
        "above 0",
        better,
        above(better, 0.0),
        "teachers",
    )
    few = [each for each in sorted(set(rows.samples)) if each <= 12]
    if few:
        fewer = over_tasks(by[small][few[-1]])
        yield claim_of(
            "As many samples as the teacher has weights do not do",
            "here",
            f"relative test error from small weights, {few[-1]:g} samples",
            f"above {_RECOVERED:g}",
            fewer,
            above(fewer, _RECOVERED),
            "teachers",
        )
