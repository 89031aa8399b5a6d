"""From a solution to a prediction: the one place where outputs, neurons, scheme and test predictions are made of it."""

import numpy as np

from codingschemes.theory.mean_field.predictor import predict_tests
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.solution import Shares, Solution
from codingschemes.theory.prediction import Assumption, NeuronSample, Prediction
from codingschemes.theory.scheme import scheme_of


def prediction_of(problem: MeanFieldProblem, solution: Solution, seed: int) -> Prediction:
    """What the mean-field theory says, given its solution.

    Args:
        seed: of the readouts' noise in the sample of neurons.
    """
    posterior = problem.posterior
    tested = solution.tested
    if tested is None and len(problem.task.test_inputs):
        tested = predict_tests(problem, solution)
    neurons = _neuron_sample(problem, solution, seed)
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=problem.targets - problem.tau * solution.t,
        kernel=solution.kernel,
        lower_kernels=solution.lower_kernels,
        certificate=solution.certificate,
        assumptions=(*_common_assumptions(problem, solution.shares), *solution.assumptions),
        codes=solution.codes,
        bulk=solution.bulk,
        # without a bulk of its own the number of condensed neurons is not a prediction
        outliers=solution.condensed if solution.bulk is not None else (),
        neurons=neurons,
        scheme=scheme_of(posterior, neurons, condensed=len(solution.condensed)),
        test_outputs=None if tested is None else tested.outputs,
        test_variance=None if tested is None else tested.variance,
        conditional=solution.shares == "given",
        details=solution.details,
    )


def _common_assumptions(problem: MeanFieldProblem, shares: Shares) -> tuple[Assumption, ...]:
    """What every solver rests on, and whether this posterior fulfils it."""
    network, prior = problem.network, problem.posterior.prior
    of_width = Assumption(
        f"The width N = {network.width} is large: corrections are of relative order 1/N.", network.width >= 50
    )
    of_scaling = Assumption(
        "The readout is scaled by 1/N (or an equivalent prior), so that features are learned.",
        network.width * network.readout_scale**2 * prior.readout_variance * problem.task.sample_count < 1,
    )
    if not problem.activation.bounded:
        return of_width, of_scaling
    of_shares = {
        "given": Assumption("The fractions of the codes are given, not those of equilibrium.", holds=True),
        "frozen": Assumption(
            "The fractions of codes are those in which particles froze on cooling, not those of equilibrium.",
            holds=False,
        ),
        "equilibrium": Assumption(
            "The sampler moves neurons between codes, so that their fractions are those of equilibrium.", holds=True
        ),
    }
    return of_width, of_scaling, of_shares[shares]


def _neuron_sample(problem: MeanFieldProblem, solution: Solution, seed: int) -> NeuronSample:
    """Class means and readouts of neurons of equal weight, and condensed ones beside them, each for itself."""
    neurons, condensed, labels = solution.neurons, solution.condensed, problem.task.labels
    phi = problem.activity(neurons.preactivation)
    spread = np.sqrt(np.broadcast_to(solution.readout_variance, len(phi)))[:, None]
    readout = neurons.readout + spread * np.random.default_rng(seed).standard_normal(neurons.readout.shape)
    share = (problem.network.width - len(condensed)) / len(phi)
    return NeuronSample(
        activity=np.concatenate([phi @ problem.class_average, *(group.activity[None] for group in condensed)]),
        readout=np.concatenate([problem.readout_unit * readout, *(group.readout[None] for group in condensed)]),
        weight=np.append(np.full(len(phi), share), np.ones(len(condensed))),
        response=np.concatenate([phi, *(group.activity[None, labels] for group in condensed)]),
    )
