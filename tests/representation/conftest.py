"""Codes with known geometry, made of the classes of a hypercube."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def hypercube() -> Callable[[int], np.ndarray]:
    """All combinations of `count` binary factors, (class, factor)."""
    return lambda count: np.array(list(itertools.product([-1.0, 1.0], repeat=count)))


@pytest.fixture
def rotation() -> Callable[[int, int], np.ndarray]:
    """A random orthogonal matrix."""
    return lambda size, seed: np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


@pytest.fixture
def simplex() -> np.ndarray:
    """Class means of a simplex equiangular tight frame with 4 vertices in 4 dimensions, (neuron, class)."""
    return np.eye(4) - 1 / 4
