"""Which theory covers a posterior."""

from typing import NamedTuple

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
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
    """The mean field where it covers the posterior, at orthogonal or correlated inputs, else the lazy limit.

    Raises:
        InvalidInput: a recurrent network, which no theory covers.
    """
    network = posterior.network
    if network.recurrent:
        raise InvalidInput("no theory covers recurrent networks: sample this one, or leave out recurrent")
    if network.scaling == "lazy":
        return Choice("lazy", "the lazy limit was chosen, since this network has its readouts scaled by 1/sqrt(N)")
    route = route_to(MeanFieldProblem(posterior))
    if route.refusal is not None:
        return Choice("lazy", f"the lazy limit was chosen, in which no features are learned, since {route.refusal}")
    layers = "one hidden layer" if network.depth == 1 else f"{network.depth} hidden layers"
    return Choice(
        "mean-field",
        f"the mean field was chosen, {route.words}: it covers {network.activation_name} networks of {layers}",
    )
