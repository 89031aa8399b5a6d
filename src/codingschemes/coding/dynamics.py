"""Drift: how the neurons of a network that has learned change what they answer to, along a local dynamics.

What a sampler does from draw to draw is a property of its moves, and those that jump between codes change them at any
rate they like. Drift is measured along dynamics that move all weights a little at a time: along the draws of a run
whose own sampler is local, else along trajectories that go on from the last draw of each chain.

All of them are dynamics at equilibrium, so that time is all there is to choose. Integration time is counted in the
coordinates of the sampler, in which every direction has about unit curvature (`samplers.adaptation`): within one mode a
trajectory of length pi/2 forgets where it began.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.coding.codes import Codes, drift
from codingschemes.coding.neurons import layer_populations, read_layers
from codingschemes.coding.population import ClassMeans, join
from codingschemes.posterior import Density, Position
from codingschemes.progress import tracked
from codingschemes.runs import Run
from codingschemes.samplers import SAMPLERS, Info, Kernel, Settings, begin, default_sampler
from codingschemes.samplers.kernel import renewal

#: Draws or steps along which drift is followed, at most; adapting steps before them; chains that are followed.
_FOLLOWED, _ADAPTING, _CHAINS = 50, 40, 4
_CHUNK_NUMBERS = 20_000_000


@dataclass(frozen=True)
class LayerDrift:
    """How one layer changes along a local dynamics.

    Attributes:
        dynamics: along what, in words.
        time: integration time that each chain was followed, mean over chains.
        changes: changes of code per neuron and unit of integration time, of neurons that have a code; NaN where none
            has.
        correlation: of class-mean activities in the first network with those in the last, over neurons and classes,
            each class's mean over neurons taken off; mean over chains. 1 where nothing drifts, 0 where neurons forget
            what they answered to; NaN where all neurons are alike.
    """

    dynamics: str
    time: float
    changes: float
    correlation: float

    @property
    def words(self) -> str:
        """`0.03 code changes a neuron and unit of time, correlation 0.49 after 77`."""
        changes = "" if np.isnan(self.changes) else f"{self.changes:.2g} code changes a neuron and unit of time, "
        return f"{changes}correlation {self.correlation:.2f} after time {self.time:.0f}"


class Trajectory(NamedTuple):
    """Networks along a local dynamics.

    Attributes:
        layers: one population a hidden layer, (chain, step, neuron, ...).
        times: integration time from one network to the next, (chain, step - 1).
        dynamics: which, in words.
    """

    layers: tuple[ClassMeans, ...]
    times: Float[np.ndarray, "chain pairs"]
    dynamics: str


def layer_drift(trajectory: Trajectory, layer: int, codes: Codes) -> LayerDrift:
    """Drift of one layer of a trajectory, with the codes that were found in the posterior of that layer."""
    neurons = trajectory.layers[layer]
    time = float(trajectory.times.sum(axis=1).mean())
    found = drift(codes.assign(neurons))
    per_step = time / max(trajectory.times.shape[1], 1)
    followed = float(found.steps.sum()) * per_step
    return LayerDrift(
        dynamics=trajectory.dynamics,
        time=time,
        changes=float(found.switches.sum()) / followed if followed else float("nan"),
        correlation=float(np.mean(correlations(trajectory, layer))),
    )


def correlations(trajectory: Trajectory, layer: int) -> Float[np.ndarray, " chain"]:
    """`LayerDrift.correlation` of every chain."""
    return np.array([_correlation(*ends) for ends in trajectory.layers[layer].activity[:, [0, -1]]])


def _correlation(first: Float[np.ndarray, "N G"], last: Float[np.ndarray, "N G"]) -> float:
    first, last = (each - each.mean(axis=0) for each in (first, last))
    scale = np.sqrt(np.sum(first**2) * np.sum(last**2))
    return float(np.sum(first * last) / scale) if scale else float("nan")


def own_trajectory(run: Run) -> Trajectory | None:
    """The last draws of a run, where they are themselves a local dynamics whose time is known."""
    integration_time = run.kernel.integration_time
    if integration_time is None or run.draw_count < 2:
        return None
    kept = slice(max(0, run.draw_count - _FOLLOWED), None)
    stats = {name: run.values("sample_stats", stored)[:, kept][:, 1:] for name, stored in _STORED.items()}
    stats["potential"] = -stats["potential"]  # stored is the log density
    info = Info(**{name: jnp.asarray(values) for name, values in stats.items()})
    times, sampler = np.asarray(integration_time(info)), run.config["sampling"]["sampler"]
    return Trajectory(read_layers(run, kept), times, f"{sampler}, the run's own draws")


#: What a step told -> its name among the stored statistics of a draw.
_STORED = {
    "potential": "lp",
    "acceptance_rate": "acceptance_rate",
    "gradients": "n_steps",
    "diverging": "diverging",
    "step_size": "step_size",
    "switches": "switches",
}


def continued_trajectory(run: Run, steps: int = _FOLLOWED) -> Trajectory:
    """A local dynamics from the last draw of up to four chains: step size and preconditioner adapt for 40 steps, which
    move the networks as well, then the networks are followed."""
    posterior, sampler = run.posterior, default_sampler("drift")
    density, kernel = posterior.density("reduced"), SAMPLERS[sampler](Settings(warmup=_ADAPTING))
    start_key, kernel_key, readout_key = jax.random.split(jax.random.PRNGKey(run.config["sampling"]["seed"]), 3)
    positions = last_positions(run, start_key, density)
    states = _begin(kernel, kernel_key, positions, density)
    network, chains = posterior.network, len(positions["input"])
    numbers = chains * network.depth * network.width * posterior.task.sample_count
    block = int(np.clip(_CHUNK_NUMBERS // numbers, 1, 10))
    adapting, followed = -(-_ADAPTING // block), -(-steps // block)
    parts, times = [], []
    for index in tracked(range(adapting + followed), f"following the networks by {sampler}"):
        key = jax.random.fold_in(readout_key, index)
        states, activity, readout, time = _follow(kernel, states, key, density, block)
        if index >= adapting:
            parts.append(layer_populations(posterior, np.asarray(activity), np.asarray(readout)))
            times.append(np.asarray(time))
    layers = tuple(join(layer, axis=1) for layer in zip(*parts, strict=True))
    return Trajectory(layers, np.concatenate(times, axis=1)[:, 1:], f"{sampler} from the chains' last draws")


def last_positions(run: Run, key: Array, density: Density) -> Position:
    """Coordinates of the last draw of up to four chains in the reduced form; hidden weights, which are not stored, are
    exact draws given the preactivations."""
    group = run.data["neurons"].dataset.isel(draw=-1, chain=slice(_CHAINS))
    preactivations = jnp.asarray(group["preactivation"].values, float)
    readouts = jnp.asarray(group["readout"].values, float)
    position = {"input": jax.vmap(density.input_coordinates)(preactivations[:, 0])}
    if run.posterior.network.depth > 1:
        keys = jax.random.split(key, len(readouts))
        weights = jax.jit(jax.vmap(run.posterior.draw_weights))(keys, preactivations, readouts)
        position["hidden"] = weights.hidden / jnp.sqrt(density.weight_variance)
    return position


@functools.partial(jax.jit, static_argnums=0)
def _begin(kernel: Kernel, key: Array, positions: Position, density: Density):  # type: ignore[no-untyped-def]
    """States at the beginning of a warm-up, with the scale that the gradients of all chains say."""
    return renewal(kernel)(begin(kernel, key, positions, density), positions, density)


@functools.partial(jax.jit, static_argnums=(0, 4))
def _follow(kernel: Kernel, states, key: Array, density: Density, steps: int):  # type: ignore[no-untyped-def]
    """States after some steps, and of every step activities (chain, step, layer, neuron, sample), readouts, and the
    integration time that it took, (chain, step)."""

    integration_time = kernel.integration_time
    assert integration_time is not None

    def observe(key: Array, position: Position) -> tuple[Array, Array]:
        preactivations, last = density.propagate(position)
        activity = density.network.activation(preactivations)
        return activity.astype(jnp.float32), density.readout(key, position, last)

    def body(states, key):  # type: ignore[no-untyped-def]
        states, info = jax.vmap(kernel.step, (0, None))(states, density)
        positions = jax.vmap(kernel.position)(states)
        seen = jax.vmap(observe)(jax.random.split(key, len(info.potential)), positions)
        return states, (*seen, integration_time(info))

    states, stacked = jax.lax.scan(body, states, jax.random.split(key, steps))
    return states, *(jnp.swapaxes(each, 0, 1) for each in stacked)
