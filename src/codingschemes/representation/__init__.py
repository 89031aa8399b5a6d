"""Array functions on activities: kernels, abstraction scores, neural collapse, similarity.

Activities are (neuron, sample) arrays, labels integers 0..G-1 a sample, factors -1/+1 of shape (class, factor).
"""

from codingschemes.representation.abstraction import (
    SCORES,
    AbstractionScores,
    abstraction_scores,
    average_scores,
    kernel_abstraction_scores,
)
from codingschemes.representation.collapse import NeuralCollapse, neural_collapse
from codingschemes.representation.dichotomies import balanced_dichotomies
from codingschemes.representation.generalization import ccgp, dichotomy_ccgp, shattering_dimensionality
from codingschemes.representation.kernels import (
    BlockMeans,
    block_means,
    class_kernel,
    class_means,
    eigenvalues,
    linear_cka,
    participation_ratio,
    representational_kernel,
)
from codingschemes.representation.parallelism import dichotomy_parallelism, parallelism_score
from codingschemes.representation.score import Score
from codingschemes.representation.similarity import permutation_distance, rsa, shape_distance

__all__ = [
    "SCORES",
    "AbstractionScores",
    "BlockMeans",
    "NeuralCollapse",
    "Score",
    "abstraction_scores",
    "average_scores",
    "balanced_dichotomies",
    "block_means",
    "ccgp",
    "class_kernel",
    "class_means",
    "dichotomy_ccgp",
    "dichotomy_parallelism",
    "eigenvalues",
    "kernel_abstraction_scores",
    "linear_cka",
    "neural_collapse",
    "parallelism_score",
    "participation_ratio",
    "permutation_distance",
    "representational_kernel",
    "rsa",
    "shape_distance",
    "shattering_dimensionality",
]
