"""Networks on the hypercube task as the regularised loss has them: penalties given, no scale factors."""

import numpy as np

from codingschemes import Network, Posterior, tasks


def hypercube_posterior(
    activation: str = "relu",
    labels_dim: int = 2,
    repeats: int = 1,
    *,
    width: int = 24,
    bias: bool = True,
    depth: int = 1,
    penalty1: float = 0.1,
    penalty2: float = 0.1,
    scaling: str = "none",
    **inputs: object,
) -> Posterior:
    task = tasks.hypercube(labels_dim=labels_dim, repeats=repeats, **inputs)
    network = Network(activation, width=width, depth=depth, bias=bias, scaling=scaling)
    return Posterior(task, network, temperature=1e-3, penalty1=penalty1, penalty2=penalty2)


def with_gram(posterior: Posterior, gram: np.ndarray) -> Posterior:
    """The same posterior with inputs of another Gram matrix."""
    eigenvalues, vectors = np.linalg.eigh(gram)
    inputs = vectors * np.sqrt(np.clip(eigenvalues, 0, None))
    task = posterior.task.with_inputs(inputs, posterior.task.test_inputs[:, : inputs.shape[1]], "another Gram matrix")
    return Posterior.with_prior(task, posterior.network, posterior.prior)


def xor_gram(posterior: Posterior, eigenvalue: float) -> np.ndarray:
    """The identity but for the eigenvalue along the product of the first two labels."""
    xor = posterior.task.targets[:, 0] * posterior.task.targets[:, 1]
    return np.eye(len(xor)) + (eigenvalue - 1) * np.outer(xor, xor) / len(xor)
