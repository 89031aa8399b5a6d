"""Shapes of no scheme that the verdict was not fitted to: it should not be certain of them."""

import numpy as np
from jaxtyping import Float, Int

from codingschemes.coding.outliers import carriers, output_parts
from codingschemes.coding.planted.labelled import Planted, any_unit, class_labels, planted
from codingschemes.coding.planted.neurons import gaussian_latents
from codingschemes.coding.population import population

FOREIGN = ("rectified cloud", "rectified drives", "log-normal cloud", "heavy tails", "two sizes", "three levels")


def plant_foreign(
    kind: str, rng: np.random.Generator, size: int, labels: Int[np.ndarray, " P"] | None = None
) -> Planted:
    """A random population of one of the kinds of `FOREIGN`.

    `rectified cloud`: see `plant_rectified`. `rectified drives`: the same with independent readouts and any number of
    neurons that carry the output. `log-normal cloud`: positive and skewed. `heavy tails`: Student's law with 2 to 4
    degrees of freedom. `two sizes`: a Gaussian cloud, 5 to 40 % of whose neurons are six times as large in activity and
    readout. `three levels`: class means are silent, half active or active.
    """
    labels, classes = class_labels(labels, 3)
    if kind == "rectified cloud":
        return plant_rectified(rng, size, labels=labels)
    means: Float[np.ndarray, "N G"] = rng.standard_normal((size, classes))
    readout = means + 0.3 * rng.standard_normal((size, classes))
    match kind:
        case "rectified drives":
            means, readout = np.maximum(means - rng.uniform(0.5, 2), 0), rng.standard_normal((size, classes))
        case "log-normal cloud":
            means = np.exp(rng.uniform(0.5, 1.5) * means)
        case "heavy tails":
            freedom = rng.uniform(2, 4)
            means = rng.standard_t(freedom, (size, classes))
            readout = means + 0.3 * rng.standard_t(freedom, (size, classes))
        case "two sizes":
            large = np.where(rng.random((size, 1)) < rng.uniform(0.05, 0.4), 6.0, 1.0)
            means, readout = large * means, large * readout
        case "three levels":
            means = rng.integers(0, 3, (size, classes)) / 2
            readout = means - 0.5 + 0.3 * rng.standard_normal((size, classes))
        case _:
            raise ValueError(f"there is no foreign population {kind!r}")
    activity = means[:, labels] + 0.1 * rng.standard_normal((size, len(labels)))
    return planted("undecided", kind, "unbounded", any_unit(rng, "unbounded", activity), readout, labels)


def plant_rectified(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """One Gaussian cloud of drives, rectified a quarter to one and a half standard deviations above its mean, so that
    many neurons are silent for a class and the others answer in graded strength: not analog, nor sparse, as more than a
    fifth of the neurons carry the output."""
    labels, classes = class_labels(labels, classes)
    while True:
        coupled = rng.random() < 0.5
        latent = gaussian_latents(rng, size, classes, 2 * classes, None if coupled else 1.0)
        mean, readout = latent[:, :classes] - rng.uniform(0.25, 1.5), latent[:, classes:]
        if coupled:
            readout = readout + rng.uniform(0, 2) * np.maximum(mean, 0)
        spread = 0.7 * noise * rng.random()
        activity = np.maximum(mean[:, labels] + spread * rng.standard_normal((size, len(labels))), 0)
        if carriers(output_parts(population(activity, readout, labels))) > size / 5:
            activity = any_unit(rng, "unbounded", activity)
            return planted("undecided", "rectified cloud", "unbounded", activity, readout, labels)
