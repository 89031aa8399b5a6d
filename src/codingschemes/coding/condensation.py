"""How close sampled networks are to structural invariant manifolds: codes and weights side by side."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.coding.neurons import spread_draws
from codingschemes.errors import InvalidInput
from codingschemes.manifolds import Detection, Neurons, Profile, classify, detect, profile
from codingschemes.posterior import Posterior
from codingschemes.runs import Run


@dataclass(frozen=True)
class Condensation:
    """What the networks of a run look like beside networks drawn from the prior.

    Attributes:
        profile: median effective width against tolerance at four levels, posterior beside prior.
        last: detection in the weights of the last network looked at.
        prior: the same for a network from the prior.
        networks: how many were looked at.
    """

    profile: Profile
    last: Detection
    prior: Detection
    networks: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "tolerances": self.profile.tolerances.tolist(),
            "levels": self.profile.to_json(),
            "weights": {"drawn": self.last.to_json(), "prior": self.prior.to_json()},
            "networks": self.networks,
        }


def condensation(run: Run, networks: int = 20, tolerance: float = 0.05) -> Condensation:
    """Effective widths of about `networks` networks of a run and of as many drawn from its prior.

    Weights are exact draws given the stored preactivations. Redundant coding shows at the level of codes; calling it a
    manifold is an interpretation: the sampler's noise leaves every smaller manifold, which has probability zero.

    Raises:
        InvalidInput: more than one hidden layer, or no networks.
    """
    posterior = run.posterior
    if posterior.network.depth != 1:
        raise InvalidInput(
            f"manifolds are detected in one hidden layer, this run has {posterior.network.depth}: give a run of depth 1"
        )
    if networks < 1:
        raise InvalidInput(f"{networks} networks were asked for: give at least one")
    drawn = _some_weights(run, networks)
    reference = prior_neurons(posterior, np.random.default_rng(0), len(drawn.weight))
    inputs = np.asarray(posterior.network.features(jnp.asarray(posterior.task.inputs.T)).T)
    found = profile(drawn, reference, inputs, posterior.task.labels, posterior.network.activation)
    kind = classify(posterior.network.activation)
    last, prior = (
        detect(Neurons(each.readout[-1], each.weight[-1]), kind, tolerance=tolerance) for each in (drawn, reference)
    )
    return Condensation(found, last, prior, len(drawn.weight))


def prior_neurons(posterior: Posterior, rng: np.random.Generator, count: int) -> Neurons:
    """Weights of networks of depth 1 drawn from the prior, (draw, neuron, ...)."""
    network, prior = posterior.network, posterior.prior
    inputs = posterior.task.inputs.shape[1] + network.bias
    outputs = posterior.task.targets.shape[1]
    return Neurons(
        np.sqrt(prior.readout_variance) * rng.normal(size=(count, network.width, outputs)),
        np.sqrt(prior.weight_variance) * rng.normal(size=(count, network.width, inputs)),
    )


def _some_weights(run: Run, networks: int) -> Neurons:
    """Draws spread evenly over all chains, (draw, neuron, ...)."""
    chains = run.data["neurons"].dataset.sizes["chain"]
    group = run.data["neurons"].dataset.isel(draw=spread_draws(run, -(-networks // chains)))
    preactivations: Float[np.ndarray, "draw L N P"] = np.concatenate(list(group["preactivation"].values))
    readouts: Float[np.ndarray, "draw N C"] = np.concatenate(list(group["readout"].values))
    keys = jax.random.split(jax.random.PRNGKey(0), len(readouts))
    weights = [
        Neurons.of(run.posterior.draw_weights(key, jnp.asarray(z), jnp.asarray(a)))
        for key, z, a in zip(keys[-networks:], preactivations[-networks:], readouts[-networks:], strict=True)
    ]
    return Neurons(*(np.stack([np.asarray(part) for part in parts]) for parts in zip(*weights, strict=True)))
