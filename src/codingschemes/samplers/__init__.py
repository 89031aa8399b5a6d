"""Samplers by name: kernels over densities."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
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
from codingschemes.samplers.settling import begin, settle

__all__ = ["SAMPLERS", "Info", "Kernel", "Settings", "begin", "settle"]
