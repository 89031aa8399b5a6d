"""Reading the neurons of a run a few draws at a time: memory stays that of one chunk, however long the run."""

from collections.abc import Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.coding.population import ClassMeans, join, population
from codingschemes.posterior import Posterior
from codingschemes.progress import tracked
from codingschemes.runs import Run

_CHUNK_NUMBERS = 20_000_000


class ReducedNeurons(NamedTuple):
    """The last hidden layer over all draws, reduced to class means, and mean kernels of all layers.

    Attributes:
        populations: the last layer, (chain, draw, neuron, ...).
        kernels: posterior mean of Phi^T Phi / N of each layer, (layer, sample, sample).
    """

    populations: ClassMeans
    kernels: Float[np.ndarray, "L P P"]


#: Runs that are in use -> number of draws and the neurons that were read of them.
_READ: WeakKeyDictionary[Run, tuple[int, ReducedNeurons]] = WeakKeyDictionary()


def read_neurons(run: Run) -> ReducedNeurons:
    """One pass over the stored neurons, made once for the draws that a run holds: comparison and summary share it."""
    draws, kept = _READ.get(run, (0, None))
    if kept is None or draws != run.draw_count:
        kept = _reduce(run)
        _READ[run] = run.draw_count, kept
    return kept


def _reduce(run: Run) -> ReducedNeurons:
    labels, width = run.posterior.task.labels, run.posterior.network.width
    parts, kernels, draws = [], 0.0, 0
    for activity, readout in tracked(activity_chunks(run), "reading neurons"):
        parts.append(population(activity[:, :, -1], readout, labels))
        kernels = kernels + np.einsum("kdlnp,kdlnq->lpq", activity, activity, optimize=True) / width
        draws += activity.shape[0] * activity.shape[1]
    return ReducedNeurons(join(parts, axis=1), np.asarray(kernels) / draws)


def read_layers(run: Run, keep: slice) -> tuple[ClassMeans, ...]:
    """All hidden layers over some of the draws, reduced to class means, (chain, draw, neuron, ...) each."""
    chunks = [layer_populations(run.posterior, *chunk) for chunk in activity_chunks(run, keep)]
    return tuple(join(parts, axis=1) for parts in zip(*chunks, strict=True))


def layer_populations(
    posterior: Posterior, activity: Float[np.ndarray, "*draws L N P"], readout: Float[np.ndarray, "*draws N C"]
) -> tuple[ClassMeans, ...]:
    """One population a hidden layer; those below the last with their `direct_readout`.

    Args:
        activity: of all layers.
        readout: of the last.
    """
    labels, last = posterior.task.labels, activity.shape[-3] - 1
    readouts = [direct_readout(posterior, activity[..., layer, :, :]) for layer in range(last)] + [readout]
    return tuple(population(activity[..., layer, :, :], own, labels) for layer, own in enumerate(readouts))


def direct_readout(posterior: Posterior, activity: Float[np.ndarray, "*draws N P"]) -> Float[np.ndarray, "*draws N C"]:
    """The readout that a layer would have if it were the last one: what stands in for that of lower layers.

    The mean over the posterior of the readout weights given the activity, under the network's own prior and
    temperature: ridge regression of the targets on the layer,

        a = c Phi (c Phi^T Phi + T)^{-1} Y / gamma,    c = gamma^2 sigma_a^2.

    A lower layer acts on the outputs through all layers above, which answer to whatever it makes linearly readable;
    so this says how strongly each neuron takes part in that, in the units of a readout.
    """
    prior, scale = posterior.prior, posterior.network.readout_scale
    signal_variance = scale**2 * prior.readout_variance
    phi = np.asarray(activity, float)
    neurons, samples = phi.shape[-2:]
    across = np.swapaxes(phi, -1, -2)
    if samples <= neurons:
        dual = np.linalg.solve(
            signal_variance * across @ phi + prior.temperature * np.eye(samples), posterior.task.targets
        )
        return signal_variance / scale * phi @ dual
    gram = signal_variance * phi @ across + prior.temperature * np.eye(neurons)
    return signal_variance / scale * np.linalg.solve(gram, phi @ posterior.task.targets)


def activity_chunks(
    run: Run, keep: slice = slice(None)
) -> Iterator[tuple[Float[np.ndarray, "chain draw L N P"], Float[np.ndarray, "chain draw N C"]]]:
    """Activities of all layers and readouts, some draws of all chains at a time."""
    group = run.data["neurons"].dataset.isel(draw=keep)
    preactivation = group["preactivation"]
    step = max(1, _CHUNK_NUMBERS // (preactivation.size // preactivation.sizes["draw"]))
    for first in range(0, preactivation.sizes["draw"], step):
        chunk = group.isel(draw=slice(first, first + step))
        activity = run.posterior.network.activation(jnp.asarray(chunk["preactivation"].values, jnp.float32))
        yield np.asarray(activity), chunk["readout"].values


def spread_draws(run: Run, at_most: int) -> slice:
    """About `at_most` evenly spaced draws of each chain, the last one among them."""
    step = max(1, run.draw_count // at_most)
    return slice((run.draw_count - 1) % step, None, step)
