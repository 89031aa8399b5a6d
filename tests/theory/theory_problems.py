"""Posteriors and planted solutions that the tests of theories share."""

import functools

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr

import codingschemes as cs
from codingschemes.networks import ACTIVATIONS
from codingschemes.theory import predict
from codingschemes.theory.mean_field.class_problem import ClassProblem
from codingschemes.theory.mean_field.single_input import single_input

TOY = (0.5, 0.25, 0.25)


def toy_posterior(activation="sigmoid", *, samples=100, width=100, temperature=1e-4, test=0, **options):
    task = cs.tasks.orthogonal(samples=samples, ratios=TOY, test=test)
    return cs.Posterior(task, cs.Network(activation, width=width), temperature=temperature, **options)


@functools.cache
def toy_prediction(activation, temperature):
    """Of 48 samples and 100 neurons: solved once for all tests of its neurons."""
    return predict(toy_posterior(activation, samples=48, temperature=temperature))


def class_problem(activation="sigmoid", *, counts=(50.0, 25.0, 25.0), tau=0.01, variance=None, kappa=1.0):
    counts = np.array(counts)
    phi = ACTIVATIONS[activation]
    middle = phi.midpoint if phi.bounded else None
    return ClassProblem(
        single_input(phi, kappa), middle, counts, np.eye(len(counts)), variance or 1 / counts.sum(), tau
    )


def fractions_of(prediction):
    return {group.name: group.count / prediction.posterior.network.width for group in prediction.codes}


def standard_error(values, count, group=None):
    """Of a mean over `count` independent particles, from the spread of values of some of them, (particle, ...).

    In a group, (particle, ...), the number of particles does not fluctuate: what spreads is what differs within groups.
    """
    values = np.asarray(values, float)
    if group is not None:
        member = np.unique(group, axis=0, return_inverse=True)[1].ravel()
        values = values - np.stack([values[member == each].mean(axis=0) for each in range(1 + member.max())])[member]
    return values.std(axis=0) / np.sqrt(count)


def fitted_noise(outputs, count):
    """The largest duality gap, in nats a neuron, that is but the noise of particles.

    Dual variables that fit `count` draws gain chi^2 / 2 nats, with as many degrees of freedom as there are outputs, and
    all draws share them: four standard deviations above the mean.
    """
    return (outputs + 4 * np.sqrt(2 * outputs)) / (2 * count)


def regressed_error(tau, count):
    """The largest standard error of a training output that test predictions make of `count` particles.

    Of noise with the variance c / count the regression on the outputs leaves the share tau / (c + tau), and
    sqrt(c) tau / (c + tau) is largest where c = tau.
    """
    return np.sqrt(tau / count) / 2


def sample_networks(posterior, *, sweeps, seed=0, leapfrogs=8):
    """Sigmoid networks by Hamiltonian Monte Carlo of all preactivations, the readout integrated out, in plain numpy.

    Inputs must have K0 = I. Returns (draw, ...) outputs and kernels after the first third, in which the step adapts.
    """
    task, width = posterior.task, posterior.network.width
    noise, scaled_readout_variance = posterior.prior.temperature, posterior.prior.readout_variance / width**2
    samples, outputs = task.targets.shape
    rng = np.random.default_rng(seed)

    def potential(z):
        phi = ndtr(np.sqrt(np.pi / 2) * z)
        factor = cho_factor(noise * np.eye(samples) + scaled_readout_variance * phi.T @ phi)
        dual = cho_solve(factor, task.targets)
        value = (z**2).sum() / 2 + outputs * np.log(np.diagonal(factor[0])).sum() + (task.targets * dual).sum() / 2
        force = scaled_readout_variance * (outputs * cho_solve(factor, phi.T).T - phi @ dual @ dual.T)
        return value, z + force * np.exp(-np.pi * z**2 / 4) / 2, task.targets - noise * dual, phi

    z, step, drawn = rng.standard_normal((width, samples)), 0.05, []
    here = potential(z)
    for sweep in range(sweeps):
        momentum = rng.standard_normal(z.shape)
        start = here[0] + (momentum**2).sum() / 2
        size, moved, there = step * rng.uniform(0.7, 1.3), z, here
        for _ in range(leapfrogs):
            momentum = momentum - size * there[1] / 2
            moved = moved + size * momentum
            there = potential(moved)
            momentum = momentum - size * there[1] / 2
        probability = np.exp(min(0.0, start - there[0] - (momentum**2).sum() / 2))
        if rng.random() < probability:
            z, here = moved, there
        if 3 * sweep < sweeps:
            step *= np.exp(0.2 * (probability - 0.8))
        else:
            drawn.append((here[2], here[3].T @ here[3] / width))
    return tuple(np.array(each) for each in zip(*drawn, strict=True))
