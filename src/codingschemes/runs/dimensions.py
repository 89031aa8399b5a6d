"""The one place that names the dimensions of stored arrays (after `chain` and `draw`)."""

#: group -> variable -> dimensions.
DIMENSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "posterior": {
        "energy": (),
        "training_loss": (),
        "training_error": (),
        "outputs": ("sample", "output"),
        "kernel_block": ("layer", "class", "other_class"),
        "kernel_diagonal": ("layer", "class"),
        "kernel_eigenvalue": ("layer", "rank"),
        "activity_norm_quantile": ("layer", "quantile"),
        "readout_norm_quantile": ("quantile",),
        "virial": (),
        "gradient": ("direction",),
    },
    "neurons": {
        "preactivation": ("layer", "neuron", "sample"),
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
