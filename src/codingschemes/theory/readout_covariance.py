"""Networks in which learning is a change of one small matrix: the covariance V over neurons of effective readouts.

Where features are a Gaussian process with kernel K given all that is above them, the outputs are one given V, of
covariance K ⊗ V / N, and what is left is a free energy of V, here in nats a neuron,

    S(V) = sum_i [y_i^T (tau + k_i V)^{-1} y_i + (1/n) log det(tau + k_i V)] / 2 + S_prior(V),
    S_prior(V) = (L/2) tr(Lambda - log Lambda - 1),   Lambda = (V/s^2)^{1/L},

k_i the eigenvalues of K, y_i the rows of the targets in its eigenbasis, tau = N T. The determinant is that of the noise
of the training outputs: n = N at a finite ratio of samples to neurons (the proportional limit), infinite where neurons
are many (the mean field). S_prior is what a product of L matrices of N Gaussian rows costs: the covariance below
one with covariance V' is Wishart, (1/2)[tr V'^{-1} V - log det V'^{-1} V - C] nats a neuron, and the least sum over the
layers between has covariances in geometric progression.

Fluctuations follow from the same function: V is Gaussian about its minimum with covariance (N S'')^{-1}, the outputs
Gaussian given V.

Sources: Li & Sompolinsky, Physical Review X 11, 031059 (2021); Pacelli et al., Nature Machine Intelligence 5, 1497
(2023); Zavatone-Veth & Pehlevan 2021 for products of Wisharts. That mean field and proportional limit are this one
function, and the geometric progression at any temperature, were derived here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from codingschemes.progress import check_time

_ENOUGH = 1e-15
"""Decrease still to be had, in nats a neuron, at which a descent ends."""
_ROUNDING = 1e-9
"""Changes of the free energy that may be rounding: they reject no step."""
_MOST_STEPS, _HALVINGS, _LONGEST = 200, 20, 1.0
_SAME = 1e-6
"""Relative difference up to which two minima are one."""


@dataclass(frozen=True, eq=False)
class FreeEnergy:
    """S(V).

    Attributes:
        eigenvalues: k_i, those above zero.
        directions: their eigenvectors, orthonormal columns.
        targets: Y.
        readout_variance: of the last layer's readouts under the prior.
        tau: N T.
        layers: L.
        gain: of the weights between layers, `MeanFieldProblem.gain`.
        inverse_width: 1/n.
    """

    eigenvalues: Float[np.ndarray, " R"]
    directions: Float[np.ndarray, "P R"]
    targets: Float[np.ndarray, "P C"]
    readout_variance: float
    tau: float
    layers: int = 1
    gain: float = 1.0
    inverse_width: float = 0.0

    @property
    def variance(self) -> float:
        """s^2, of the readouts through all layers above the first under the prior."""
        return self.readout_variance * self.gain ** (self.layers - 1)

    @cached_property
    def rows(self) -> Float[np.ndarray, "R C"]:
        """Targets in the eigenbasis."""
        return self.directions.T @ self.targets

    @cached_property
    def unseen(self) -> Float[np.ndarray, "P C"]:
        """What of the targets no features reach."""
        return self.targets - self.directions @ self.rows

    @cached_property
    def _symmetric(self) -> Float[np.ndarray, "K C C"]:
        """An orthonormal basis of symmetric matrices."""
        size = self.targets.shape[1]
        upper, lower = np.triu_indices(size)
        basis = np.zeros((len(upper), size, size))
        index = np.arange(len(upper))
        basis[index, upper, lower] = basis[index, lower, upper] = np.where(upper == lower, 1.0, np.sqrt(0.5))
        return basis

    def _resolvent(self, v: Float[np.ndarray, "C C"]) -> Float[np.ndarray, "R C C"]:
        return np.linalg.inv(self.tau * np.eye(len(v)) + self.eigenvalues[:, None, None] * v)

    def _solved(self, resolvent: Float[np.ndarray, "R C C"]) -> Float[np.ndarray, "R C"]:
        return np.einsum("ikl,il->ik", resolvent, self.rows)

    def value(self, v: Float[np.ndarray, "C C"]) -> float:
        """S less what does not depend on V, in nats a neuron."""
        noisy = self.tau * np.eye(len(v)) + self.eigenvalues[:, None, None] * v
        fit = np.sum(self.rows * np.linalg.solve(noisy, self.rows[:, :, None])[:, :, 0])
        entropy = self.inverse_width * np.linalg.slogdet(noisy)[1].sum()
        ratio = np.linalg.eigvalsh(v) / self.variance
        prior = np.sum(self.layers * (ratio ** (1 / self.layers) - 1) - np.log(ratio))
        return float(fit + entropy + prior) / 2

    def slope(self, v: Float[np.ndarray, "C C"]) -> Float[np.ndarray, "C C"]:
        """dS/dV."""
        resolvent = self._resolvent(v)
        solved = self._solved(resolvent)
        fit = (self.eigenvalues[:, None] * solved).T @ solved
        entropy = self.inverse_width * np.tensordot(self.eigenvalues, resolvent, axes=1)
        values, vectors = np.linalg.eigh(v)
        return (entropy - fit + (vectors * self._prior_slope(values)) @ vectors.T) / 2

    def _prior_slope(self, values: Float[np.ndarray, " C"]) -> Float[np.ndarray, " C"]:
        return ((values / self.variance) ** (1 / self.layers) - 1) / values

    def curvature(
        self, v: Float[np.ndarray, "C C"], directions: Float[np.ndarray, "K C C"]
    ) -> Float[np.ndarray, "K K"]:
        """The second derivatives of S along symmetric matrices."""
        resolvent = self._resolvent(v)
        weighted = self.eigenvalues[:, None] * self._solved(resolvent)
        moved = np.einsum("akl,il->aik", directions, weighted)
        fit = 2 * np.einsum("aik,ikl,bil->ab", moved, resolvent, moved, optimize=True)
        turned = self.eigenvalues[:, None, None, None] * np.einsum("ikl,alm->iakm", resolvent, directions)
        entropy = self.inverse_width * np.einsum("iakl,iblk->ab", turned, turned, optimize=True)
        values, vectors = np.linalg.eigh(v)
        rotated = vectors.T @ directions @ vectors
        prior = np.einsum("akl,kl,bkl->ab", rotated, self._slope_differences(values), rotated, optimize=True)
        return (fit - entropy + prior) / 2

    def _slope_differences(self, values: Float[np.ndarray, " C"]) -> Float[np.ndarray, "C C"]:
        """Divided differences of the prior's slope, derivatives where two eigenvalues are one."""
        slope = self._prior_slope(values)
        power = (values / self.variance) ** (1 / self.layers)
        own = ((1 / self.layers - 1) * power + 1) / values**2
        apart = values[:, None] - values[None, :]
        near = np.abs(apart) < 1e-6 * np.abs(values).max()
        with np.errstate(divide="ignore", invalid="ignore"):
            differences = (slope[:, None] - slope[None, :]) / apart
        return np.where(near, (own[:, None] + own[None, :]) / 2, differences)

    def dual(self, v: Float[np.ndarray, "C C"]) -> Float[np.ndarray, "P C"]:
        """t of tau t + K t V = Y; the mean outputs given V are Y - tau t."""
        solved = self._solved(self._resolvent(v))
        return self.directions @ solved + self.unseen / self.tau

    def growth(self, v: Float[np.ndarray, "C C"]) -> Float[np.ndarray, "C C"]:
        """Lambda, the factor by which covariances of readouts grow from one layer down to the next."""
        return spectral(v / self.variance, lambda values: values ** (1 / self.layers))

    def readouts(self, v: Float[np.ndarray, "C C"]) -> Float[np.ndarray, "C C"]:
        """U, the covariance of the last layer's readouts."""
        return self.readout_variance * self.growth(v)

    def kernels(self, v: Float[np.ndarray, "C C"]) -> tuple[Float[np.ndarray, "P P"], ...]:
        """Second moments of the features of every layer, first to last, once the outputs are known,

            K_l = g^{l-1} ((1 + sum_{j<l} tr(Lambda^j - 1) / n) K + K [t A t^T - <A, (tau + K V)^{-1}> / n] K),
            A = V^{1/2} (1 + Lambda + ... + Lambda^{l-1}) V^{1/2}.

        Args:
            v: the minimum.
        """
        growth, root, resolvent = self.growth(v), spectral(v, np.sqrt), self._resolvent(v)
        pushed = self.eigenvalues[:, None] * self._solved(resolvent)
        found, power, powers = [], np.eye(len(v)), np.zeros_like(v)
        longer = 1.0
        for below in range(self.layers):
            # weights above that the readouts leave free are those of the prior, the others are longer
            longer += self.inverse_width * (float(np.trace(power)) - len(v))
            powers = powers + power
            above = root @ powers @ root
            noise = self.inverse_width * self.eigenvalues**2 * np.einsum("ikl,kl->i", resolvent, above)
            moment = np.diag(longer * self.eigenvalues - noise) + pushed @ above @ pushed.T
            found.append(self.gain**below * self.directions @ moment @ self.directions.T)
            power = power @ growth
        return tuple(found)

    def cold(self, learned: int | None = None) -> Float[np.ndarray, "C C"]:
        """V at tau -> 0 for many neurons, V = s^2 Lambda^L with Lambda^L (Lambda - 1) = Y^T K^{-1} Y / s^2.

        Args:
            learned: so many of the largest modes of the targets are; the others keep the prior's variance. None: all.
        """
        seen = self.rows / np.sqrt(self.eigenvalues)[:, None]
        values, vectors = np.linalg.eigh(seen.T @ seen)
        ratio = np.array([_grown(max(float(each), 0.0) / self.variance, self.layers) for each in values])
        if learned is not None:
            ratio[: len(ratio) - learned] = 1.0
        return (vectors * (self.variance * ratio**self.layers)) @ vectors.T

    def descend(self, start: Float[np.ndarray, "C C"]) -> "Descended":
        """Newton's method along V = R exp(X) R, R the root of where it is: V stays positive, units do not matter."""
        v, value, left = start, self.value(start), np.inf
        for _ in range(_MOST_STEPS):
            check_time("minimising the free energy of the readouts")
            root = spectral(v, np.sqrt)
            pull = root @ self.slope(v) @ root
            slope = np.einsum("akl,kl->a", self._symmetric, pull)
            along = root @ self._symmetric @ root
            product = np.einsum("akl,lm,bmk->ab", self._symmetric, pull, self._symmetric, optimize=True)
            size, axes = np.linalg.eigh(self.curvature(v, along) + (product + product.T) / 2)
            # where the energy bends down a step goes down all the same, as far as the bend is strong
            push = axes.T @ slope / np.maximum(np.abs(size), 1e-8 * np.abs(size).max())
            left = float(slope @ axes @ push) / 2
            step = -np.tensordot(axes @ push, self._symmetric, axes=1)
            share = min(1.0, _LONGEST / np.linalg.norm(step, 2))
            for _ in range(_HALVINGS):
                trial = root @ spectral(share * step, np.exp) @ root
                energy = self.value(trial)
                if energy <= value - 0.2 * share * left + _ROUNDING * max(1.0, abs(value)):
                    break
                share /= 2
            else:
                break
            v, value = trial, energy
            if left < _ENOUGH:  # of the step that was taken: what is left is its square
                break
        return Descended(v, value, left)

    def minimise(self) -> tuple["Descended", int]:
        """The lowest minimum that descents from several places reach, and how many there are.

        With one layer and many neurons S is convex and there is one. Beyond, a mode of the targets is learned or not:
        descents begin where the largest of them are, none to all.
        """
        convex = self.layers == 1 and self.inverse_width == 0
        learned = [self.targets.shape[1]] if convex else range(self.targets.shape[1] + 1)
        return lowest([self.descend(self.cold(count)) for count in learned])

    def output_covariance(
        self, v: Float[np.ndarray, "C C"], weights: Float[np.ndarray, "P Q"]
    ) -> Float[np.ndarray, "Q C"]:
        """N times the variance of f at weights^T f: that given V, and that of V.

        Args:
            v: the minimum.
            weights: a linear combination of the training outputs a column.
        """
        resolvent = self._resolvent(v)
        along = weights.T @ self.directions
        given = self.tau * self.eigenvalues[:, None, None] * np.einsum("kl,ilm->ikm", v, resolvent)
        own = along**2 @ np.diagonal(given, axis1=1, axis2=2)
        # df/dV along E is tau k (tau + k V)^{-1} E (tau + k V)^{-1} y
        basis = self._symmetric
        solved = self._solved(resolvent)
        moved = self.tau * self.eigenvalues[:, None, None] * np.einsum("ikl,alm,im->iak", resolvent, basis, solved)
        shift = np.tensordot(along, moved, axes=1)
        covariance = np.linalg.inv(self.curvature(v, basis))
        return own + np.einsum("qak,ab,qbk->qk", shift, covariance, shift, optimize=True)


