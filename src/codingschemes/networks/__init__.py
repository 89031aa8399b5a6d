"""Activations by name and the fully connected architecture."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.networks.activations import ACTIVATIONS, Activation
from codingschemes.networks.network import Network, Scaling, Weights
from codingschemes.networks.own import activation_named, register_activation
from codingschemes.networks.shape import Shape
from codingschemes.networks.softened import SoftenedNetwork

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Network",
    "Scaling",
    "Shape",
    "SoftenedNetwork",
    "Weights",
    "activation_named",
    "register_activation",
]
