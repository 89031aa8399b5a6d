"""Samplers by name: kernels over densities."""

from codingschemes.samplers import (  # noqa: F401  (each registers itself)
    blackjax_nuts,
    codes,
    hmc,
    langevin,
    mala,
    mclmc,
    nuts,
    pcnl,
)
from codingschemes.samplers.kernel import SAMPLERS, Info, Kernel, Settings

__all__ = ["SAMPLERS", "Info", "Kernel", "Settings"]
