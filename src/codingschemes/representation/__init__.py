"""Array functions on activities: kernels, abstraction scores, neural collapse, similarity.

Activities are plain arrays with **samples first**, (sample, neuron), as in scikit-learn; labels are one a sample, whole
numbers, text or booleans, whose sorted order is that of the classes; factors -1/+1 have shape (class, factor), readouts
(neuron, output). What has a kernel instead of activities calls the same measure with `_from_kernel` behind its name;
`class_kernel`, `block_means` and `eigenvalues` take kernels by their nature. Wrong input raises `InvalidInput`.
"""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.representation.abstraction import (
    SCORES,
    AbstractionScores,
    abstraction_scores,
    abstraction_scores_from_kernel,
    average_scores,
)
from codingschemes.representation.collapse import NeuralCollapse, neural_collapse
from codingschemes.representation.continuous import continuous_ccgp, continuous_parallelism
from codingschemes.representation.dichotomies import balanced_dichotomies
from codingschemes.representation.generalization import (
    ccgp,
    ccgp_from_kernel,
    dichotomy_ccgp,
    dichotomy_ccgp_from_kernel,
    shattering_dimensionality,
    shattering_dimensionality_from_kernel,
)
from codingschemes.representation.kernels import (
    BlockMeans,
    block_means,
    class_kernel,
    class_means,
    eigenvalues,
    linear_cka,
    linear_cka_from_kernel,
    participation_ratio,
    participation_ratio_from_kernel,
    representational_kernel,
)
from codingschemes.representation.parallelism import (
    dichotomy_parallelism,
    dichotomy_parallelism_from_kernel,
    parallelism_score,
    parallelism_score_from_kernel,
)
from codingschemes.representation.score import Score
from codingschemes.representation.similarity import permutation_distance, rsa, shape_distance

__all__ = [
    "SCORES",
    "AbstractionScores",
    "BlockMeans",
    "NeuralCollapse",
    "Score",
    "abstraction_scores",
    "abstraction_scores_from_kernel",
    "average_scores",
    "balanced_dichotomies",
    "block_means",
    "ccgp",
    "ccgp_from_kernel",
    "class_kernel",
    "class_means",
    "continuous_ccgp",
    "continuous_parallelism",
    "dichotomy_ccgp",
    "dichotomy_ccgp_from_kernel",
    "dichotomy_parallelism",
    "dichotomy_parallelism_from_kernel",
    "eigenvalues",
    "linear_cka",
    "linear_cka_from_kernel",
    "neural_collapse",
    "parallelism_score",
    "parallelism_score_from_kernel",
    "participation_ratio",
    "participation_ratio_from_kernel",
    "permutation_distance",
    "representational_kernel",
    "rsa",
    "shape_distance",
    "shattering_dimensionality",
    "shattering_dimensionality_from_kernel",
]
