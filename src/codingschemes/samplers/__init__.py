"""Samplers by name: kernels over densities."""

from codingschemes.samplers import nuts as _nuts  # registers itself
from codingschemes.samplers.kernel import SAMPLERS, Info, Kernel, Settings

nuts = _nuts.nuts

__all__ = ["SAMPLERS", "Info", "Kernel", "Settings", "nuts"]
