"""Samplers by name: kernels over densities."""

from codingschemes.samplers import codes, hmc, langevin, mala, mclmc, nuts, pcnl  # noqa: F401  (each registers itself)
from codingschemes.samplers.kernel import SAMPLERS, Info, Kernel, Settings

__all__ = ["SAMPLERS", "Info", "Kernel", "Settings"]
