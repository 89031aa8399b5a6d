"""The lazy limit: Gaussian-process regression with the kernel of random features."""

from codingschemes.theory.lazy.theory import lazy, prior_kernel

__all__ = ["lazy", "prior_kernel"]
