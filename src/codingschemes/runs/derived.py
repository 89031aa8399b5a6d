"""What arviz looks for and the stored draws imply: computed when it is read, so that opening costs nothing."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float
from xarray.backends import BackendArray
from xarray.core import indexing

#: (part of an array to compute: an integer or slice for each dimension) -> its values.
type Compute = Callable[[tuple[Any, ...]], np.ndarray]


def hamiltonian(lp: xr.DataArray) -> xr.DataArray:
    """The energy of each draw for `arviz.plot_energy`: the potential alone, as a stored draw has no momentum.

    Args:
        lp: log density of the sampled coordinates, up to a constant (chain, draw).
    """
    attributes = {
        "long_name": "potential energy",
        "description": "-lp: the Hamiltonian without its kinetic part, which is not stored. A BFMI of it is 2 (1 - r), "
        "r the correlation of the potential from draw to draw.",
    }
    return _lazily(functools.partial(_negative, lp.variable), lp, attributes)


def log_likelihood(outputs: xr.DataArray, targets: Float[np.ndarray, "P C"], temperature: float) -> xr.DataArray:
    """log N(target | outputs, T) of each training sample, summed over outputs: (chain, draw, training_sample), in nats.

    Args:
        outputs: the network's outputs (chain, draw, training_sample, output).
        targets: what it learns.
        temperature: T, the variance of the noise that the posterior assumes on each target.
    """
    one = outputs.isel(output=0, drop=True)
    attributes = {"long_name": "log likelihood of a sample's targets", "units": "nats"}
    return _lazily(functools.partial(_log_density, outputs.variable, targets, temperature), one, attributes)


def posterior_predictive(outputs: xr.DataArray, temperature: float) -> xr.DataArray:
    """Targets as the posterior expects to see them, outputs + sqrt(T) noise: (chain, draw, training_sample, output).

    The noise of a draw depends on its chain and number alone: it is the same whenever and in whatever part it is read.
    """
    attributes = {"long_name": "replicated targets"}
    return _lazily(functools.partial(_replicate, outputs.variable, temperature), outputs, attributes)


def _lazily(compute: Compute, like: xr.DataArray, attributes: dict[str, str]) -> xr.DataArray:
    """An array with the coordinates of another, of double precision."""
    array = indexing.LazilyIndexedArray(_Computed(compute, like.shape))
    return xr.DataArray(xr.Variable(like.dims, array, attributes), coords=like.coords)


class _Computed(BackendArray):
    """Numbers that a function makes when they are read, as xarray reads files."""

    def __init__(self, compute: Compute, shape: tuple[int, ...]):
        self.shape = shape
        self.dtype = np.dtype(float)
        self._compute = compute

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._compute)


def _negative(values: xr.Variable, part: tuple[Any, ...]) -> np.ndarray:
    return -np.asarray(values[part].values, float)


def _log_density(outputs: xr.Variable, targets: np.ndarray, temperature: float, part: tuple[Any, ...]) -> np.ndarray:
    residual = targets[part[2]] - outputs[part].values
    constant = targets.shape[1] * np.log(2 * np.pi * temperature) / 2
    return -np.sum(residual**2, axis=-1) / (2 * temperature) - constant


def _replicate(outputs: xr.Variable, temperature: float, part: tuple[Any, ...]) -> np.ndarray:
    chains, draws = (np.atleast_1d(np.arange(size)[key]) for size, key in zip(outputs.shape[:2], part[:2], strict=True))
    noise = [
        np.random.default_rng((chain, draw)).standard_normal(outputs.shape[2:])[part[2:]]
        for chain in chains
        for draw in draws
    ]
    mean = outputs[part].values
    return mean + np.sqrt(temperature) * np.reshape(noise, mean.shape)
