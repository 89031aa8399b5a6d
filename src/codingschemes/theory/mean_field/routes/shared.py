"""What the routes to a prediction share."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from codingschemes.posterior import Posterior
from codingschemes.representation.kernels import class_sizes
from codingschemes.theory.mean_field.class_problem import ClassProblem
from codingschemes.theory.mean_field.dual import Units
from codingschemes.theory.mean_field.predictor import Neurons
from codingschemes.theory.mean_field.single_input import single_input
from codingschemes.theory.prediction import Assumption, NeuronGroup, NeuronSample

TOLERANCE = 1e-6
"""Largest duality gap that is accepted, in nats a neuron."""
PARTICLE_TOLERANCE = 0.1
"""The same for particles; it must stand noise: at N T = .01 and 300 outputs it is an error of .0026 an output."""
NEURONS = 4000
"""Drawn from a density over readouts, for test inputs and to be shown."""


def orthogonal_variance(posterior: Posterior) -> float | None:
    """kappa where K0 = kappa I, targets are the same within classes and readouts are few; None elsewhere."""
    task = posterior.task
    if task.targets.shape[1] > 3:
        return None
    kernel = posterior.input_kernel()
    kappa = float(np.mean(np.diagonal(kernel)))
    if not np.allclose(kernel, kappa * np.eye(len(kernel)), rtol=0, atol=1e-8 * kappa):
        return None
    means = class_targets(posterior)
    return kappa if np.array_equal(means[task.labels], task.targets) else None


def class_problem(posterior: Posterior, kappa: float) -> ClassProblem:
    """The problem of a task with orthogonal inputs, K0 = kappa I, in which t is one row a class."""
    task, units, activation = posterior.task, Units.of(posterior), posterior.network.activation
    return ClassProblem(
        single_input(activation, kappa),
        activation.midpoint if activation.bounded else None,
        class_sizes(task.labels, task.sample_count).astype(float),
        class_targets(posterior),
        units.variance,
        units.tau,
    )


def class_targets(posterior: Posterior) -> Float[np.ndarray, "G C"]:
    """The target of the first sample of each class."""
    task = posterior.task
    return np.stack([task.targets[task.labels == label][0] for label in range(task.class_count)])


def assumptions(posterior: Posterior, *, conditional: bool) -> tuple[Assumption, ...]:
    """What every route rests on, and whether this posterior fulfils it."""
    network, prior = posterior.network, posterior.prior
    statements = [
        Assumption(
            f"The width N = {network.width} is large: corrections are of relative order 1/N.", network.width >= 50
        ),
        Assumption(
            "The readout is scaled by 1/N (or an equivalent prior), so that features are learned.",
            network.width * network.readout_scale**2 * prior.readout_variance * posterior.task.sample_count < 1,
        ),
    ]
    if conditional:
        statements.append(Assumption("The fractions of the codes are given, not those of equilibrium.", holds=True))
    elif network.activation.bounded:
        statements.append(
            Assumption(
                "The sampler moves neurons between codes, so that their fractions are those of equilibrium.", holds=True
            )
        )
    return tuple(statements)


def with_readouts(posterior: Posterior, neurons: Neurons, t: Float[np.ndarray, "P C"]) -> Neurons:
    """The neurons with the mean readout that each has given its preactivations, s^2 t^T phi."""
    phi = np.asarray(posterior.network.activation(jnp.asarray(neurons.preactivation)))
    return neurons._replace(readout=Units.of(posterior).variance * phi @ t)


def code_groups(posterior: Posterior, neurons: Neurons, names: Bool[np.ndarray, "K G"]) -> tuple[NeuronGroup, ...]:
    """Means over the neurons of each code, the most frequent first.

    Args:
        neurons: with the mean readout that each has given its preactivations, grouped by code.
        names: bits of each code.
    """
    average = np.asarray(posterior.density("reduced").class_average)
    activity = np.asarray(posterior.network.activation(jnp.asarray(neurons.preactivation))) @ average
    averaged, readout = neurons.preactivation @ average, Units.of(posterior).readout * neurons.readout
    shares = np.bincount(neurons.group) / len(neurons.group)
    return tuple(
        NeuronGroup(
            name="".join(str(int(bit)) for bit in names[index]),
            count=float(posterior.network.width * shares[index]),
            activity=activity[neurons.group == index].mean(0),
            readout=readout[neurons.group == index].mean(0),
            preactivation=averaged[neurons.group == index].mean(0),
        )
        for index in np.argsort(-shares)
    )


def neuron_sample(
    posterior: Posterior,
    neurons: Neurons,
    seed: int,
    *,
    variance: Float[np.ndarray, " S"] | float | None = None,
    others: tuple[NeuronGroup, ...] = (),
) -> NeuronSample:
    """Class means and readouts of neurons of equal weight, and single neurons beside them.

    Args:
        neurons: with the mean readout that each has given its preactivations.
        seed: of the readouts' noise.
        variance: of a readout given the preactivations, s^2 if left out.
        others: each stands for one neuron.
    """
    units, labels = Units.of(posterior), posterior.task.labels
    phi = np.asarray(posterior.network.activation(jnp.asarray(neurons.preactivation)))
    activity = phi @ np.asarray(posterior.density("reduced").class_average)
    spread = np.sqrt(np.broadcast_to(units.variance if variance is None else variance, len(phi)))[:, None]
    readout = neurons.readout + spread * np.random.default_rng(seed).standard_normal(neurons.readout.shape)
    return NeuronSample(
        activity=np.concatenate([activity, *(group.activity[None] for group in others)]),
        readout=np.concatenate([units.readout * readout, *(group.readout[None] for group in others)]),
        weight=np.append(np.full(len(phi), (posterior.network.width - len(others)) / len(phi)), np.ones(len(others))),
        response=np.concatenate([phi, *(group.activity[None, labels] for group in others)]),
    )
