"""Descent to networks of whole neurons: upper bounds on the minimum, with nothing relaxed."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from codingschemes.posterior import Posterior
from codingschemes.progress import check_time, tracked
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum.measures import NeuronMeasure, energy, move


def best_network(
    problem: ConvexProblem, measure: NeuronMeasure, *, seed: int = 0, starts: int = 6, floor: float = 0.0
) -> tuple[NeuronMeasure, float]:
    """The best network of N neurons found by descent, and its energy.

    Args:
        problem: one hidden layer.
        measure: neurons to begin with, of any masses: each start gives every neuron as many copies as its mass says,
            what is left over going to some of them at random.
        seed: fixes every random choice.
        starts: half of them from the measure, half from random neurons of the same sizes.
        floor: no network's energy is below; one that reaches it, up to rounding, is not searched beyond.
    """
    rng = np.random.default_rng(seed)
    count, components = problem.neurons, measure.positions.shape[1]
    shares = measure.masses * (count / measure.masses.sum())
    # neurons whose mass is not their number carry the rest in their size
    sizes = np.sqrt(measure.masses / shares)[:, None]
    spread = np.sqrt(np.mean((measure.positions * sizes) ** 2))
    networks: list[NeuronMeasure] = []
    energies: list[float] = []
    for start in tracked(range(starts), "descending to networks of whole neurons"):
        if start % 2 == 0:
            whole = np.floor(shares).astype(int)
            left = shares - whole
            missing = count - int(whole.sum())
            if missing:
                # at random in proportion to what is left over; the first start takes the largest
                keys = -left if start == 0 else -np.log(np.maximum(left, 1e-12)) - rng.gumbel(size=len(left))
                whole[np.argsort(keys)[:missing]] += 1
            begin = np.repeat(measure.positions * sizes, whole, axis=0)
            begin = begin + 1e-3 * spread * rng.normal(size=begin.shape)
        else:
            begin = spread * rng.normal(size=(count, components))
        networks.append(move(problem, NeuronMeasure(begin, np.ones(len(begin))), iterations=1000))
        energies.append(energy(problem, networks[-1]))
        if energies[-1] <= floor * (1 + 1e-10):
            break
    best = int(np.argmin(energies))
    return networks[best], energies[best]


@jax.jit
@partial(jax.value_and_grad, argnums=1)
def _potential(density, flat):  # type: ignore[no-untyped-def]
    shapes = density.shapes
    blocks = jnp.split(flat, np.cumsum([int(np.prod(shape)) for shape in shapes.values()])[:-1])
    return density.potential(
        {name: block.reshape(shape) for block, (name, shape) in zip(blocks, shapes.items(), strict=True)}
    )


def lowest_energy(posterior: Posterior, *, seed: int = 0, starts: int = 6) -> float:
    """The lowest E of L-BFGS over all weights of a network of any depth, from random starts of different sizes.

    E = 2 T U in whitened coordinates.
    """
    density = posterior.density("weights")
    rng = np.random.default_rng(seed)
    count = sum(int(np.prod(shape)) for shape in density.shapes.values())
    scale = 2 * posterior.prior.temperature
    typical = np.sqrt(posterior.task.targets.size / (scale * count))

    def objective(flat: Float[np.ndarray, " n"]) -> tuple[float, Float[np.ndarray, " n"]]:
        check_time("descending over all weights")
        value, slope = _potential(density, flat)
        return scale * float(value), scale * np.asarray(slope)

    ends_at = []
    for start in tracked(range(starts), "descending over all weights"):
        size = typical * (0.5, 1.0, 2.0)[start % 3]
        found = minimize(
            objective, size * rng.normal(size=count), jac=True, method="L-BFGS-B", options={"maxiter": 500}
        )
        ends_at.append(float(found.fun))
    return min(ends_at)
