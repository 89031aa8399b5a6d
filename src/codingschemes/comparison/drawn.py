"""Networks drawn from a theory's density of single neurons, judged as sampled ones are."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from codingschemes.coding.population import population
from codingschemes.coding.scheme import Scheme, classify
from codingschemes.theory import Prediction


class DrawnNetworks(NamedTuple):
    """Networks of the predicted width whose neurons are independent draws from a prediction.

    Attributes:
        activity: of the last hidden layer at the training inputs, (network, neuron, sample).
        readout: (network, neuron, output).
    """

    activity: Float[np.ndarray, "K N P"]
    readout: Float[np.ndarray, "K N C"]


def drawn_networks(prediction: Prediction, networks: int, seed: int = 0) -> DrawnNetworks | None:
    """Networks of the predicted width.

    Args:
        prediction: of the last hidden layer.
        networks: how many are drawn.
        seed: of the choice of neurons.

    Returns:
        None where the prediction has no single neurons with their activity at every input.
    """
    neurons, width = prediction.neurons, prediction.posterior.network.width
    if neurons is None or neurons.response is None:
        return None
    rng = np.random.default_rng(seed)
    chosen = np.stack([_network(neurons.weight, width, rng) for _ in range(networks)])
    return DrawnNetworks(neurons.response[chosen], neurons.readout[chosen])


def drawn_scheme(prediction: Prediction, networks: int = 8, seed: int = 0) -> Scheme | None:
    """The verdict on networks of the predicted width whose neurons are independent draws from the prediction.

    Args:
        prediction, networks, seed: as for `drawn_networks`.

    Returns:
        None where the prediction has no single neurons with their activity at every input.
    """
    found, posterior = drawn_networks(prediction, networks, seed), prediction.posterior
    if found is None:
        return None
    drawn = population(found.activity, found.readout, posterior.task.labels)
    return classify(drawn, posterior.network.activation.bounds, draws_per_chain=networks)


def _network(weight: Float[np.ndarray, " S"], width: int, rng: np.random.Generator) -> Int[np.ndarray, " N"]:
    """Systematic sampling in random order: each neuron as often as its weight says, to within one, so that those which
    stand for one neuron, as outliers do, are there once."""
    order = rng.permutation(len(weight))
    ends = np.cumsum(weight[order])
    places = (np.arange(width) + rng.uniform()) * ends[-1] / width
    return order[np.searchsorted(ends, places, side="right")]
