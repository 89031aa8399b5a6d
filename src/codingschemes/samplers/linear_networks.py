"""Linear networks drawn at once: everything but a few numbers is Gaussian given these.

Seen from a layer l, all layers above are a readout b_l, (neuron, output): b_L = r, b_{l-1} = kappa H_l^T b_l, H_l the
whitened weights, kappa their scale, and f = L u^T b_1 with the first layer's whitened coordinates u. With
b_l = Q_l M_l^T, Q_l orthonormal columns and M_l lower triangular,

    M_L = c^{1/2} B_L,   M_{l-1} = kappa M_l B_{l-1},

under the prior the B_l are independent of each other and of the Q_l, lower triangular with N(0, 1) below the diagonal
and chi of N, N - 1, ... degrees of freedom on it (Bartlett 1933), and the Q_l are uniform. The likelihood depends on

    G = M_1 M_1^T:   y_i ~ N(0, k_i G + T I),

y_i the targets in the eigenbasis of K0 and k_i its eigenvalues. So a draw of the posterior is one of the B_l, by
Hamiltonian Monte Carlo in L C (C + 1) / 2 dimensions, and then an exact one of everything else: Q_l uniform, H_l the
prior's but for what Q_l^T H_l = B_{l-1} Q_{l-1}^T fixes, u the prior's but for Q_1^T u, regressed on the targets.

Sources: the Wishart chain of deep linear networks is that of Li & Sompolinsky, Physical Review X 11, 031059 (2021), and
Zavatone-Veth & Pehlevan 2021; drawing the weights given it was derived here.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.networks import Network
from codingschemes.posterior import Density, Position, ReducedDensity, Scalar
from codingschemes.posterior.collapsed import draw_readout


def covers(density: Density) -> bool:
    """Whether a density is of a linear network that can be drawn so: in the reduced form, without a bias that is added
    above the first layer, at least as wide as there are outputs."""
    network = density.network
    return (
        network.activation.family == "linear"
        and not network.recurrent
        and (network.depth == 1 or not network.bias)
        and network.width >= density.targets.shape[1]
        and type(density) is ReducedDensity
    )


class Factors(eqx.Module):
    """The density of the factors B_l, first layer first, in whitened coordinates `factors`, (layer, 1, number), the
    diagonal's first: what `GradientTarget` asks for.

    Attributes:
        whole: that of the network.
    """

    whole: Density

    @property
    def network(self) -> Network:
        return self.whole.network

    @property
    def dimension(self) -> int:
        outputs = self.whole.targets.shape[1]
        return self.network.depth * outputs * (outputs + 1) // 2

    @property
    def _freedom(self) -> Float[np.ndarray, " C"]:
        """Degrees of freedom on the diagonal."""
        return self.network.width - np.arange(self.whole.targets.shape[1], dtype=float)

    @property
    def _weight_scale(self) -> Scalar:
        """kappa."""
        unit = self.network.hidden_features(jnp.ones((self.network.width, 1)))[0, 0]
        return jnp.sqrt(self.whole.weight_variance) * unit

    def matrices(self, position: Position) -> Float[Array, "L C C"]:
        """B_l, first layer first."""
        freedom, outputs = self._freedom, len(self._freedom)
        numbers = position["factors"][:, 0]
        diagonal = np.sqrt(freedom) * jnp.exp(numbers[:, :outputs] / np.sqrt(2 * freedom))
        rows, columns = np.tril_indices(outputs, -1)
        below = jnp.zeros((len(numbers), outputs, outputs), numbers.dtype).at[:, rows, columns]
        return below.set(numbers[:, outputs:]) + diagonal[:, :, None] * jnp.eye(outputs)

    def coordinates(self, matrices: Float[Array, "L C C"]) -> Position:
        """The inverse of `matrices`."""
        freedom = self._freedom
        diagonal = jnp.diagonal(matrices, axis1=1, axis2=2)
        rows, columns = np.tril_indices(len(freedom), -1)
        whitened = np.sqrt(2 * freedom) * (jnp.log(diagonal) - np.log(freedom) / 2)
        return {"factors": jnp.concatenate([whitened, matrices[:, rows, columns]], axis=1)[:, None]}

    def root(self, matrices: Float[Array, "L C C"]) -> Float[Array, "C C"]:
        """M_1, with G = M_1 M_1^T."""
        found = jnp.sqrt(self.whole.scaled_readout_variance) * matrices[-1]
        for each in matrices[-2::-1]:
            found = self._weight_scale * found @ each
        return found

    def potential(self, position: Position) -> Scalar:
        """Minus the log of prior times likelihood, up to a constant."""
        freedom, outputs = self._freedom, len(self._freedom)
        numbers = position["factors"][:, 0]
        logs = numbers[:, :outputs] / np.sqrt(2 * freedom)  # of the diagonal, but for a constant
        prior = jnp.sum(freedom * (jnp.exp(2 * logs) / 2 - logs)) + jnp.sum(numbers[:, outputs:] ** 2) / 2
        root = self.root(self.matrices(position))
        eigenvalues, rows = self._seen()
        covariance = eigenvalues[:, None, None] * (root @ root.T) + self.whole.temperature * jnp.eye(outputs)
        factor = jnp.linalg.cholesky(covariance)
        solved = jax.scipy.linalg.solve_triangular(factor, rows[:, :, None], lower=True)
        return prior + jnp.sum(solved**2) / 2 + jnp.sum(jnp.log(jnp.diagonal(factor, axis1=1, axis2=2)))

    def softened_potential(self, reach: Scalar) -> Callable[[Position], Scalar]:  # noqa: ARG002
        """Linear networks have no kinks."""
        return self.potential

    @property
    def approximate_potential(self) -> None:
        """Matrices of as many rows as there are outputs: nothing is gained in single precision."""

    def _seen(self) -> tuple[Float[Array, " R"], Float[Array, "R C"]]:
        """Eigenvalues of K0, and the targets in its eigenbasis."""
        eigenvalues = jnp.sum(self.whole.basis**2, axis=0)
        return eigenvalues, self.whole.basis.T @ self.whole.targets / jnp.sqrt(eigenvalues)[:, None]

    def of_network(self, key: Array, position: Position) -> Position:
        """The factors of a network, its readout drawn from its exact conditional."""
        whole = self.whole
        _, activity = whole.propagate(position)
        variance = whole.scaled_readout_variance
        above = draw_readout(key, activity, whole.targets, variance, whole.temperature) / jnp.sqrt(variance)
        hidden = position.get("hidden", jnp.zeros((0, 0, 0)))
        found = []
        for weights in [*hidden[::-1], None]:
            directions, factor = _positive_qr(above)
            found.append(factor.T)
            above = above if weights is None else weights.T @ directions
        return self.coordinates(jnp.stack(found[::-1]))

    def draw_network(self, key: Array, position: Position) -> Position:
        """An exact draw of the network given its factors and the targets."""
        return self._draw(key, position)[0]

    def _draw(self, key: Array, position: Position) -> tuple[Position, Float[Array, "N C"]]:
        """The network, and b_1, the readout of its first layer through all others."""
        whole, width = self.whole, self.network.width
        matrices = self.matrices(position)
        outputs, dtype = matrices.shape[-1], matrices.dtype
        eigenvalues, rows = self._seen()
        direction_key, hidden_key, seen_key, input_key = jax.random.split(key, 4)
        directions, _ = _positive_qr(jax.random.normal(direction_key, (len(matrices), width, outputs), dtype))
        free = jax.random.normal(hidden_key, (len(matrices) - 1, width, width), dtype)
        along = jnp.einsum("lab,lnb->lan", matrices[:-1], directions[:-1])  # B_{l-1} Q_{l-1}^T
        hidden = _with_part_along(directions[1:], along, free)
        # Q_1^T u, a column at a time, is standard normal under the prior and read by y_i = k_i^{1/2} M_1 Q_1^T u_i
        root = self.root(matrices)
        precision = jnp.eye(outputs) + eigenvalues[:, None, None] * (root.T @ root) / whole.temperature
        factor = jnp.linalg.cholesky(precision)
        pull = (jnp.sqrt(eigenvalues)[:, None] * rows @ root / whole.temperature)[:, :, None]
        forced = jax.scipy.linalg.solve_triangular(factor, pull, lower=True)
        noise = jax.random.normal(seen_key, forced.shape, dtype)
        seen = jax.scipy.linalg.solve_triangular(factor, forced + noise, lower=True, trans=1)[:, :, 0]
        free_input = jax.random.normal(input_key, (width, len(eigenvalues)), dtype)
        network = {"input": _with_part_along(directions[0], seen.T, free_input)}
        if len(hidden):
            network["hidden"] = hidden
        return network, directions[0] @ root.T


def _positive_qr(matrix: Float[Array, "*L N C"]) -> tuple[Float[Array, "*L N C"], Float[Array, "*L C C"]]:
    """Q R with a positive diagonal of R, which makes them unique."""
    directions, factor = jnp.linalg.qr(matrix)
    signs = jnp.sign(jnp.diagonal(factor, axis1=-2, axis2=-1))
    return directions * signs[..., None, :], factor * signs[..., :, None]


def _with_part_along(
    directions: Float[Array, "*L N C"], part: Float[Array, "*L C K"], free: Float[Array, "*L N K"]
) -> Float[Array, "*L N K"]:
    """The matrix whose part along orthonormal directions is given, and otherwise another's."""
    return free + directions @ (part - jnp.swapaxes(directions, -1, -2) @ free)
