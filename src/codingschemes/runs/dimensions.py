"""The one place that names the dimensions of stored arrays (after `chain` and `draw`), and what lies along them."""

from collections.abc import Mapping

import numpy as np

from codingschemes.posterior import Posterior

type Coordinates = Mapping[str, np.ndarray]

#: group -> variable -> dimensions. None may be called `sample`, arviz's name for chains and draws taken together.
DIMENSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "posterior": {
        "energy": (),
        "training_loss": (),
        "training_error": (),
        "outputs": ("training_sample", "output"),
        "kernel_block": ("layer", "class", "other_class"),
        "kernel_diagonal": ("layer", "class"),
        "kernel_eigenvalue": ("layer", "rank"),
        "activity_norm_quantile": ("layer", "quantile"),
        "readout_norm_quantile": ("quantile",),
        "virial": (),
        "gradient": ("direction",),
    },
    "neurons": {
        "preactivation": ("layer", "neuron", "training_sample"),
        "readout": ("neuron", "output"),
    },
    "sample_stats": {
        "lp": (),
        "acceptance_rate": (),
        "n_steps": (),
        "diverging": (),
        "step_size": (),
        "switches": (),
    },
}

#: Levels at which a quantity is summarised over the neurons of one draw; 1 is the largest neuron.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def coordinates(posterior: Posterior) -> dict[str, np.ndarray]:
    """Names or numbers along each dimension that the task or the network fixes; layers are counted from 1."""
    task, network = posterior.task, posterior.network
    classes, outputs, samples = np.array(task.class_names), np.array(task.target_names), np.arange(task.sample_count)
    return {
        "class": classes,
        "other_class": classes,
        "output": outputs,
        "training_sample": samples,
        "other_sample": samples,
        "neuron": np.arange(network.width),
        "layer": np.arange(1, network.depth + 1),
        "quantile": np.array(QUANTILES),
    }
