"""Populations in which what is asked about is broken and all else is kept."""

import numpy as np
from jaxtyping import Float

from codingschemes.populations.geometry import Samples

LABELS = "labels shuffled over samples"
GEOMETRY = "geometry broken: each class's pattern dealt anew to the neurons"


def class_patterns(samples: Samples) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Mean of each neuron over classes, and its scale: root mean square over classes of its deviation from that mean
    in single samples, every class with the same weight."""
    means = samples.sums(np.ones(len(samples.labels))) / samples.sizes[:, None]
    centre = means.mean(0)
    squares = samples.sums(np.ones(len(samples.labels)), (samples.activity - centre) ** 2) / samples.sizes[:, None]
    return centre, np.sqrt(squares.mean(0))


def break_geometry(samples: Samples, rng: np.random.Generator) -> Float[np.ndarray, "P N"]:
    """Activities whose classes lie in unrelated directions.

    For each class apart, which neuron carries which part of the class's pattern is dealt anew, noise included, in units
    of each neuron's own scale. What is kept: every class's distance from the centre and distances between its samples
    (in these units), the mean and scale of each neuron, and how well classes can be told apart; what goes is any
    relation between classes, as that a factor moves all of them in one direction. (The geometric null of Bernardi et
    al., Cell 183, 954, 2020, which permutes neurons as they are.)

    Deviations of G classes from their own centre sum to zero, unrelated ones do not: they are longer by
    sqrt(G / (G - 1)) for the same distances between classes.
    """
    centre, scale = class_patterns(samples)
    units = np.divide(samples.activity - centre, scale, out=np.zeros_like(samples.activity), where=scale > 0)
    classes = len(samples.sizes)
    longer = np.sqrt(classes / (classes - 1)) - 1
    dealt = np.empty_like(units)
    for first, end in zip(samples.edges[:-1], samples.edges[1:], strict=True):
        block = units[first:end]
        dealt[first:end] = (block + longer * block.mean(0))[:, rng.permutation(units.shape[1])]
    return centre + scale * dealt
