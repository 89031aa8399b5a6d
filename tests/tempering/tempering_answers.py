"""A posterior whose evidence is a three-dimensional integral."""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import chi2, norm

import codingschemes as cs


def linear_posterior() -> cs.Posterior:
    """Two samples, forty coordinates, and a misfit far steeper than the prior: steps must become short."""
    task = cs.tasks.orthogonal(samples=2, classes=2)
    return cs.Posterior(task, cs.Network("linear", width=20), temperature=1e-4)


def by_wishart(posterior: cs.Posterior) -> float:
    """log of the mean of N(Y; 0, c K + T I) over the kernels K of a linear network on two samples, Wishart with as many
    degrees of freedom as there are neurons: an integral over the three numbers of Bartlett's decomposition."""
    network, prior, targets = posterior.network, posterior.prior, posterior.task.targets
    scaled_readout_variance = network.readout_scale**2 * prior.readout_variance
    input_kernel = np.asarray(posterior.density().basis @ posterior.density().basis.T)
    nodes, weights = np.polynomial.legendre.leggauss(160)
    ranges = [chi2(network.width).ppf([1e-14, 1 - 1e-14]), chi2(network.width - 1).ppf([1e-14, 1 - 1e-14]), [-8, 8]]
    laws = [chi2(network.width).logpdf, chi2(network.width - 1).logpdf, norm.logpdf]
    grids = [low + (high - low) * (nodes + 1) / 2 for low, high in ranges]
    logs = [
        law(grid) + np.log(weights * (high - low) / 2)
        for law, grid, (low, high) in zip(laws, grids, ranges, strict=True)
    ]
    first, second, off = np.meshgrid(*grids, indexing="ij")
    root = np.zeros((*first.shape, 2, 2))
    root[..., 0, 0], root[..., 1, 1], root[..., 1, 0] = np.sqrt(first), np.sqrt(second), off
    root = np.linalg.cholesky(input_kernel) @ root
    covariance = scaled_readout_variance * root @ np.swapaxes(root, -1, -2) + prior.temperature * np.eye(2)
    quadratic = np.einsum("pc,xyzpq,qc->xyz", targets, np.linalg.inv(covariance), targets)
    log_likelihood = -(quadratic + targets.shape[1] * np.linalg.slogdet(2 * np.pi * covariance)[1]) / 2
    weight = logs[0][:, None, None] + logs[1][:, None] + logs[2]
    return float(logsumexp(weight + log_likelihood))
