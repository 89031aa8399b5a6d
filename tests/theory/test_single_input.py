"""One input in a field: the table against direct integration, and derivatives against each other."""

from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import simpson

from codingschemes.networks import ACTIVATIONS
from codingschemes.theory.mean_field.single_input import SingleInput, nodes

SMOOTH_AND_KINKED = ("sigmoid", "tanh", "hardtanh", "threshold-log1p", "relu")


def brute_force(activation, kappa, field, power=0):
    """∫ Dz phi^power exp(field phi), by Simpson's rule with steps of a thousandth between kinks."""
    kinks = np.array([-3, -1, 0, 1, 3]) / np.sqrt(kappa)
    edges = np.concatenate([[-12], kinks, [12]])
    total = 0.0
    for left, right in pairwise(edges):
        z = np.linspace(left, right, 12001)
        phi = np.asarray(ACTIVATIONS[activation](jnp.asarray(np.sqrt(kappa) * z)))
        total += simpson(phi**power * np.exp(field * phi - z**2 / 2), x=z) / np.sqrt(2 * np.pi)
    return total


@pytest.mark.parametrize("activation", SMOOTH_AND_KINKED)
@pytest.mark.parametrize(("kappa", "field"), [(1.0, -2.9), (2.5, 0.73)])
def test_partition_function_is_the_integral(activation, kappa, field):
    log_z, mean = (each[0] for each in SingleInput(ACTIVATIONS[activation], kappa).energy(np.array([field])))
    z = brute_force(activation, kappa, field)
    # cubic interpolation: (step * cosh)^4 / 384 times the fourth cumulant, which is below ten for all of these
    assert log_z == pytest.approx(np.log(z), abs=3e-7)
    assert mean == pytest.approx(brute_force(activation, kappa, field, 1) / z, abs=1e-5)


@pytest.mark.parametrize("activation", SMOOTH_AND_KINKED)
def test_mean_and_variance_are_derivatives(activation):
    single = SingleInput(ACTIVATIONS[activation], 1.3)
    h, d = np.linspace(-6, 6, 41), 1e-4
    log_z = [single.energy(h + shift)[0] for shift in (-d, d)]
    means = [single.energy(h + shift)[1] for shift in (-d, d)]
    mean, variance = single.moments(h)
    assert np.allclose((log_z[1] - log_z[0]) / (2 * d), mean, atol=2e-4)
    assert np.allclose((means[1] - means[0]) / (2 * d), variance, atol=2e-3)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_mean_preactivation_by_parts(activation):
    """<z> = kappa h <phi'>, here with the derivative of the mean activity in the prior mean of z."""
    kappa, field, d = 1.7, 0.9, 1e-4

    def log_z(shift):
        rule = nodes(ACTIVATIONS[activation], kappa, 10.0)
        phi = np.asarray(ACTIVATIONS[activation](jnp.asarray(rule.preactivation + shift)))
        return np.log(np.sum(np.exp(rule.log_weight + field * phi)))

    slope = (log_z(d) - log_z(-d)) / (2 * d)  # h <phi'>
    assert SingleInput(ACTIVATIONS[activation], kappa).preactivation(np.array([field]))[0] == pytest.approx(
        kappa * slope, rel=1e-4
    )


def test_zero_field_is_the_prior():
    single = SingleInput(ACTIVATIONS["sigmoid"], 1.0)
    log_z, mean = (each[0] for each in single.energy(np.zeros(1)))
    second = 0.25 + np.arcsin((np.pi / 2) / (1 + np.pi / 2)) / (2 * np.pi)  # arcsine kernel
    assert log_z == pytest.approx(0, abs=1e-12)
    assert mean == pytest.approx(0.5, abs=1e-12)
    assert single.moments(np.zeros(1))[1][0] == pytest.approx(second - 0.25, abs=1e-10)
