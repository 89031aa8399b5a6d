"""Structural invariant manifolds: weights that gradient flow never leaves, on which a network is a narrower one.

Takes weights, inputs and an activation, never a run. Source of the definitions and of Theorem 3.1 (invariant manifolds
are unions of orbits): Zhao, Luo & Zhang, arXiv 2510.09564. The enumeration for two-layer networks, its counts, the
reduced dynamics, the normal Hessian and the detection were derived here.
"""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.manifolds import deep, subgroups
from codingschemes.manifolds.activation_class import ActivationClass, classify
from codingschemes.manifolds.channels import Channel, channels, gated_output, pair_of
from codingschemes.manifolds.checking import Check, check
from codingschemes.manifolds.conserved import balance_matrix, balances
from codingschemes.manifolds.counting import count, counts_by_effective_width
from codingschemes.manifolds.detection import TOLERANCES, Detection, detect, direction_widths, strict_widths
from codingschemes.manifolds.dynamics import Path, descend, langevin
from codingschemes.manifolds.enumeration import Enumeration, enumerate_manifolds
from codingschemes.manifolds.hierarchy import Hierarchy, hierarchy
from codingschemes.manifolds.levels import LEVELS, Profile, level_widths, profile
from codingschemes.manifolds.manifold import (
    Manifold,
    Neurons,
    bias_root,
    controls,
    gaussian_like,
    manifold_of,
    random_neurons,
    ray_family,
)
from codingschemes.manifolds.orbits import Fields, Orbit, network_orbit, orbit
from codingschemes.manifolds.partitions import (
    Partition,
    canonical,
    coarsenings,
    effective_width,
    partitions,
    symmetry_induced,
)
from codingschemes.manifolds.problem import LOSSES, Problem, random_problem
from codingschemes.manifolds.reduced import Reduced, lift, reduce
from codingschemes.manifolds.stability import BlockStability, neuron_hessian, normal_stability
from codingschemes.manifolds.tangency import gradients, tangency_residuals

__all__ = [
    "LEVELS",
    "LOSSES",
    "TOLERANCES",
    "ActivationClass",
    "BlockStability",
    "Channel",
    "Check",
    "Detection",
    "Enumeration",
    "Fields",
    "Hierarchy",
    "Manifold",
    "Neurons",
    "Orbit",
    "Partition",
    "Path",
    "Problem",
    "Profile",
    "Reduced",
    "balance_matrix",
    "balances",
    "bias_root",
    "canonical",
    "channels",
    "check",
    "classify",
    "coarsenings",
    "controls",
    "count",
    "counts_by_effective_width",
    "deep",
    "descend",
    "detect",
    "direction_widths",
    "effective_width",
    "enumerate_manifolds",
    "gated_output",
    "gaussian_like",
    "gradients",
    "hierarchy",
    "langevin",
    "level_widths",
    "lift",
    "manifold_of",
    "network_orbit",
    "neuron_hessian",
    "normal_stability",
    "orbit",
    "pair_of",
    "partitions",
    "profile",
    "random_neurons",
    "random_problem",
    "ray_family",
    "reduce",
    "strict_widths",
    "subgroups",
    "symmetry_induced",
    "tangency_residuals",
]
