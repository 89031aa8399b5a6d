"""The lazy limit: Gaussian-process regression with the kernel of random features."""

from codingschemes.theory.lazy.theory import MANY, lazy, output_variance, prior_kernel

__all__ = ["MANY", "lazy", "output_variance", "prior_kernel"]
