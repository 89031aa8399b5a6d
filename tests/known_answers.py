"""Small problems with known answers that many tests share."""

import dataclasses

import jax
import numpy as np

from codingschemes import Network, Posterior, tasks


def small_posterior(
    activation: str = "sigmoid",
    *,
    samples: int = 8,
    width: int = 6,
    depth: int = 1,
    bias: bool = False,
    temperature: float = 0.05,
    recurrent: bool = False,
    **prior: float,
) -> Posterior:
    """A posterior that NUTS mixes on in seconds: correlated inputs, two classes, readouts of order one."""
    task = correlated_task(samples)
    network = Network(activation, width=width, depth=depth, bias=bias, recurrent=recurrent)
    return Posterior(task, network, temperature=temperature, **{"readout_variance": float(width), **prior})


def correlated_task(samples: int, features: int = 5) -> tasks.Task:
    """Two classes with different means, fewer features than samples: K0 is singular."""
    rng = np.random.default_rng(7)
    labels = np.arange(samples) % 2
    inputs = rng.normal(size=(samples, features)) + 0.8 * labels[:, None]
    return tasks.Task(
        name="correlated",
        inputs=inputs,
        targets=np.eye(2)[labels],
        labels=labels,
        class_names=("a", "b"),
        target_names=("a", "b"),
        factors=None,
        test_inputs=rng.normal(size=(3, features)),
        test_targets=np.eye(2)[[0, 1, 0]],
        test_labels=np.array([0, 1, 0]),
    )


# One program each: operation by operation they would be dozens, of every shape.


@jax.jit
def prior_draw(density, key):
    return density.prior_draw(key)


@jax.jit
def propagate(density, position):
    return density.propagate(position)


@jax.jit
def potential(density, position):
    return density.potential(position)


def unclassified(targets: np.ndarray) -> Posterior:
    """As small as `small_posterior`, but with targets, (8, 2), that do not tell the two classes apart."""
    task = dataclasses.replace(correlated_task(8), targets=targets, test_targets=np.ones((3, 2)))
    return Posterior(task, Network("sigmoid", width=6), temperature=0.05)


def agreement_z(mean: np.ndarray, error: np.ndarray, other_mean: np.ndarray, other_error: np.ndarray) -> np.ndarray:
    """z-scores of a difference of two Monte Carlo means."""
    return (mean - other_mean) / np.sqrt(error**2 + other_error**2)
