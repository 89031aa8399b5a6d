"""The minimum of the regularised loss, by closed forms and by a certified solver."""

from codingschemes.theory.global_minimum.theory import global_minimum

__all__ = ["global_minimum"]
