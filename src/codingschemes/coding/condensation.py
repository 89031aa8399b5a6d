"""How close sampled networks are to structural invariant manifolds: codes and weights side by side."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.coding.neurons import spread_draws
from codingschemes.errors import InvalidInput
from codingschemes.manifolds import Detection, Neurons, Path, Problem, Profile, classify, descend, detect, profile
from codingschemes.manifolds.checking import curvature
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
    drawn = some_weights(run, networks)
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


def trained_from_small(posterior: Posterior, size: float, steps: int, seed: int = 0, snapshots: int = 20) -> Path:
    """Gradient descent in the regularised loss of a posterior of depth 1, from a draw of its prior made small.

    Args:
        posterior: whose negative log density, times T, is the loss.
        size: of the first weights, relative to the prior's.
        steps: at half the rate that the curvature at the prior's draw allows.
        seed: of that draw.
        snapshots: weights that are kept, besides the start.

    Raises:
        InvalidInput: more than one hidden layer.
    """
    weight_penalty, readout_penalty = posterior.prior.penalties
    task = posterior.task
    problem = Problem.of(
        posterior.network, task.inputs, task.targets, weight_penalty=weight_penalty, readout_penalty=readout_penalty
    )
    drawn = Neurons(*(part[0] for part in prior_neurons(posterior, np.random.default_rng(seed), 1)))
    start = Neurons(size * drawn.readout, size * drawn.weight)
    return descend(problem, start, "gd", rate=0.5 / curvature(problem, drawn), steps=steps, snapshots=snapshots)


def some_weights(run: Run, networks: int) -> Neurons:
    """Draws spread evenly over all chains, one chain after the other, (draw, neuron, ...).

    Args:
        run: of depth 1.
        networks: at least how many; as many of each chain.
    """
    chains = run.data["neurons"].dataset.sizes["chain"]
    each = -(-networks // chains)
    group = run.data["neurons"].dataset.isel(draw=spread_draws(run, each)).isel(draw=slice(-each, None))
    preactivations: Float[np.ndarray, "draw L N P"] = np.concatenate(list(group["preactivation"].values))
    readouts: Float[np.ndarray, "draw N C"] = np.concatenate(list(group["readout"].values))
    keys = jax.random.split(jax.random.PRNGKey(0), len(readouts))
    weights = [
        Neurons.of(run.posterior.draw_weights(key, jnp.asarray(z), jnp.asarray(a)))
        for key, z, a in zip(keys, preactivations, readouts, strict=True)
    ]
    return Neurons(*(np.stack([np.asarray(part) for part in parts]) for parts in zip(*weights, strict=True)))
