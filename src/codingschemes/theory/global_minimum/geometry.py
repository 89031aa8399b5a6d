"""What closed forms ask of a task: factorised labels, and inputs that respect them."""

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from codingschemes.theory.convex import ConvexProblem

#: Relative error up to which a vector counts as an eigenvector, and numbers as equal.
EXACT = 1e-8


@dataclass(frozen=True)
class LabelGeometry:
    """Labels and input kernel K0 of a posterior.

    Attributes:
        factorised: the targets are -1/+1 and every combination of them occurs equally often.
        aligned: 1 and every label vector v_i (column of the targets) are eigenvectors of K0.
        constant: q0, the eigenvalue of K0^+ on 1; infinite where K0 vanishes on it; NaN unless `aligned`.
        labels: q_i, the same on v_i, (label,).
        smallest: of K0^+ on the directions orthogonal to 1 and all v_i; infinite where there are none.
    """

    factorised: bool
    aligned: bool
    constant: float
    labels: Float[np.ndarray, " dY"]
    smallest: float

    @classmethod
    def of(cls, problem: ConvexProblem) -> "LabelGeometry":
        """The geometry of a two-layer problem."""
        targets, basis = problem.targets, problem.basis
        samples, count = targets.shape
        gram = basis @ basis.T
        vectors = np.column_stack([np.ones(samples), targets])
        norms = np.sum(vectors**2, axis=0)
        eigenvalues = np.sum(vectors * (gram @ vectors), axis=0) / np.maximum(norms, 1e-300)
        errors = np.linalg.norm(gram @ vectors - vectors * eigenvalues, axis=0)
        aligned = bool(np.all(errors <= EXACT * np.linalg.norm(gram, 2) * np.sqrt(norms)))
        with np.errstate(divide="ignore"):
            inverse = np.where(eigenvalues > EXACT * np.max(np.abs(eigenvalues)), 1 / eigenvalues, np.inf)
        if not aligned:
            inverse = np.full(count + 1, np.nan)
        unit = np.linalg.qr(vectors)[0]
        rest = gram - unit @ (unit.T @ gram)
        rest = rest - (rest @ unit) @ unit.T
        largest = float(np.linalg.eigvalsh(rest)[-1])
        smallest = 1 / largest if largest > EXACT * np.linalg.norm(gram, 2) else np.inf
        return cls(_factorised(targets), aligned, float(inverse[0]), inverse[1:], smallest)

    @property
    def alike(self) -> bool:
        """Whether inputs resolve all labels equally well."""
        return bool(np.allclose(self.labels, self.labels[0], rtol=EXACT))

    @property
    def whitened(self) -> bool:
        """Whether no direction is easier to represent than the labels and the constant are."""
        return bool(self.smallest >= np.max(self.labels) * (1 - EXACT))


def _factorised(targets: Float[np.ndarray, "P dY"]) -> bool:
    if not np.all(np.abs(targets) == 1) or 2 ** targets.shape[1] > len(targets):
        return False
    combinations, counts = np.unique(targets, axis=0, return_counts=True)
    every = list(itertools.product((-1.0, 1.0), repeat=targets.shape[1]))
    return len(combinations) == len(every) and bool(np.all(counts == counts[0]))
