"""Does feature learning help on images not seen before? Learning curves of sampled networks beside Gaussian processes
and networks trained by gradient descent."""

from codingschemes.studies.generalisation.study import DATASETS, GeneralisationStudy

__all__ = ["DATASETS", "GeneralisationStudy"]
