"""How far a layer has collapsed: neural collapse, and the spread of activity within classes."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int

from codingschemes.representation import neural_collapse


@dataclass(frozen=True)
class Collapse:
    """Signs that a layer answers to a class as a whole; all 0 at full collapse, NaN where undefined.

    Attributes:
        nc1: tr(S_W S_B^+) / G: scatter within classes over that between their means.
        nc2_norms: coefficient of variation over classes of the distance of class means from their centre.
        nc2_angles: standard deviation over pairs of classes of the cosine between class means, from their centre.
        nc2_simplex: mean over pairs of |cosine + 1 / (G - 1)|, the distance from the widest equal angles.
        nc3: squared distance between readouts and class means from their centre, both normalised.
        nc4: share of inputs whose largest output is not of the class whose mean is nearest.
        spread_within: tr(S_W) / tr(S_T), the share of the variance over inputs that lies within classes, 0 to 1. (One
            less the squared correlation ratio of Fisher 1925.)

    The NC of Papyan, Han & Donoho (PNAS 117:24652, 2020) as `representation.neural_collapse` has them. NC3 and NC4
    compare classes with readouts: of the last layer alone, and where there is one output a class.
    """

    nc1: float
    nc2_norms: float
    nc2_angles: float
    nc2_simplex: float
    nc3: float
    nc4: float
    spread_within: float


def collapse_of(
    activity: Float[np.ndarray, "N P"], labels: Int[np.ndarray, " P"], readout: Float[np.ndarray, "N C"] | None = None
) -> Collapse:
    """Of one layer of one network.

    Args:
        activity: (neuron, sample).
        readout: of a last layer with one output a class, in label order; None elsewhere.
    """
    found = neural_collapse(activity.T, labels, readout)
    return Collapse(
        nc1=_number(found.variability),
        nc2_norms=_number(found.norm_variation),
        nc2_angles=_number(found.angle_variation),
        nc2_simplex=_number(found.angle_excess),
        nc3=_number(found.self_duality),
        nc4=_number(found.nearest_mean_mismatch),
        spread_within=spread_within(activity, labels),
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def spread_within(activity: Float[np.ndarray, "N P"], labels: Int[np.ndarray, " P"]) -> float:
    """tr(S_W) / tr(S_T); NaN where no neuron tells inputs apart."""
    members = np.eye(labels.max() + 1)[labels]
    means = activity @ (members / members.sum(0))
    total = float(np.sum((activity - activity.mean(1, keepdims=True)) ** 2))
    return float(np.sum((activity - means[:, labels]) ** 2)) / total if total else float("nan")


def mean_collapse(found: Sequence[Collapse]) -> Collapse:
    """Mean over networks in which each is defined."""
    names = [field.name for field in fields(Collapse)]
    values = np.array([[getattr(each, name) for name in names] for each in found])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        return Collapse(*np.nanmean(values, axis=0).tolist())
