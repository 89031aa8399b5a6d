"""The lazy limit: Gaussian-process regression with the kernel of random features."""

from codingschemes.theory.lazy.theory import MANY, lazy, prior_kernel

__all__ = ["MANY", "lazy", "prior_kernel"]
