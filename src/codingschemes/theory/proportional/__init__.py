"""The proportional limit: as many samples as neurons, kernels of random networks that learning rescales."""

from codingschemes.theory.proportional.theory import proportional

__all__ = ["proportional"]
