"""The mean-field theory as a prediction: which solver covers a posterior."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.theory.mean_field.predictor import MOST_VALUES
from codingschemes.theory.mean_field.routes.condensed import bulk_and_outliers
from codingschemes.theory.mean_field.routes.deep import by_layers
from codingschemes.theory.mean_field.routes.heavy import bulk_and_heavy
from codingschemes.theory.mean_field.routes.linear import in_closed_form
from codingschemes.theory.mean_field.routes.particles import by_particles
from codingschemes.theory.mean_field.routes.quadrature import by_quadrature
from codingschemes.theory.mean_field.routes.shared import orthogonal_variance
from codingschemes.theory.prediction import Prediction
from codingschemes.theory.theories import THEORIES

_SUBLINEAR = 0.95
"""Growth below which activations grow more slowly than their argument, so that nothing condenses."""


class Route(NamedTuple):
    """How the theory reaches a posterior, or why it does not.

    Attributes:
        words: by which solver, in words.
        solve: from code fractions, the number of particles and a seed; None where no solver covers the posterior.
        refusal: why not; None where one does.
        instead: what to do then.
    """

    words: str = ""
    solve: Callable[[dict[str, float] | None, int, int], Prediction] | None = None
    refusal: str | None = None
    instead: str = "use theory='lazy', which covers all"


def mean_field(
    posterior: Posterior,
    *,
    code_fractions: dict[str, float] | None = None,
    method: str = "auto",
    particles: int = 2000,
    seed: int = 0,
) -> Prediction:
    """The finite-temperature mean-field theory, N -> infinity at fixed T N, all hidden layers of width N.

    Args:
        posterior: task, network and prior, of any scaling.
        code_fractions: share of the neurons that have each code, e.g. {"110": .4, "101": .4, "011": .2}. Left out, the
            equilibrium's. Ordinary samplers keep the codes that they start with: give the shares that they have.
        method: "quadrature" (orthogonal inputs), "particles" (any inputs, saturating activations and ReLU) or "auto".
            Several hidden layers, of saturating activations, are by particles in every layer.
            Linear networks are in closed form whatever the inputs.
        particles: how many, for that method, in each layer.
        seed: of what is drawn: particles, and neurons for test inputs and to be shown.

    Returns:
        Outputs, kernel, codes with their readouts and activities; means at test inputs, and variances but for ReLU and
        several hidden layers.

    Raises:
        InvalidInput: a network or task that no solver covers, or code fractions that no neurons can have.
    """
    if method not in ("auto", "quadrature", "particles"):
        raise InvalidInput(f"there is no method {method!r}: choose one of auto, quadrature, particles")
    route = route_to(posterior, method)
    if route.solve is None:
        raise InvalidInput(f"{route.refusal}: {route.instead}")
    return route.solve(_checked(code_fractions, posterior), particles, seed)


def route_to(posterior: Posterior, method: str = "auto") -> Route:
    """The solver that covers a posterior, found without solving anything."""
    network, task = posterior.network, posterior.task
    activation = network.activation
    name, bounded = activation.name, activation.bounded
    if network.depth > 1 and not bounded:
        return Route(
            refusal=f"beyond one hidden layer the mean-field theory covers activations that saturate, not {name}",
            instead="use theory='lazy' or depth 1",
        )
    if activation.family == "linear":
        return Route("in closed form", lambda _fractions, _count, seed: in_closed_form(posterior, seed))
    values = task.sample_count * task.targets.shape[1]
    if len(task.test_inputs) and values > MOST_VALUES:
        return Route(
            refusal="test predictions of the mean-field theory take at most "
            f"{MOST_VALUES} training outputs, not {values}",
            instead="leave out the test inputs",
        )
    kappa = orthogonal_variance(posterior) if network.depth == 1 else None
    if method == "quadrature" and kappa is None:
        return Route(
            refusal="method='quadrature' needs one hidden layer, orthogonal inputs, one target a class and at most 3 "
            "outputs",
            instead="use 'particles'",
        )
    if network.depth > 1:
        return Route(
            "by particles in every layer", lambda fractions, count, seed: by_layers(posterior, fractions, count, seed)
        )
    if kappa is not None and method != "particles":
        if bounded or activation.shape.growth < _SUBLINEAR:
            return Route(
                "by quadrature at orthogonal inputs",
                lambda fractions, _count, seed: by_quadrature(posterior, kappa, fractions, seed),
            )
        if activation.shape.rectifier:
            return Route(
                "as bulk and outliers at orthogonal inputs",
                lambda _fractions, _count, seed: bulk_and_outliers(posterior, kappa, seed),
            )
    if bounded:
        return Route(
            "by particles at correlated inputs",
            lambda fractions, count, seed: by_particles(posterior, fractions, count, seed),
        )
    if activation.shape.rectifier:
        return Route(
            "as bulk and heavy neurons at correlated inputs",
            lambda _fractions, count, seed: bulk_and_heavy(posterior, count, seed),
        )
    return Route(
        refusal=f"the mean-field theory does not cover {name} networks on this task: it covers linear, saturating and "
        "ReLU networks at any inputs"
    )


def _checked(fractions: dict[str, float] | None, posterior: Posterior) -> dict[str, float] | None:
    if fractions is None:
        return None
    if not posterior.network.activation.bounded:
        raise InvalidInput(
            f"code_fractions are for activations that saturate, not {posterior.network.activation_name}: leave them out"
        )
    classes = posterior.task.class_count
    wrong = [code for code in fractions if len(code) != classes or set(code) - {"0", "1"}]
    if wrong or not fractions:
        raise InvalidInput(f"a code is one bit 0 or 1 for each of the {classes} classes: {wrong[:1]} is none")
    shares = np.array(list(fractions.values()))
    if not np.all(shares > 0) or abs(shares.sum() - 1) > 1e-6:
        raise InvalidInput(f"code_fractions must be positive and sum to one, not to {shares.sum():.6g}")
    return {code: float(share) / float(shares.sum()) for code, share in fractions.items()}


THEORIES.register("mean-field", mean_field)
