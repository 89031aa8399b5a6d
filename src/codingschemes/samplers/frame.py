"""How the samples see a neuron: its whitened coordinates as preactivations, and their prior."""

from typing import NamedTuple

import jax.numpy as jnp
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Float

from codingschemes.posterior import Scalar

#: Lengths of a basis relative to the largest that rounding leaves something of.
_LEAST_LENGTH = 1e-5


class Frame(NamedTuple):
    """The basis, z = u basis^T, taken apart: directions diag(lengths) turn^T.

    Attributes:
        directions: orthonormal columns, (sample, direction).
        lengths: of the basis along them; those next to nothing are raised, as any will do where nothing can be seen.
        turn: orthonormal columns, (component, direction); None where it would be the identity.
    """

    directions: Float[Array, "P D"]
    lengths: Float[Array, " D"]
    turn: Float[Array, "R D"] | None

    @classmethod
    def of(cls, basis: Float[Array, "P R"], *, orthogonal: bool) -> "Frame":
        """The frame of a basis, and whether its columns are orthogonal already."""
        if orthogonal:
            lengths = jnp.linalg.norm(basis, axis=0)
            return cls(basis / lengths, jnp.maximum(lengths, _LEAST_LENGTH * jnp.max(lengths)), None)
        directions, lengths, turn = jnp.linalg.svd(basis, full_matrices=False)
        return cls(directions, jnp.maximum(lengths, _LEAST_LENGTH * lengths[0]), turn.T)

    @property
    def complete(self) -> bool:
        """Whether the directions span all samples."""
        return self.directions.shape[0] == self.directions.shape[1]

    def project(self, coordinates: Float[Array, "*K R"]) -> Float[Array, "*K D"]:
        """Coordinates as preactivations along the directions."""
        return (coordinates if self.turn is None else coordinates @ self.turn) * self.lengths

    def move(self, coordinates: Float[Array, " R"], seen: Float[Array, " D"]) -> Float[Array, " R"]:
        """Coordinates changed by what is `seen` to change."""
        change = seen / self.lengths
        return coordinates + (change if self.turn is None else self.turn @ change)

    def seen(self, coordinates: Float[Array, " R"]) -> Float[Array, " R"]:
        """Coordinates without what no sample sees of them."""
        return coordinates if self.turn is None else (coordinates @ self.turn) @ self.turn.T


class PreactivationPrior(NamedTuple):
    """The prior of one neuron's preactivations.

    Attributes:
        frame: of the basis.
        precision: their inverse covariance, (sample, sample); the least length stands for directions that have none.
    """

    frame: Frame
    precision: Float[Array, "P P"]

    @classmethod
    def of(cls, basis: Float[Array, "P R"], *, orthogonal: bool) -> "PreactivationPrior":
        """The prior of z = u basis^T; one product of matrices, and where columns are not `orthogonal` already a
        singular value decomposition."""
        frame = Frame.of(basis, orthogonal=orthogonal)
        directions, lengths = frame.directions, frame.lengths
        precision = (directions / lengths**2) @ directions.T
        if not frame.complete:
            unseen = jnp.eye(len(directions)) - directions @ directions.T
            precision += unseen / (_LEAST_LENGTH * jnp.max(lengths)) ** 2
        return cls(frame, precision)

    def newton_step(
        self, slope: Float[Array, " R"], hessian: Float[Array, "P P"], damping: Scalar
    ) -> Float[Array, " R"]:
        """((1 + damping) I - B^T hessian B)^{-1} slope, solved for preactivations: instead of two products with the
        basis one factorisation. Not finite where the matrix is not positive definite."""
        directions, lengths = self.frame.directions, self.frame.lengths
        factor = cho_factor((1 + damping) * self.precision - hessian)
        change = cho_solve(factor, directions @ (self.frame.project(slope) / lengths**2))
        return self.frame.move(jnp.zeros_like(slope), change @ directions)
