"""What to see in every figure."""

CAPTIONS = {
    "layers": (
        "Every layer",
        "Above, activity of all neurons in the last draw of chain 0, each row a neuron, sorted by code; below, the "
        "posterior mean of each layer's kernel. Blocks grow sharper from layer to layer; kernels look alike "
        "whatever the scheme, which is in the title of each column.",
    ),
    "activity": (
        "Activity of all neurons",
        "Each row is a neuron in the last draw of a chain, each column a training input: blocks of equal rows are "
        "codes, rows in all shades are an analog code, a few bright rows beside a faint bulk are outliers.",
    ),
    "codes": (
        "How many neurons carry each code",
        "Bars are means over draws and chains of the share of neurons with a code (one bit a class, in label order), "
        "lines hold 95% of the draws, markers are the chains: where they lie apart, the bars depend on where the "
        "chains started.",
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
        "Each point is a quantity of the table beside the theory, with two Monte Carlo errors: points on the line "
        "agree; squares, if any, were given to the theory and say nothing of it. Theories of infinite width miss a "
        "network of N neurons by a part of order 1/N.",
    ),
    "traces": (
        "Chains",
        "Chains that overlap agree and level traces have settled. Right, the difference between the cumulative "
        "distribution of a chain's ranks among all draws and the uniform one; p is the chance of such ranks if all "
        "chains drew from one distribution, dots are the ranks that make it small. A small p says that chains differ, "
        "R-hat by how much: a few small ones beside an R-hat near 1 are no alarm.",
    ),
    "convergence": (
        "Convergence",
        "R-hat and effective sample size of every recorded invariant, over all chains together (raw weights are not "
        "identified under permutations of neurons): a run has converged where every entry is left of the line of R-hat "
        "and right of that of effective draws.",
    ),
    "map": (
        "Map of coding schemes",
        "Small points are draws, crosses the mean of a layer. Up: the fewer neurons carry the class-specific "
        "output. Right: the nearer class means of the other neurons are to two levels; left: the more graded they are. "
        "Pure schemes are at the corners, mixtures between them, and neurons that hardly tell classes apart at the "
        "middle of the base. A hollow diamond is the mean of networks whose neurons were drawn from a theory of the "
        "last layer.",
    ),
}
"""Title and caption of every figure."""

GLOSSARY = {
    "code": ("code", "Which classes a neuron answers to: one bit a class, in label order; 1 where it is active."),
    "redundant": ("redundant", "A few codes, each shared by many neurons."),
    "sparse": ("sparse", "A few strong neurons, outliers, carry the class-specific output; the rest hardly differ."),
    "analog": ("analog", "All neurons answer in graded strength, as one cloud without clusters."),
    "undecided": (
        "undecided",
        "No scheme has a probability of .9 or more. Where one has a chance the three scores are given instead, "
        "otherwise the coordinates: such a population is in between, which is no lack of evidence.",
    ),
    "outlier": ("outlier", "A neuron whose activity times readout stands far above that of all others."),
    "class-specific-output": (
        "class-specific output",
        "What is left of the network's output at a class after its mean over classes is taken off: the part that tells "
        "classes apart.",
    ),
    "invariant": (
        "invariant",
        "A quantity that does not change when neurons are permuted, such as energy, outputs, kernels and quantiles of "
        "norms. Single weights do change, so convergence is judged by invariants.",
    ),
    "r-hat": ("R-hat", "Spread of all draws over that within chains; 1 where chains agree, at most 1.05 here."),
    "effective-draws": (
        "effective draws",
        "How many independent draws would give the same error (effective sample size, ESS); at least 100 here.",
    ),
    "monte-carlo-error": ("Monte Carlo error", "Standard error of a mean over draws, from their effective number."),
    "kernel": ("kernel", "K = ΦᵀΦ/N, the similarity of the network's responses Φ to two inputs, over N neurons."),
    "energy": ("energy", "The regularised loss: squared error plus the penalties of the weights."),
    "given": ("given", "Handed to the theory from the run, so not predicted; there is nothing to compare."),
    "z": ("z", "Sampled less predicted, in Monte Carlo errors."),
    "collapse": (
        "collapse",
        "How far the activity of a layer has become one answer a class: the share of its variance over inputs that "
        "lies within classes, and NC1, the scatter within classes over that between class means (Papyan, Han & Donoho "
        "2020); both 0 at full collapse.",
    ),
    "drift": (
        "drift",
        "Change of what neurons answer to along a local dynamics (Langevin, HMC), which moves all weights a little at "
        "a time; moves of single neurons between codes belong to a sampler and say nothing of it.",
    ),
    "direct-readout": (
        "direct readout",
        "What stands in for a readout in lower layers: the one that the layer would have if it were the last.",
    ),
    "parallelism": (
        "parallelism",
        "Whether a factor moves the representation in the same direction whatever the others.",
    ),
    "ccgp": ("CCGP", "Cross-condition generalization: accuracy of a decoder on conditions it was not trained on."),
    "shattering": ("shattering", "Share of all two-way splits of the classes that a linear decoder can learn."),
}
"""Anchor -> word and what it means here."""

EVIDENCE = {
    "concentrated": "how few neurons carry the class-specific output: 0 as in a Gaussian cloud, 1 a single one",
    "binary": "what is left of 1, as far as the other neurons' class means have two levels",
    "graded": "what is left of 1, as far as they have levels in between",
    "unspecific": "what is left of 1, as far as they hardly tell classes apart",
    "carriers": "fewest neurons with 90% of the class-specific output",
    "gaussian_carriers": "as many in a Gaussian cloud with the same moments",
    "effective_neurons": "how many neurons carry the class-specific output, on the whole",
    "gaussian_neurons": "as many in that Gaussian cloud",
    "outliers": "neurons that carry more than such a cloud explains",
    "outlier_share": "their part of the class-specific output",
    "two_levels": "share of the variance of class means that two levels explain: 0.64 for a Gaussian, 1 for two points",
    "selectivity": "variance of class means over that of their errors: 1 for neurons that tell no classes apart",
    "crowding": "how much closer neighbours are than in a Gaussian cloud, in nats",
    "activity_kurtosis": "log kurtosis of class means: 1.1 for one Gaussian cloud",
    "readout_kurtosis": "the same of readouts",
    "balance": "correlation over neurons of telling classes apart and of being read out",
    "decided": "share of the bits of all neurons that are decided",
    "coded": "share of the neurons that have a code",
    "codes": "different codes",
    "neurons": "of the population",
}
"""Statistic of `Evidence` -> what it means."""
