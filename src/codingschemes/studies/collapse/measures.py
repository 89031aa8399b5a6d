"""Neural collapse of sampled networks, beside that of the prior, of theory, and of the codes alone."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from codingschemes.coding.codes import find_codes
from codingschemes.coding.collapse import Collapse, collapse_of, mean_collapse
from codingschemes.coding.population import population
from codingschemes.comparison.drawn import drawn_networks
from codingschemes.posterior import Density, Posterior
from codingschemes.representation import linear_cka_from_kernel
from codingschemes.studies.layers import apart, predicted_kernels, unlike
from codingschemes.tasks import Task
from codingschemes.theory import Prediction

#: Networks of a chain, or of a group of as many without chains, whose collapse is measured.
EACH = 10
#: Codes speak for a layer in which at least this share of the neurons has one.
_CODED = 0.9

type Networks = Float[np.ndarray, "chain draw L N P"]
type Readouts = Float[np.ndarray, "chain draw N C"]


def collapse_rows(activity: Networks, readout: Readouts, task: Task) -> Iterator[dict[str, Any]]:
    """A row a layer and chain: means over networks, and how alike networks of two chains are.

    Args:
        activity: of all layers.
        readout: of the last.
        task: with labels.
    """
    last = activity.shape[2] - 1
    for layer in range(last + 1):
        permuted, rotated = unlike(activity[:, :, layer])
        for chain, networks in enumerate(activity[:, :, layer]):
            own = readout[chain] if layer == last and task.one_hot else [None] * len(networks)
            found = [collapse_of(each, task.labels, by) for each, by in zip(networks, own, strict=True)]
            values = _values(mean_collapse(found))
            yield {"layer": layer + 1, "chain": chain, **values, "permutation": permuted[chain],
                   "rotation": rotated[chain]}  # fmt: skip


def kernel_rows(kernels: Float[np.ndarray, "chain L P P"], prediction: Prediction) -> Iterator[dict[str, Any]]:
    """A row a layer and chain: how near the kernel is to that of the targets, and to the theory's.

    Args:
        kernels: means over draws.
        prediction: NaN stands for what it does not have.
    """
    predicted, targets = predicted_kernels(prediction), prediction.posterior.task.targets
    for chain, layers in enumerate(kernels):
        for layer, kernel in enumerate(layers):
            off = apart(kernel, predicted[layer]) if predicted else np.nan
            target = linear_cka_from_kernel(kernel, targets @ targets.T)
            certified = prediction.certificate.holds if predicted else None
            yield {"layer": layer + 1, "chain": chain, "target": target, "kernel_apart": off, "certified": certified}


def code_rows(activity: Networks, readout: Readouts, posterior: Posterior) -> Iterator[dict[str, Any]]:
    """A row a chain: collapse of the last layer if every neuron did what the mean neuron of its code does; none where
    neurons have no codes, or nearly all the same one.

    Args:
        activity: of all layers.
        readout: of the last.
        posterior: of which they are.
    """
    labels = posterior.task.labels
    codes = find_codes(population(activity[:, :, -1], readout, labels), posterior.network.activation.bounds)
    if np.mean(codes.assignment >= 0) < _CODED:
        return
    for chain, assignment in enumerate(codes.assignment):
        found = []
        for held in (each[each >= 0] for each in assignment):
            own = codes.readout[held] if posterior.task.one_hot else None
            found.append(collapse_of(codes.activity[held][:, labels], labels, own))
        yield {"layer": activity.shape[2], "chain": chain, **_values(mean_collapse(found))}


def theory_rows(prediction: Prediction, chains: int) -> Iterator[dict[str, Any]]:
    """A row a group of networks drawn from the theory's single neurons, last layer; none where it has no neurons. Of
    linear networks those, too, whose neurons fit together.

    Args:
        prediction: of the last layer.
        chains: how many groups.
    """
    drawn = drawn_networks(prediction, chains * EACH)
    if drawn is None:
        return
    posterior, certified = prediction.posterior, prediction.certificate.holds
    found = {"theory": drawn.activity}
    if posterior.network.activation_name == "linear":
        found["fitted theory"] = fitted(prediction, drawn.readout, np.random.default_rng(0))
    readout = drawn.readout.reshape(chains, EACH, *drawn.readout.shape[1:])
    for source, activity in found.items():
        for row in collapse_rows(activity.reshape(chains, EACH, 1, *activity.shape[1:]), readout, posterior.task):
            yield {**row, "source": source, "layer": posterior.network.depth, "certified": certified}


def fitted(
    prediction: Prediction, readout: Float[np.ndarray, "K N C"], rng: np.random.Generator
) -> Float[np.ndarray, "K N P"]:
    """Activities of linear networks that fit the targets to within T at these readouts, exact draws at the theory's
    kernel of the layer below.

    The theory's neurons are independent of each other: the outputs of N of them scatter by 1/sqrt(N) about the targets,
    which those of a network do not. With z = z0 + (K A S^-1 (Y - f0 - noise))^T, rows of z0 from N(0, K), A = gamma a
    and S the covariance of outputs and noise (Matheron's rule).

    Args:
        prediction: of a linear network.
        readout: a.
        rng: draws the rest.
    """
    posterior = prediction.posterior
    targets, temperature = posterior.task.targets, posterior.prior.temperature
    kernel = posterior.input_kernel()
    if prediction.lower_kernels:
        kernel = posterior.prior.weight_variance * prediction.lower_kernels[-1]
    values, vectors = np.linalg.eigh(kernel)
    root = vectors * np.sqrt(np.maximum(values, 0))
    found = []
    for each in posterior.network.readout_scale * readout:
        drawn = rng.standard_normal((len(each), len(kernel))) @ root.T
        missed = targets - drawn.T @ each - np.sqrt(temperature) * rng.standard_normal(targets.shape)
        sizes, axes = np.linalg.eigh(each.T @ each)
        inverse = 1 / (values[:, None] * sizes + temperature)
        found.append(drawn + each @ axes @ (inverse * (vectors.T @ missed @ axes)).T @ (vectors * values).T)
    return np.stack(found)


def prior_networks(posterior: Posterior, chains: int) -> tuple[Networks, Readouts]:
    """Groups of networks from the prior, which are those of the limit T -> infinity.

    Args:
        posterior: of any depth.
        chains: how many groups.
    """
    activity, readout = (np.asarray(each) for each in _prior_networks(posterior.density("weights"), chains * EACH))
    return tuple(each.reshape(chains, EACH, *each.shape[1:]) for each in (activity, readout))  # type: ignore[return-value]


@eqx.filter_jit
def _prior_networks(density: Density, count: int) -> tuple[Float[Array, "count L N P"], Float[Array, "count N C"]]:
    def network(key: Array) -> tuple[Float[Array, "L N P"], Float[Array, "N C"]]:
        position = density.prior_draw(key)
        preactivations, last = density.propagate(position)
        return density.network.activation(preactivations), density.readout(key, position, last)

    return jax.vmap(network)(jax.random.split(jax.random.PRNGKey(0), count))


def _values(found: Collapse) -> dict[str, float]:
    values = asdict(found)
    return {"within": values.pop("spread_within"), **values}
