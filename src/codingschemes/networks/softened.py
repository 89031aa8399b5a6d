"""A network whose kinks are rounded off: a smooth stand-in for the forces along a trajectory."""

from jaxtyping import Array, Float

from codingschemes.networks.activations import Activation
from codingschemes.networks.network import Network


class SoftenedNetwork(Network):
    """A network of a threshold activation without its kink.

    Attributes:
        reach: how far from zero, in units of the preactivation, activity differs (`Activation.softened`).
    """

    reach: Float[Array, ""]

    def __init__(self, network: Network, reach: Float[Array, ""]):
        for field in Network.__dataclass_fields__:
            setattr(self, field, getattr(network, field))
        self.reach = reach

    @property
    def activation(self) -> Activation:
        return super().activation.softened(self.reach)
