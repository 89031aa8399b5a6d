"""The mean-field theory as a prediction: which solver covers a posterior."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from codingschemes.calls import require_whole
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.theory.mean_field.annealing import Annealing
from codingschemes.theory.mean_field.predictions import prediction_of
from codingschemes.theory.mean_field.predictor import MOST_VALUES
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.solution import Request, Solution
from codingschemes.theory.mean_field.solvers import deep, from_networks, heavy, linear, outliers, quadrature, tilted
from codingschemes.theory.prediction import Prediction
from codingschemes.theory.theories import THEORIES

_SUBLINEAR = 0.95
"""Growth below which activations grow more slowly than their argument, so that nothing condenses."""


class Route(NamedTuple):
    """How the theory reaches a posterior, or why it does not.

    Attributes:
        words: by which solver, in words.
        solve: the solver; None where none covers the posterior.
        refusal: why not; None where one does.
        instead: what to do then.
        particles: how many that solver takes where nobody says.
    """

    words: str = ""
    solve: Callable[[MeanFieldProblem, Request], Solution] | None = None
    refusal: str | None = None
    instead: str = "use theory='proportional', which covers all"
    particles: int = 2000


def mean_field(
    posterior: Posterior,
    *,
    code_fractions: dict[str, float] | None = None,
    method: str = "auto",
    particles: int | None = None,
    seed: int = 0,
    annealing: Annealing | None = None,
    zero_temperature: bool = False,
) -> Prediction:
    """The finite-temperature mean-field theory, N -> infinity at fixed T N, all hidden layers of width N.

    Args:
        posterior: task, network and prior, of any scaling.
        code_fractions: share of the neurons that have each code, e.g. {"110": .4, "101": .4, "011": .2}. Left out, the
            equilibrium's. Ordinary samplers keep the codes that they start with: give the shares that they have.
        method: "quadrature" (orthogonal inputs), "particles" (any inputs, saturating activations and ReLU) or "auto".
            Several hidden layers, of saturating activations, are by particles in every layer.
            Linear networks of any depth are in closed form whatever the inputs.
        particles: how many, for that method, in each layer; left out, 2,000, of several layers more with more samples.
        annealing: rounds of that method and the gap that it accepts; left out, the solver's own.
        zero_temperature: in the limit T -> 0, in which outputs are targets. For orthogonal inputs.
        seed: of what is drawn: particles, and neurons for test inputs and to be shown.

    Returns:
        Outputs, kernels, codes with their readouts and activities; means at test inputs, and variances but for ReLU and
        several hidden layers that saturate.

    Raises:
        InvalidInput: a network or task that no solver covers, or code fractions that no neurons can have.
    """
    if method not in ("auto", "quadrature", "particles"):
        raise InvalidInput(f"there is no method {method!r}: choose one of auto, quadrature, particles")
    if particles is not None:
        require_whole("particles", particles, 1)
    require_whole("seed", seed, 0)
    problem = MeanFieldProblem(posterior, cold=zero_temperature)
    if zero_temperature and not _reaches_zero(problem, method):
        raise InvalidInput(
            "the mean-field theory takes the limit T -> 0 at orthogonal inputs and one target a class, of one hidden "
            "layer and not by particles, or linear ones: lower `temperature` instead"
        )
    route = route_to(problem, method)
    if route.solve is None:
        raise InvalidInput(f"{route.refusal}: {route.instead}")
    count = route.particles if particles is None else particles
    request = Request(_check_fractions(code_fractions, posterior), count, seed, annealing)
    return prediction_of(problem, route.solve(problem, request), seed)


def route_to(problem: MeanFieldProblem, method: str = "auto") -> Route:
    """The solver that covers a problem, found without solving anything."""
    network, task, activation = problem.network, problem.task, problem.activation
    name, bounded = activation.name, activation.bounded
    if activation.family == "linear":
        if network.depth > 1 and network.bias:
            return Route(
                refusal="beyond one hidden layer the mean-field theory of linear networks is of layers without bias",
                instead="use theory='proportional', or leave out the bias",
            )
        return Route("in closed form", linear.solution)
    if network.depth > 1 and not bounded:
        return Route(
            refusal="beyond one hidden layer the mean-field theory covers activations that are linear or saturate, not "
            f"{name}",
            instead="use theory='proportional' or depth 1",
        )
    values = task.sample_count * task.targets.shape[1]
    if len(task.test_inputs) and values > MOST_VALUES:
        return Route(
            refusal="test predictions of the mean-field theory take at most "
            f"{MOST_VALUES} training outputs, not {values}",
            instead="leave out the test inputs",
        )
    kappa = problem.orthogonal_variance if network.depth == 1 else None
    if method == "quadrature" and kappa is None:
        return Route(
            refusal="method='quadrature' needs one hidden layer, orthogonal inputs, one target a class and at most 3 "
            "outputs",
            instead="use 'particles'",
        )
    if network.depth > 1:
        solve = deep.solution if network.depth == 2 else from_networks.solution
        return Route("by particles in every layer", solve, particles=deep.usual_particles(problem))
    if kappa is not None and method != "particles":
        if bounded or activation.shape.growth < _SUBLINEAR:
            return Route("by quadrature at orthogonal inputs", partial(quadrature.solution, kappa=kappa))
        if activation.shape.rectifier:
            return Route("as bulk and outliers at orthogonal inputs", partial(outliers.solution, kappa=kappa))
    if bounded:
        return Route("by particles at correlated inputs", tilted.solution)
    if activation.shape.rectifier:
        return Route("as bulk and heavy neurons at correlated inputs", heavy.solution)
    return Route(
        refusal=f"the mean-field theory does not cover {name} networks on this task: it covers linear, saturating and "
        "ReLU networks at any inputs"
    )


def _reaches_zero(problem: MeanFieldProblem, method: str) -> bool:
    """Whether its solver needs no temperature: integrals, not particles."""
    if method == "particles" and problem.activation.family != "linear":
        return False
    alone = problem.network.depth == 1 or problem.activation.family == "linear"
    return alone and problem.orthogonal_variance is not None


def _check_fractions(fractions: dict[str, float] | None, posterior: Posterior) -> dict[str, float] | None:
    if fractions is None:
        return None
    if not posterior.network.activation.bounded:
        raise InvalidInput(
            f"`code_fractions` is for activations that saturate, not {posterior.network.activation_name}: leave it out"
        )
    classes = posterior.task.class_count
    wrong = [code for code in fractions if len(code) != classes or set(code) - {"0", "1"}]
    if not fractions:
        raise InvalidInput("`code_fractions` is empty: give a share for each code, or leave it out")
    if wrong:
        bits = f"one bit 0 or 1 for each of the {classes} classes"
        raise InvalidInput(f"`code_fractions` takes codes of {bits}, not {wrong[0]!r}")
    shares = np.array(list(fractions.values()))
    if not np.all(shares > 0) or abs(shares.sum() - 1) > 1e-6:
        raise InvalidInput(f"`code_fractions` must be positive and sum to one, not to {shares.sum():.6g}")
    return {code: float(share) / float(shares.sum()) for code, share in fractions.items()}


THEORIES.register("mean-field", mean_field)
