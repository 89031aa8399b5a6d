"""Is a population like those that a scheme is known by?

The verdict's probabilities are frequencies among planted populations. Of shapes unlike all of these they say nothing,
however near to one they are. So a scheme is given to a population only where populations of that scheme are its
neighbours, in six traits:

- binary, crowding, and log (effective neurons / Gaussian ones), as in the verdict's evidence, crowding times what
  concentration leaves: what a bulk does counts only as far as it carries output;
- log kurtosis over all neurons of class means, and of readouts: 3 for one Gaussian cloud, less for codes, large where
  few neurons stand out;
- balance: the correlation over neurons of how strongly they tell classes apart and of how strongly they are read out.
  Learned neurons are strong in both or in neither; a cloud that is rectified, whatever its readouts, is not.

Where nobody knows the readouts, what stands in for them is made of the activity; the last two traits would say nothing
of their own, and are left out.

The distance to the fifth neighbour, in units of the covariance of these traits among the populations of a scheme, is
compared with the same distance of each of them from the others: where fewer than `UNLIKE` of these are as far from the
rest, the scheme's populations do not reach there (a conformal p-value: Laxhammar & Falkman, Ann. Math. Artif. Intell.
74, 67, 2015). So many of the populations of a scheme are, by construction, taken for something else.
"""

from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from codingschemes.coding.population import ClassMeans

UNLIKE = 0.002
NEIGHBOURS = 5


class Support(NamedTuple):
    """Where populations of a scheme are.

    Attributes:
        scale: of traits, so that their covariance is the identity, (trait, trait).
        tree: of scaled traits.
        reach: the distance to the fifth neighbour that all but `UNLIKE` of them keep within.
    """

    scale: Float[np.ndarray, "T T"]
    tree: cKDTree
    reach: float


def log_kurtosis(values: Float[np.ndarray, "N D"]) -> float:
    """log of the fourth moment over neurons in standard units, mean over columns; log 3 for Gaussian ones."""
    centred = values - values.mean(axis=0)
    spread = np.sqrt(np.mean(centred**2, axis=0))
    moments = np.mean((centred[:, spread > 0] / spread[spread > 0]) ** 4, axis=0)
    return float(np.log(moments.mean())) if moments.size else 0.0


def balance(neurons: ClassMeans) -> float:
    """Correlation over neurons of the norms of class-specific activity and of readouts; 0 where neither varies."""
    contrast = neurons.activity - neurons.activity.mean(axis=1, keepdims=True)
    norms = [np.linalg.norm(each, axis=1) for each in (contrast, neurons.readout - neurons.readout.mean(axis=0))]
    activity, readout = (each - each.mean() for each in norms)
    scale = np.sqrt(np.sum(activity**2) * np.sum(readout**2))
    return float(np.sum(activity * readout) / scale) if scale > 0 else 0.0


def support_of(traits: Float[np.ndarray, "K T"]) -> Support:
    """Where populations with these traits are."""
    scale = np.linalg.inv(np.linalg.cholesky(np.cov(traits.T))).T
    tree = cKDTree(traits @ scale)
    # the nearest neighbour of each is itself
    own = tree.query(traits @ scale, NEIGHBOURS + 1)[0][:, -1]
    return Support(scale, tree, float(np.quantile(own, 1 - UNLIKE)))


def is_like(traits: Float[np.ndarray, " T"], scheme: str, calibration: str) -> bool:
    """Whether the populations that the verdict was fitted to with this scheme reach to these traits.

    Args:
        calibration: name of the file, without its ending.
    """
    support = _calibrated(scheme, calibration)
    return bool(support.tree.query(traits @ support.scale, NEIGHBOURS)[0][-1] <= support.reach)


@cache
def _calibrated(scheme: str, calibration: str) -> Support:
    with resources.files("codingschemes.coding").joinpath(f"{calibration}.npz").open("rb") as file:
        return support_of(np.load(file)[scheme].astype(float))
