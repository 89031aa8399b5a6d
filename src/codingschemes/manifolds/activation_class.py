"""Which symmetries of one neuron an activation has, and what its list of manifolds leaves out."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from codingschemes.calls import known_keywords
from codingschemes.networks import Activation, Shape
from codingschemes.networks.shape import shape_of

_EXACT = 1e-12


@dataclass(frozen=True)
class ActivationClass(Shape):
    """The shape of an activation sigma, which decides which manifolds a two-layer network has; attributes as in
    `networks.Shape`.

    Example:
        >>> kind.symmetry, kind.has_zero_block, kind.constant_neurons
        ('odd', True, False)
    """

    @property
    def signed(self) -> bool:
        """Whether a neuron and its mirror image count as the same: theta = -theta' (odd) or w = -w' (even)."""
        return self.symmetry in ("odd", "even")

    @property
    def has_zero_block(self) -> bool:
        """Whether neurons with a = 0 and w = 0 stay there."""
        return self.symmetry in ("odd", "vanishing")

    @property
    def constant_neurons(self) -> bool:
        """Whether a neuron with w = 0 counts in the effective width: it adds the constant a sigma(0)."""
        return abs(self.value) > _EXACT

    def caveats(self, bias: bool = False) -> tuple[str, ...]:
        """What the list of manifolds of this class leaves out, or what is not a theorem about it, in sentences.

        Args:
            bias: whether the neurons have one.
        """
        found = []
        if self.symmetry == "vanishing":
            found.append(
                "Manifolds with a zero block are invariant because sigma(0) = 0, but no symmetry induces them: they "
                "are not fixed subspaces."
            )
        if self.symmetry == "even":
            found.append(
                "Fixed subspaces only: neurons with w = 0 also stay at any constant differences a_j - a_k, families "
                "that are not listed."
            )
        if self.homogeneous and not self.polynomial:
            found.append(
                "Rescaling (a, w) -> (s a, w/s) is no orthogonal symmetry and induces no manifold; it conserves "
                "|a|^2 - |w|^2 of every neuron, so that orbits have one dimension less for every block. Every "
                "block has a continuous family of manifolds theta_k = c_k theta, c_k > 0, of which c_k = 1 is listed."
            )
        if self.polynomial:
            found.append(
                "A polynomial activation has more manifolds, in continuous families; a linear one conserves "
                "a a^T - W W^T."
            )
        if self.kinked:
            found.append("The activation has kinks, so it is not analytic: invariance holds where gradients exist.")
        if self.symmetry != "even" and abs(self.slope) < _EXACT:
            found.append("The slope at 0 vanishes: the list need not be complete.")
        if bias and (self.value_roots or self.slope_roots):
            found.append(
                "With a bias, a neuron with w = 0 stays at a bias b where sigma'(b) = 0, and with a = 0, too, where "
                "sigma(b) = 0: these manifolds are not listed."
            )
        return tuple(found)


@known_keywords
@lru_cache
def classify(activation: Callable[[Any], Any]) -> ActivationClass:
    """The class of an activation.

    The three classes other than `even` and the conditions (analytic, not a polynomial, sigma'(0) != 0) under which
    their lists are complete were derived here; the paper (Zhao, Luo & Zhang, arXiv 2510.09564) has the theorem that
    invariant manifolds are unions of orbits.

    Args:
        activation: sigma, registered or any function that is elementwise and traceable by jax.

    Example:
        >>> from codingschemes.networks import ACTIVATIONS
        >>> cs.manifolds.classify(ACTIVATIONS["tanh"]).symmetry
        'odd'
    """
    return ActivationClass(**vars(activation.shape if isinstance(activation, Activation) else shape_of(activation)))
