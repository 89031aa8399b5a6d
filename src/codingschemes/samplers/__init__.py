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
from codingschemes.samplers.foreign import from_blackjax
from codingschemes.samplers.kernel import DEEPEST_TREE, SAMPLERS, Info, Kernel, Sampler, Settings, default_sampler
from codingschemes.samplers.own import register_sampler, sampler_named
from codingschemes.samplers.settling import begin, settle

#: Samplers of the package itself: others are recorded with where they come from.
BUILT_IN = frozenset(SAMPLERS)

__all__ = [
    "BUILT_IN",
    "DEEPEST_TREE",
    "SAMPLERS",
    "Info",
    "Kernel",
    "Sampler",
    "Settings",
    "begin",
    "default_sampler",
    "from_blackjax",
    "register_sampler",
    "sampler_named",
    "settle",
]
