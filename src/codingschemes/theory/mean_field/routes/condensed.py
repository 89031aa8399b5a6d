"""Prediction for ReLU networks at orthogonal inputs: bulk and outliers."""

import numpy as np
from jaxtyping import Float

from codingschemes.posterior import Posterior
from codingschemes.theory.mean_field.class_problem import ClassProblem
from codingschemes.theory.mean_field.dual import Units
from codingschemes.theory.mean_field.outliers import Condensed, bulk_mode, condensed_gap, solve_condensed
from codingschemes.theory.mean_field.predictor import Neurons, extension, predict_tests, rectified_mean
from codingschemes.theory.mean_field.routes.shared import (
    NEURONS,
    TOLERANCE,
    assumptions,
    class_problem,
    neuron_sample,
    with_readouts,
)
from codingschemes.theory.mean_field.sampling import draw_neurons
from codingschemes.theory.prediction import Assumption, Certificate, NeuronGroup, Prediction
from codingschemes.theory.scheme import scheme_of

_OUTLIER = 1e-2
"""abar below which a direction holds no outlier: the barrier leaves the square root of its strength in each."""
_SEPARATE = 10.0
"""Nats from the bulk's mode to its edge from which on the two kinds of neurons are told apart."""


def bulk_and_outliers(posterior: Posterior, kappa: float, seed: int) -> Prediction:
    task, network, units = posterior.task, posterior.network, Units.of(posterior)
    problem = class_problem(posterior, kappa)
    found = solve_condensed(problem)
    excess, output_error = condensed_gap(problem, found)
    labels, root = task.labels, np.sqrt(network.width)
    carried = [j for j in range(len(found.readouts)) if np.linalg.norm(found.readouts[j]) > _OUTLIER]
    bulk = (found.weight[:, None] * found.mean).T @ found.mean
    blocks = bulk + found.activities.T @ found.activities
    kernel = blocks[labels][:, labels]
    diagonal = found.weight @ (found.spread + found.mean**2) + (found.activities**2).sum(0)
    np.fill_diagonal(kernel, diagonal[labels])
    fields = problem.single.preactivation(found.lattice.readouts @ found.t.T)
    drawn = draw_neurons(problem, found, labels, NEURONS, seed)
    neurons = with_readouts(posterior, drawn, found.t[labels])
    strongest = [int(np.argmax(found.activities[j])) for j in carried]
    outliers = tuple(
        NeuronGroup(
            name=task.class_names[top],
            count=1.0,
            activity=root * found.activities[j],
            readout=units.readout * root * found.readouts[j],
            preactivation=kappa * root * found.t @ found.readouts[j] * (found.activities[j] > 0),
        )
        for j, top in sorted(zip(carried, strongest, strict=True), key=lambda pair: pair[1])
    )
    sample = neuron_sample(posterior, neurons, seed, others=outliers)
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=(problem.targets - units.tau * found.t)[labels],
        kernel=kernel,
        certificate=Certificate(
            gap=excess,
            tolerance=TOLERANCE,
            meaning="duality gap in nats a neuron, the bulk being cut off where it merges with single large neurons",
            bounds={"output_error": output_error, "bulk_cut": found.cut},
        ),
        assumptions=(
            *assumptions(posterior, conditional=False),
            Assumption("Each direction of outliers is one neuron: entropy favours it, merging is slow.", holds=True),
            Assumption(
                f"Bulk and outliers are separate: the bulk holds readouts up to {found.cut:.1f} nats above its mode "
                f"(at least {_SEPARATE:g}).",
                found.cut >= _SEPARATE,
            ),
        ),
        bulk=NeuronGroup(
            name="bulk",
            count=float(network.width - len(carried)),
            activity=found.weight @ found.mean,
            readout=units.readout * found.weight @ found.lattice.readouts,
            preactivation=found.weight @ fields,
        ),
        outliers=outliers,
        neurons=sample,
        scheme=scheme_of(posterior, sample, condensed=len(outliers)),
        test_outputs=_test_outputs(problem, found, posterior, neurons) if len(task.test_inputs) else None,
        details={
            "method": "quadrature",
            "t": found.t.tolist(),
            "bulk_mode": (units.readout * bulk_mode(problem, found.t)).tolist(),
            "bulk_outputs": found.bulk_outputs.tolist(),
            "zbar": found.activities[carried].tolist(),
            "abar": found.readouts[carried].tolist(),
        },
    )


def _test_outputs(
    problem: ClassProblem, found: Condensed, posterior: Posterior, neurons: Neurons
) -> Float[np.ndarray, "Q C"]:
    """Means at the test inputs: those of the bulk, and of outliers with z(x) around k0^T K0^+ z.

    Variances are left out: how outliers fluctuate is not part of the density over readouts.
    """
    units, labels, root = Units.of(posterior), posterior.task.labels, np.sqrt(posterior.network.width)
    t = found.t[labels]
    bulk = predict_tests(
        posterior,
        neurons,
        t,
        units.variance,
        units.tau,
        carried=(found.activities.T @ found.readouts)[labels],
    )
    extend = extension(posterior)
    fields = root * found.readouts @ found.t.T
    mean = problem.single.preactivation(fields)[:, labels] @ extend.weights
    # a neuron deep in silence has one half of a normal density
    kappa = problem.single.kappa
    spread = np.where(fields > 0, kappa, kappa * (1 - 2 / np.pi))[:, labels] @ extend.weights**2
    phi = rectified_mean(mean, np.sqrt(extend.variance + spread))
    return bulk.outputs + phi.T @ found.readouts / root
