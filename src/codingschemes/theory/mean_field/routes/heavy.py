"""Prediction for ReLU networks at any inputs: a bulk by particles, and heavy neurons."""

import numpy as np

from codingschemes.posterior import Posterior
from codingschemes.progress import announce
from codingschemes.theory.convex import Problem
from codingschemes.theory.mean_field.dual import Units
from codingschemes.theory.mean_field.heavy import divide
from codingschemes.theory.mean_field.predictor import Neurons, extension, predict_tests, rectified_mean
from codingschemes.theory.mean_field.routes.shared import PARTICLE_TOLERANCE, assumptions, neuron_sample
from codingschemes.theory.prediction import Assumption, Certificate, NeuronGroup, Prediction
from codingschemes.theory.scheme import scheme_of

_SECONDS, _GROWTH = 55.0, 1.35
"""Measured on one core at 100 samples and 2000 particles, and the power of the samples from 30 to 100."""
_HEAVY = 2.0
"""Activity norm, in units of the bulk's median, above which a neuron is listed as heavy."""


def bulk_and_heavy(posterior: Posterior, count: int, seed: int) -> Prediction:
    task, network, units = posterior.task, posterior.network, Units.of(posterior)
    announce("mean field of ReLU at correlated inputs", _SECONDS * (task.sample_count / 100) ** _GROWTH)
    found = divide(Problem.of(posterior), count=count, seed=seed)
    activity = np.maximum(found.heavy, 0)
    norms = np.linalg.norm(activity, axis=1)
    typical = float(np.median(np.linalg.norm(np.maximum(found.preactivation, 0), axis=1)))
    listed = norms > _HEAVY * typical
    average = np.asarray(posterior.density("reduced").class_average)
    heavy = tuple(
        NeuronGroup(
            name=task.class_names[int(np.argmax(average.T @ activity[index]))],
            count=1.0,
            activity=average.T @ activity[index],
            readout=units.readout * found.heavy_readout[index],
            preactivation=average.T @ found.heavy[index],
        )
        for index in np.flatnonzero(listed)
    )
    neurons = Neurons(found.preactivation, found.readout, np.zeros(len(found.preactivation), int))
    test_outputs = None
    if len(task.test_inputs):
        bulk = predict_tests(
            posterior,
            neurons,
            found.t,
            units.variance,
            units.tau,
            carried=activity.T @ found.heavy_readout / network.width,
        )
        extend = extension(posterior)
        phi = rectified_mean(found.heavy @ extend.weights, np.sqrt(extend.variance))
        test_outputs = bulk.outputs + phi.T @ found.heavy_readout / network.width
    sample = neuron_sample(posterior, neurons, seed, variance=found.readout_variance, others=heavy)
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=task.targets - units.tau * found.t,
        kernel=found.bulk_kernel + activity.T @ activity / network.width,
        certificate=Certificate(
            gap=found.bulk_gap + found.heavy_gap,
            tolerance=PARTICLE_TOLERANCE,
            meaning="duality gaps of bulk and heavy neurons in nats a neuron, Monte Carlo noise included",
            bounds={"bulk_gap": found.bulk_gap, "heavy_gap": found.heavy_gap},
        ),
        assumptions=(
            *assumptions(posterior, conditional=False),
            Assumption("Heavy neurons are at their most probable places; they fluctuate like the bulk.", holds=True),
            Assumption(
                "Bulk and heavy neurons differ in size: where neurons of all sizes lie between, outputs and kernel are "
                f"predicted, numbers of heavy neurons are not ({int(listed.sum())} are listed).",
                holds=bool(listed.sum() <= task.class_count),
            ),
        ),
        neurons=sample,
        scheme=scheme_of(posterior, sample, condensed=len(heavy)),
        test_outputs=test_outputs,
        details={
            "method": "particles",
            "heavy": [
                {"class": each.name, "norm": float(norm), "activity": each.activity.tolist()}
                for each, norm in zip(heavy, norms[listed], strict=True)
            ],
            "bulk_norm": typical,
            "bulk_share_of_kernel": float(np.trace(found.bulk_kernel))
            / float(np.trace(found.bulk_kernel) + np.sum(norms**2) / network.width),
        },
    )
