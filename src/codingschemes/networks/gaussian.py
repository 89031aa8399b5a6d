"""Second moments <phi(z_i) phi(z_j)> for z ~ N(0, covariance) in closed form, of the activations that have one."""

import numpy as np
from jaxtyping import Float


def of_identity(covariance: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """phi(z) = z."""
    return covariance


def of_erf(covariance: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """phi(z) = erf(z), the arcsine kernel: Williams 1997."""
    scale = np.sqrt(1 + 2 * np.diagonal(covariance))
    return 2 / np.pi * np.arcsin(2 * covariance / scale[:, None] / scale)


def of_sigmoid(covariance: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """phi(z) = (1 + erf(sqrt(pi) z / 2)) / 2."""
    scale = np.sqrt(1 + np.pi / 2 * np.diagonal(covariance))
    arc = np.arcsin(np.pi / 2 * covariance / scale[:, None] / scale)
    return 0.25 + arc / (2 * np.pi)


def of_rectifier(covariance: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """phi(z) = max(z, 0), the arccosine kernel: Cho & Saul 2009."""
    diagonal = np.diagonal(covariance)
    norm = np.sqrt(diagonal[:, None] * diagonal)
    cosine = np.clip(covariance / np.where(norm > 0, norm, 1.0), -1.0, 1.0)
    np.fill_diagonal(cosine, 1.0)
    angle = np.arccos(cosine)
    return norm * (np.sin(angle) + (np.pi - angle) * cosine) / (2 * np.pi)
