"""Prediction for saturating networks with several hidden layers: particles in every layer."""

import numpy as np
from jaxtyping import Float

from codingschemes.networks import Network
from codingschemes.posterior import Posterior
from codingschemes.theory.mean_field.deep import Kernels, Stack, settle_deep
from codingschemes.theory.mean_field.dual import Units, refitted_gap
from codingschemes.theory.mean_field.predictor import Neurons, extension, extension_above, predict_tests
from codingschemes.theory.mean_field.routes.shared import (
    PARTICLE_TOLERANCE,
    assumptions,
    code_groups,
    neuron_sample,
    with_readouts,
)
from codingschemes.theory.prediction import Assumption, Certificate, Prediction
from codingschemes.theory.scheme import scheme_of

_MOBILE = 0.1
"""Share of particles that must change code while averages are taken for codes to count as mixing."""


def kernels_of(network: Network, weight_variance: float) -> Kernels:
    """K_l = g <phi phi^T> + b of a network, (1/N) sum over neurons having become an average."""
    scale = network.width if network.scaling == "none" else 1
    return Kernels(weight_variance * scale, weight_variance if network.bias else 0.0)


def by_layers(posterior: Posterior, fractions: dict[str, float] | None, count: int, seed: int) -> Prediction:
    task, network, units = posterior.task, posterior.network, Units.of(posterior)
    density = posterior.density("reduced")
    kernels = kernels_of(network, posterior.prior.weight_variance)
    found = settle_deep(
        network.activation,
        np.asarray(density.basis),
        task.targets,
        np.asarray(density.class_average),
        kernels,
        units.variance,
        units.tau,
        depth=network.depth,
        count=count,
        seed=seed,
        fractions=fractions,
    )
    fitted = units.variance * found.kernels[-1]
    dual_gap = refitted_gap(task.targets - units.tau * found.t - fitted @ found.t, fitted, units.tau)
    t = np.linalg.solve(fitted + units.tau * np.eye(len(fitted)), task.targets)
    names, group = np.unique(found.codes, axis=0, return_inverse=True)
    neurons = Neurons(found.preactivations[-1], np.zeros((len(found.codes), task.targets.shape[1])), group.ravel())
    neurons = with_readouts(posterior, neurons, t)
    sample = neuron_sample(posterior, neurons, seed)
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=task.targets - units.tau * t,
        kernel=found.kernels[-1],
        lower_kernels=found.kernels[:-1],
        certificate=Certificate(
            gap=dual_gap + sum(sum(each) for each in found.unsolved),
            tolerance=PARTICLE_TOLERANCE,
            meaning="residual of the self-consistency in nats a neuron: duality gap of the last layer, and divergences "
            "of the layers' densities from those that each other's averages imply, Monte Carlo noise included",
            bounds={
                "dual_gap": dual_gap,
                "kernel_residual": sum(kernel for kernel, _ in found.unsolved),
                "tilt_residual": sum(tilt for _, tilt in found.unsolved),
            },
        ),
        assumptions=(
            *assumptions(posterior, conditional=fractions is not None),
            Assumption(
                f"Neurons keep their codes: {found.switched:.1%} of the particles changed theirs at fixed t "
                "(at most 1%).",
                found.switched <= 0.01,
            )
            if fractions
            else Assumption(
                "Particles move between codes, so that the numbers in each are those of equilibrium and not noise: "
                f"{found.switched:.1%} of the last layer's did while averages were taken (at least {_MOBILE:.0%}).",
                found.switched >= _MOBILE,
            ),
            Assumption(
                "The stationary point to which cooling leads is the minimum of the free energy: not proven for more "
                "than one hidden layer.",
                holds=False,
            ),
        ),
        codes=code_groups(posterior, neurons, names),
        neurons=sample,
        scheme=scheme_of(posterior, sample),
        test_outputs=_test_outputs(posterior, found, neurons, t, kernels) if len(task.test_inputs) else None,
        details={"method": "particles", "conditional": fractions is not None},
    )


def _test_outputs(
    posterior: Posterior, found: Stack, neurons: Neurons, t: Float[np.ndarray, "P C"], kernels: Kernels
) -> Float[np.ndarray, "Q C"]:
    """Means only: variances are of order 1/N, to which the kernels' fluctuations in every layer contribute."""
    units, extend = Units.of(posterior), extension(posterior)
    for preactivation in found.preactivations[:-1]:
        extend = extension_above(extend, preactivation, posterior.network.activation, kernels.gain, kernels.offset)
    return predict_tests(posterior, neurons, t, units.variance, units.tau, extend=extend).outputs
