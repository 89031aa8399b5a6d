"""Fixed subspaces of all subgroups of a finite group of orthogonal matrices, by brute force.

Fix(H) is the intersection of Fix(g) over g in H, so the fixed subspaces of all subgroups are what {Fix(g)} generates
by intersection. No use is made of what the group is: this checks enumerations, and counts where there is none.
"""

from collections.abc import Sequence
from itertools import pairwise, permutations, product

import numpy as np
from jaxtyping import Float

_ROUNDED = 6


def fixed_subspaces(group: Float[np.ndarray, "G n n"]) -> Float[np.ndarray, "S n n"]:
    """Orthogonal projectors on the fixed subspaces of all subgroups.

    Args:
        group: every element, as orthogonal matrices.
    """
    single = _distinct(_kernels(2 * np.eye(group.shape[1]) - group - np.swapaxes(group, 1, 2)))
    found = fresh = single
    while len(fresh):
        pairs = fresh[:, None] + single[None]
        shared = _kernels(2 * np.eye(group.shape[1]) - pairs.reshape(-1, *group.shape[1:]))
        known = len(found)
        found = _distinct(np.concatenate([found, shared]))
        fresh = found[known:]
    return found


def _kernels(forms: Float[np.ndarray, "k n n"]) -> Float[np.ndarray, "k n n"]:
    """Projectors on the null spaces of positive semidefinite matrices."""
    eigenvalues, vectors = np.linalg.eigh(forms)
    kept = vectors * (eigenvalues < 1e-9)[:, None, :]
    return kept @ np.swapaxes(vectors, 1, 2)


def _distinct(projectors: Float[np.ndarray, "k n n"]) -> Float[np.ndarray, "s n n"]:
    """Each projector once, in order of appearance."""
    keys = np.round(projectors.reshape(len(projectors), -1), _ROUNDED) + 0.0
    _, first = np.unique(keys, axis=0, return_index=True)
    return projectors[np.sort(first)]


def symmetric_group(width: int) -> Float[np.ndarray, "G m m"]:
    """All permutation matrices."""
    return np.stack([np.eye(width)[list(order)] for order in permutations(range(width))])


def signed_permutations(width: int) -> Float[np.ndarray, "G m m"]:
    """All permutation matrices with entries +-1."""
    signs = np.array(list(product((1.0, -1.0), repeat=width)))
    return (signs[:, None, :, None] * symmetric_group(width)[None]).reshape(-1, width, width)


def deep_group(layers: Sequence[Float[np.ndarray, "G m m"]]) -> Float[np.ndarray, "H n n"]:
    """Symmetries of a deep network with one input and one output, as matrices on all its weights.

    A symmetry g_l of every hidden layer acts as W^1 -> g_1 W^1, W^{l+1} -> g_{l+1} W^{l+1} g_l^T, a -> g_L a. More
    inputs or outputs repeat the same matrices and add no fixed subspace.

    Args:
        layers: the group of each hidden layer, as orthogonal matrices.
    """
    elements = []
    for chosen in product(*layers):
        blocks = [chosen[0], *(np.kron(above, below) for below, above in pairwise(chosen))]
        blocks.append(chosen[-1])
        size = sum(map(len, blocks))
        element, start = np.zeros((size, size)), 0
        for block in blocks:
            element[start : start + len(block), start : start + len(block)] = block
            start += len(block)
        elements.append(element)
    return np.stack(elements)
