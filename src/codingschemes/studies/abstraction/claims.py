"""What the scores say of each claim."""

from collections.abc import Iterator

import pandas as pd

from codingschemes.studies.abstraction.geometries import CONDITIONS, CONTEXT, IMAGES, LABELS, WITH_XOR, XOR
from codingschemes.studies.study import Claim, OverTasks, above, agrees, below, claim_of, over_tasks

_PAPER = "Wang, Johnston & Fusi 2025"
#: How near 1, or -1, a score of single networks has to be: thermal noise takes .01 to .03 at T = 3e-4 lambda.
_NEAR = 0.05


def claims(table: pd.DataFrame) -> Iterator[Claim]:
    """Those that the geometries of the table allow.

    Args:
        table: the numbers of the study.
    """
    present = set(table[table.source == "sampled"].geometry)
    sampled = set(table[table.source == "sampled"].alignment)
    plain, aligned = table[table.alignment == 0], table[table.alignment.isin(sampled - {0.0})]
    if LABELS in present:
        whole = _of(plain, LABELS)
        said = "Representations of labels are abstract at the minimum, whatever the penalty"
        yield _least(whole, "parallelism", said, _PAPER, f"above {1 - _NEAR:g}")
        said = "Labels that were learned in some contexts are read in all others"
        yield _least(whole, "ccgp", said, _PAPER, f"above {1 - _NEAR:g}")
        along = aligned[aligned.along == "labels"]
        if len(_of(along, LABELS)):
            said = "They are abstract however much inputs are aligned with the labels"
            yield _least(_of(along, LABELS), "parallelism", said, _PAPER, f"above {1 - _NEAR:g}")
        across = _of(aligned[aligned.along == "xor"], LABELS)
        weak, strong = across[across.alignment < 1], across[across.alignment > 1]
        if len(weak):
            said = "Inputs that differ along the XOR of the labels, with g below 1, leave them abstract"
            yield _least(weak, "parallelism", said, "derived here", f"above {1 - _NEAR:g}")
        if len(strong):
            said = "With g above 1 they are no longer abstract"
            yield _most(strong, "parallelism", said, "derived here", 0.5)
    if WITH_XOR in present:
        rows = _of(plain, WITH_XOR)
        yield _equal(rows, "parallelism", "Labels with their XOR beside them are not abstract", "control", 0.0)
        said = "and yet every dichotomy is decoded"
        yield _least(rows, "shattering", f"Labels with their XOR: {said}", "control", f"above {1 - _NEAR:g}")
    if XOR in present:
        rows = _of(plain, XOR)
        said = "Where the XOR alone is learned, the direction of each label turns round between contexts"
        yield _most(rows, "parallelism", said, "control", -1 + _NEAR)
    if CONDITIONS in present:
        said = "Where nothing ties conditions together, factors that only name them are not abstract"
        yield _equal(_of(plain, CONDITIONS), "parallelism", said, "control", 0.0)
    if CONTEXT in present:
        rows = _of(plain, CONTEXT)
        predicted = float(rows[rows.source == "solved"].ccgp.mean())
        said = "Context and stimuli are not abstract where the context chooses the stimulus that is reported"
        yield _equal(rows, "ccgp", said, "control", predicted)
    if IMAGES in present:
        yield from _of_images(_of(plain, IMAGES), _of(aligned, IMAGES))


