"""Populations compared: a matrix a measure, and who is near whom."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram, linkage
from scipy.spatial.distance import squareform

from codingschemes.populations import Distances
from codingschemes.populations.measures import MEASURES
from codingschemes.reports.style import panels, plain, readable_on, styled

FARTHEST = np.pi / 2
"""The largest angle: colours say how far, not which of all that are near is farther."""
MOST_NUMBERS = 8
"""Larger matrices are colours and a scale, smaller ones have their numbers."""


@styled()
def draw_distances(found: Distances) -> Figure:
    """One matrix a measure, and the dendrogram of average linkage by Procrustes distance where there are three or
    more."""
    tree = len(found.names) > 2
    figure, axes = panels(len(found.values) + tree, columns=3 if not tree else 4, height=3.2, width=12.0)
    names = [plain(name, 12) for name in found.names]
    for axis, (name, matrix) in zip(axes, found.values.items(), strict=False):
        low, high = (
            (0.0, FARTHEST) if MEASURES[name].same == 0 else (min(0.0, float(np.nanmin(matrix, initial=0.0))), 1.0)
        )
        image = axis.imshow(np.ma.masked_invalid(matrix), cmap="viridis", vmin=low, vmax=high)
        axis.set_title(MEASURES[name].title)
        axis.set_xticks(range(len(names)), names, rotation=90)
        axis.set_yticks(range(len(names)), names)
        shades = ScalarMappable(image.norm, image.cmap)
        if len(names) > MOST_NUMBERS:
            figure.colorbar(image, ax=axis, shrink=0.7)
        else:
            for (row, column), value in np.ndenumerate(matrix):
                color = readable_on(tuple(shades.to_rgba(value))) if np.isfinite(value) else "black"
                axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=color, fontsize=8)
    if tree:
        near = linkage(squareform(found.values["procrustes"], checks=False), "average")
        dendrogram(near, ax=axes[-1], labels=names, orientation="right", color_threshold=0)
        axes[-1].set(title="tree of Procrustes", xlabel="distance (rad)")
    return figure