class Descended(NamedTuple):
    """Where a descent ended.

    Attributes:
        v: V, (output, output).
        value: S there.
        left: decrease that a Newton step still promises, in nats a neuron.
    """

    v: Float[np.ndarray, "C C"]
    value: float
    left: float


def lowest(minima: Sequence[Descended]) -> tuple[Descended, int]:
    """The lowest, and how many different ones there are."""
    apart: list[Descended] = []
    for each in sorted(minima, key=lambda minimum: minimum.value):
        if not any(np.linalg.norm(each.v - one.v) <= _SAME * np.linalg.norm(one.v) for one in apart):
            apart.append(each)
    return apart[0], len(apart)


def spectral(
    matrix: Float[np.ndarray, "C C"], function: Callable[[np.ndarray], np.ndarray]
) -> Float[np.ndarray, "C C"]:
    """A function of the eigenvalues of a symmetric matrix."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * function(values)) @ vectors.T


def _grown(force: float, layers: int) -> float:
    """The root x >= 1 of x^L (x - 1) = force."""
    x = max(1.0, force ** (1 / (layers + 1))) + 1.0  # above it, where the function bends up: Newton comes down to it
    for _ in range(100):
        step = (x**layers * (x - 1) - force) / (x ** (layers - 1) * ((layers + 1) * x - layers))
        x -= step
        if step < 1e-15 * x:
            break
    return max(x, 1.0)
