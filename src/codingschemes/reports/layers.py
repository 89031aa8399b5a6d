"""The layers of a network side by side: what its neurons do, and the kernels that this makes."""

import numpy as np
from matplotlib.figure import Figure

from codingschemes.coding.summary import Summary
from codingschemes.reports.populations import draw_activity
from codingschemes.reports.responses import draw_kernel
from codingschemes.reports.style import activity_scale, code_colors, styled
from codingschemes.tasks import Task

MOST_LAYERS = 4


@styled()
def layers(summary: Summary, task: Task) -> Figure:
    """Activity in the last draw of the first chain above, neurons sorted by code, and mean kernels below, a column a
    layer, as van Meegen & Sompolinsky 2025 show them; of more than four layers the first, the last and two in between.

    Colours are on a scale of each layer's own: what is faint beside another layer is seen.
    """
    count = len(summary.layers)
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_LAYERS)).round().astype(int))
    figure = Figure(figsize=(10, 8.2 if len(chosen) < MOST_LAYERS else 7.2), layout="constrained")
    grid = figure.subplots(2, len(chosen), squeeze=False, height_ratios=[1.25, 1])
    colors = code_colors(summary)
    for (above, below), index in zip(grid.T, chosen, strict=True):
        layer = summary.layers[index]
        norm, colormap, remark = activity_scale(layer.portraits[:1])
        image = draw_activity(above, layer.portraits[0], task, colors, norm, colormap)
        above.set_title(f"{summary.layer_name} {index + 1}: {layer.scheme.label}")
        figure.colorbar(image, ax=above, location="bottom", label=f"activity φ(z){remark}", aspect=25, shrink=0.9)
        kernel = draw_kernel(below, layer.kernels, task)
        figure.colorbar(kernel, ax=below, location="bottom", label="kernel K", extend="max", aspect=25, shrink=0.9)
    for axes in grid[:, 1:].flat:
        axes.set_ylabel("")
    return figure
