"""Networks drawn from a theory's density of single neurons, judged as sampled ones are."""

import numpy as np
from jaxtyping import Float, Int

from codingschemes.coding.population import population
from codingschemes.coding.scheme import Scheme, classify
from codingschemes.theory import Prediction


def drawn_scheme(prediction: Prediction, networks: int = 8, seed: int = 0) -> Scheme | None:
    """The verdict on networks of the predicted width whose neurons are independent draws from the prediction.

    Args:
        prediction: of the last hidden layer.
        networks: how many are drawn.
        seed: of the choice of neurons.

    Returns:
        None where the prediction has no single neurons with their activity at every input.
    """
    neurons, posterior = prediction.neurons, prediction.posterior
    if neurons is None or neurons.response is None:
        return None
    rng = np.random.default_rng(seed)
    chosen = np.stack([_network(neurons.weight, posterior.network.width, rng) for _ in range(networks)])
    drawn = population(neurons.response[chosen], neurons.readout[chosen], posterior.task.labels)
    return classify(drawn, posterior.network.activation.bounds, draws_per_chain=networks)


def _network(weight: Float[np.ndarray, " S"], width: int, rng: np.random.Generator) -> Int[np.ndarray, " N"]:
    """Systematic sampling in random order: each neuron as often as its weight says, to within one, so that those which
    stand for one neuron, as outliers do, are there once."""
    order = rng.permutation(len(weight))
    ends = np.cumsum(weight[order])
    places = (np.arange(width) + rng.uniform()) * ends[-1] / width
    return order[np.searchsorted(ends, places, side="right")]
