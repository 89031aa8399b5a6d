"""A run as the start of another: of another temperature, prior, width, data, form of the posterior or sampler.

Chains begin where those of the parent ended, as nearly as the new posterior allows. Its last draws give preactivations
and readouts; at other data these follow from weights, which are exact draws given them. A wider network has copies of
neurons, a narrower one some of them, with readouts that keep the outputs. The weights that go with all this are exact
draws of the new posterior's.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from codingschemes.errors import InvalidInput
from codingschemes.networks import Weights
from codingschemes.posterior import Density, Position, Posterior
from codingschemes.runs.identity import digest
from codingschemes.runs.run import Run


def descent(parent: Run) -> dict[str, Any]:
    """What a run records of its parent."""
    return {"run": str(parent.path), "draws": parent.draw_count, "sha256": digest(parent.made_of)}


def check_parent(parent: Run, posterior: Posterior) -> None:
    """Refuse a parent whose draws are no networks of this posterior's kind.

    Raises:
        InvalidInput: naming what differs.
    """
    if parent.draw_count == 0:
        raise InvalidInput(f"{parent.path} holds no draws: nothing can start from it")
    old, new = parent.posterior, posterior
    kinds = [
        ("depth", old.network.depth, new.network.depth),
        ("bias", old.network.bias, new.network.bias),
        ("recurrent", old.network.recurrent, new.network.recurrent),
        ("number of features", old.task.inputs.shape[1], new.task.inputs.shape[1]),
        ("number of outputs", old.task.targets.shape[1], new.task.targets.shape[1]),
    ]
    for name, was, now in kinds:
        if was != now:
            raise InvalidInput(
                f"networks of {parent.path} have another {name} ({was}, not {now}): a run can start from one with the "
                "same depth, bias, features and outputs"
            )


def parents_positions(key: Array, density: Density, posterior: Posterior, parent: Run, chains: int) -> Position:
    """Positions of all chains, with the chain in front, from the parent's last draws: chains of the parent in turn,
    each from draws that are as far apart as there are."""
    parents = parent.config["sampling"]["chains"]
    apart = parent.draw_count // -(-chains // parents)
    drawn = [(chain % parents, parent.draw_count - 1 - chain // parents * apart) for chain in range(chains)]
    neurons = parent.data["neurons"].dataset
    positions = []
    for (chain, draw), own in zip(drawn, jax.random.split(key, chains), strict=True):
        one = neurons.isel(chain=chain, draw=draw)
        z, readout = one["preactivation"].values.astype(float), one["readout"].values.astype(float)
        positions.append(_coordinates(density, _weights(own, parent.posterior, posterior, z, readout)))
    return jax.tree.map(lambda *each: jnp.stack(each), *positions)


def _weights(key: Array, old: Posterior, new: Posterior, z: np.ndarray, readout: np.ndarray) -> Weights:
    old_key, new_key = jax.random.split(key)
    if not np.array_equal(old.task.inputs, new.task.inputs):
        weights = old.draw_weights(old_key, jnp.asarray(z), jnp.asarray(readout))
        z = np.asarray(old.network.apply(weights, jnp.asarray(new.task.inputs))[0])
    before, after = old.network, new.network
    kept = np.arange(after.width) % before.width
    kept_outputs = before.readout_scale * before.width / (after.readout_scale * after.width)
    return new.draw_weights(new_key, jnp.asarray(z[:, kept]), jnp.asarray(kept_outputs * readout[kept]))


def _coordinates(density: Density, weights: Weights) -> Position:
    """The position of some weights, in any form of the posterior."""
    scale, shapes, network = jnp.sqrt(density.weight_variance), density.shapes, density.network
    first = weights.input @ density.features
    if "readout" in shapes:
        position = {"input": weights.input / scale, "readout": weights.readout / jnp.sqrt(density.readout_variance)}
    else:
        position = {"input": density.input_coordinates(first)}
    if "hidden" in shapes:
        position["hidden"] = weights.hidden / scale
        if shapes["hidden"][2] != weights.hidden.shape[2]:
            z, _ = network.propagate(first, weights.hidden)
            factors = [density.factor(network.hidden_features(network.activation(below))) for below in z[:-1]]
            seen = [above @ jnp.linalg.pinv(factor) for above, factor in zip(z[1:], factors, strict=True)]
            position["hidden"] = jnp.stack(seen) / scale
    return position
