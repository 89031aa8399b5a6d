"""Which theory covers a posterior."""

from typing import NamedTuple

from codingschemes.calls import known_keywords
from codingschemes.posterior import Posterior
from codingschemes.theory.lazy import MANY
from codingschemes.theory.mean_field import MeanFieldProblem, route_to


class Choice(NamedTuple):
    """A theory for a posterior.

    Attributes:
        theory: its registered name.
        reason: which and why, one sentence.
    """

    theory: str
    reason: str


@known_keywords
def choose(posterior: Posterior) -> Choice:
    """The mean field where it covers the posterior, at orthogonal or correlated inputs, else the proportional limit;
    the lazy limit where readouts are scaled by 1/sqrt(N) and neurons are many, and for recurrent networks."""
    network = posterior.network
    if network.recurrent:
        return Choice("lazy", "the lazy limit was chosen, as time steps share their weights, which no other covers")
    if network.scaling == "lazy":
        scaled = "since this network has its readouts scaled by 1/sqrt(N)"
        if network.width >= MANY * posterior.task.sample_count:
            return Choice("lazy", f"the lazy limit was chosen, {scaled} and many more neurons than samples")
        return Choice("proportional", f"the proportional limit was chosen, {scaled} and as many samples as neurons")
    route = route_to(MeanFieldProblem(posterior))
    if route.refusal is not None:
        return Choice(
            "proportional",
            f"the proportional limit was chosen, in which kernels are only rescaled, since {route.refusal}",
        )
    layers = "one hidden layer" if network.depth == 1 else f"{network.depth} hidden layers"
    return Choice(
        "mean-field",
        f"the mean field was chosen, {route.words}: it covers {network.activation_name} networks of {layers}",
    )
