"""What to see in every figure."""

CAPTIONS = {
    "activity": (
        "Activity of all neurons",
        "Each row is a neuron in the last draw of a chain, each column a training input: blocks of equal rows are "
        "codes, rows in all shades are an analog code, a few bright rows beside a faint bulk are outliers.",
    ),
    "codes": (
        "How many neurons carry each code",
        "Bars are posterior means of the share of neurons with a code (one bit a class, in label order); markers that "
        "lie apart are chains that keep the shares of their starts.",
    ),
    "contributions": (
        "Who carries the output",
        "Left, the part of the class-specific output that each neuron carries, largest first: a few neurons far above "
        "equal parts are a sparse code; right, activity and readout of the same neurons.",
    ),
    "neurons": (
        "Single neurons",
        "Each point is a neuron of the chains' last draws: one cloud is an analog code, separate clusters are a "
        "redundant code, a bulk with distant points is a sparse code.",
    ),
    "distributions": (
        "Single-neuron posteriors",
        "Pooled over draws and chains: one broad peak is an analog code, separate peaks are a redundant code, a narrow "
        "bulk with rare large values is a sparse code.",
    ),
    "kernel": (
        "Kernel",
        "Posterior mean of the representational kernel K = ΦᵀΦ/N: it groups inputs by class in all three coding "
        "schemes, so the scheme cannot be read from it.",
    ),
    "predictions": (
        "Outputs",
        "Posterior mean output at every input, one panel an output, against the targets; at a temperature above zero "
        "points stay short of them.",
    ),
    "theory": (
        "Sampled beside predicted",
        "Each point is a quantity of the table below, with two Monte Carlo errors: points on the line agree; theories "
        "of infinite width miss a network of N neurons by a part of order 1/N.",
    ),
    "traces": (
        "Chains",
        "Chains that overlap agree and level traces have settled; p is the chance of such ranks if all chains drew "
        "from one distribution, which chains that keep different codes do not.",
    ),
    "convergence": (
        "Convergence",
        "R-hat and effective sample size of every recorded invariant, over all chains together (raw weights are not "
        "identified under permutations of neurons); lines mark the usual thresholds.",
    ),
}
"""Title and caption of every figure."""
