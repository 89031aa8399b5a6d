"""Prediction for saturating networks at any inputs: particles."""

import numpy as np

from codingschemes.posterior import Posterior
from codingschemes.progress import announce
from codingschemes.theory.mean_field.dual import Units, refitted_gap
from codingschemes.theory.mean_field.particles import settle
from codingschemes.theory.mean_field.predictor import Neurons, predict_tests
from codingschemes.theory.mean_field.routes.shared import PARTICLE_TOLERANCE, assumptions, code_groups, neuron_sample
from codingschemes.theory.prediction import Assumption, Certificate, Prediction
from codingschemes.theory.scheme import scheme_of

_MOVING, _GROWTH, _CLIMBING = 5.0, 1.5, 6.5e-6
"""Seconds of a core that 2000 particles took at 100 samples, the power of the samples from 100 to 200, and what
Newton's steps take beside, for each entry of their matrix."""


def by_particles(posterior: Posterior, fractions: dict[str, float] | None, count: int, seed: int) -> Prediction:
    task, network, units = posterior.task, posterior.network, Units.of(posterior)
    density = posterior.density("reduced")
    moving = _MOVING * (task.sample_count / 100) ** _GROWTH
    announce("mean field by particles", count / 2000 * (moving + _CLIMBING * task.targets.size**2))
    found = settle(
        network.activation,
        np.asarray(density.basis),
        task.targets,
        np.asarray(density.class_average),
        units.variance,
        units.tau,
        count=count,
        seed=seed,
        fractions=fractions,
    )
    fitted = units.variance * found.kernel
    gap = refitted_gap(task.targets - units.tau * found.t - fitted @ found.t, fitted, units.tau)
    t = np.linalg.solve(fitted + units.tau * np.eye(len(fitted)), task.targets)
    names, group = np.unique(found.code, axis=0, return_inverse=True)
    neurons = Neurons(found.preactivation, found.readout, group.ravel())
    tests = predict_tests(posterior, neurons, t, units.variance, units.tau) if len(task.test_inputs) else None
    codes = code_groups(posterior, neurons, names)
    stable = Assumption(
        f"Neurons keep their codes: {found.switched:.1%} of the particles changed theirs at fixed t (at most 1%).",
        found.switched <= 0.01,
    )
    frozen = Assumption(
        "The fractions of codes are those in which particles froze on cooling, not those of equilibrium.", holds=False
    )
    sample = neuron_sample(posterior, neurons, seed)
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=task.targets - units.tau * t,
        kernel=found.kernel,
        certificate=Certificate(
            gap=gap,
            tolerance=PARTICLE_TOLERANCE,
            meaning="duality gap in nats a neuron at the particles' fractions of codes, Monte Carlo noise included",
            bounds={"output_error": float(np.sqrt(2 * units.tau * gap))},
        ),
        assumptions=(
            *assumptions(posterior, conditional=True)[: 3 if fractions else 2],
            stable,
            *(() if fractions else (frozen,)),
        ),
        codes=codes,
        neurons=sample,
        scheme=scheme_of(posterior, sample),
        test_outputs=None if tests is None else tests.outputs,
        test_variance=None if tests is None else tests.variance,
        details={"method": "particles", "conditional": fractions is not None},
    )
