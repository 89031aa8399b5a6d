"""Activations by name and the fully connected architecture."""

from codingschemes.networks.activations import ACTIVATIONS, Activation
from codingschemes.networks.network import Network, Scaling, Weights

__all__ = ["ACTIVATIONS", "Activation", "Network", "Scaling", "Weights"]