def _of_images(plain: pd.DataFrame, aligned: pd.DataFrame) -> Iterator[Claim]:
    sampled, solved, inputs = (_by_image(plain, source) for source in ("sampled", "solved", "inputs"))
    measured = "parallelism {}, mean over penalties and activations, same draws of images"
    gain = over_tasks(_means(sampled) - _means(inputs))
    yield claim_of(
        "Parity and magnitude of images are more abstract in networks than in the images",
        "here",
        measured.format("less that of the images"),
        "above 0",
        gain,
        above(gain, 0.0),
    )
    apart = over_tasks(_means(sampled) - _means(solved))
    yield claim_of(
        "Networks that learn images are as abstract as the minimum of the loss",
        "here",
        measured.format("less that of the minimum"),
        "0 at T → 0, less above",
        apart,
        agrees(apart, 0.0),
    )
    penalties = sorted(set(plain.penalty))
    weak, strong = (_means(sampled[sampled.penalty == each]) for each in (penalties[0], penalties[-1]))
    change = over_tasks(strong - weak)
    yield claim_of(
        "Networks that are penalised more are more abstract",
        "here",
        f"parallelism at lambda = {penalties[-1]:g} less that at {penalties[0]:g}, images",
        "above 0",
        change,
        above(change, 0.0),
    )
    if len(aligned):
        strongest = aligned.alignment.max()
        penalty = aligned.penalty.iloc[0]
        at = _means(_by_image(aligned[aligned.alignment == strongest], "sampled"))
        change = over_tasks(at - _means(sampled[sampled.penalty == penalty]))
        yield claim_of(
            "Images that are aligned with the labels make networks more abstract",
            "here",
            f"parallelism at g = {strongest:g} less that at g = 0, lambda = {penalty:g}",
            "above 0",
            change,
            above(change, 0.0),
        )


def _of(table: pd.DataFrame, geometry: str) -> pd.DataFrame:
    return table[table.geometry == geometry]


def _by_setting(rows: pd.DataFrame, score: str) -> dict[str, OverTasks]:
    """Means over chains, which are independent, by setting in words."""
    sampled = rows[rows.source == "sampled"]
    found = {}
    for (activation, penalty, alignment), group in sampled.groupby(["activation", "penalty", "alignment"], sort=False):
        inputs = f", g = {alignment:g}" if alignment else ""
        found[f"{activation}, lambda = {penalty:g}{inputs}"] = over_tasks(group[score])
    return found


def _least(rows: pd.DataFrame, score: str, said: str, source: str, predicted: str) -> Claim:
    """That a score is near 1 in every setting: judged where it is smallest."""
    found = _by_setting(rows, score)
    worst = min(found, key=lambda setting: found[setting].mean)
    verdict = above(found[worst], 1 - _NEAR)
    return claim_of(said, source, _measured(score, found, worst, "smallest"), _solved(rows, score, predicted),
                  found[worst], verdict)  # fmt: skip


def _most(rows: pd.DataFrame, score: str, said: str, source: str, bound: float) -> Claim:
    """That a score is below a bound in every setting: judged where it is largest."""
    found = _by_setting(rows, score)
    worst = max(found, key=lambda setting: found[setting].mean)
    predicted = _solved(rows, score, f"below {bound:g}")
    return claim_of(said, source, _measured(score, found, worst, "largest"), predicted, found[worst],
                  below(found[worst], bound))  # fmt: skip


def _equal(rows: pd.DataFrame, score: str, said: str, source: str, value: float) -> Claim:
    """That a score has a value, the same in all settings: judged by all chains of all settings."""
    sampled = rows[rows.source == "sampled"]
    found = over_tasks(sampled[score])
    settings = len(sampled.groupby(["activation", "penalty", "alignment"]))
    measured = f"{score}, mean over {len(sampled)} chains at {settings} settings"
    return claim_of(said, source, measured, _solved(rows, score, f"{value:.3g}"), found, agrees(found, value))


def _measured(score: str, found: dict[str, OverTasks], worst: str, extreme: str) -> str:
    return f"{extreme} {score} at {len(found)} setting{'s' if len(found) > 1 else ''} ({worst}); error over chains"


def _solved(rows: pd.DataFrame, score: str, predicted: str) -> str:
    """What is claimed, and what the minima of the same rows say."""
    values = rows[rows.source == "solved"][score].dropna()
    if values.empty:
        return predicted
    low, high = (f"{each:z.3f}" for each in (values.min(), values.max()))
    return f"{predicted}; minima {low}" + ("" if low == high else f" to {high}")


def _by_image(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    return rows[rows.source == source]


def _means(rows: pd.DataFrame) -> pd.Series:
    """Of parallelism, by draw of the images: chains, then settings."""
    settings = rows.groupby(["task", "activation", "penalty"]).parallelism.mean()
    return settings.groupby("task").mean()
