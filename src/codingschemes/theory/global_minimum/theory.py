"""The global minimum of the regularised loss: closed forms where they are known, a certified solver elsewhere.

Sources: Wang, Johnston & Fusi (2025, arXiv 2510.09816) for the closed forms on factorised labels. Conditions that the
paper's abstract does not state were found by direct minimisation over the weights.
"""

from codingschemes.calls import require_whole
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum.formulas import by_deep_formula, by_formula, refusal
from codingschemes.theory.global_minimum.geometry import LabelGeometry
from codingschemes.theory.global_minimum.predictions import Effort, prediction_of
from codingschemes.theory.global_minimum.search import SMALL, by_solver
from codingschemes.theory.prediction import Prediction
from codingschemes.theory.theories import THEORIES

METHODS = ("auto", "closed-form", "solver")


def global_minimum(
    posterior: Posterior,
    *,
    method: str = "auto",
    seed: int = 0,
    searches: int | None = None,
    starts: int | None = None,
    rigorous: bool | None = None,
) -> Prediction:
    """The network with the lowest E = ||Y - f||^2 + penalty1 ||W||^2 + penalty2 ||a||^2, which exp(-E/(2T)) tends to.

    `Prediction.kernel` is the mean over neurons, K/N; `details` (`MinimumDetails`) has the form of their **sum** K for
    factorised targets. Where neurons saturate, so that they cannot be split or merged, it has `relaxed_energy`, below
    which no network of this width can be, while `energy` is that of the best network found. The certificate's `bounds`
    are named apart: `estimated_gap` rests on a search over single neurons (`hit_rate`: the share of its `starts` that
    ended at the best one), `rigorous_gap` on a relaxation.

    Args:
        posterior: task, network and prior; one hidden layer, or deep ReLU without bias on factorised labels.
        method: "closed-form" evaluates the formula, whatever its certificate says; "solver" minimises knowing nothing
            of formulas; "auto" takes the formula where there is one and its certificate holds.
        seed: fixes every random choice.
        searches: independent searches for the estimated bound; 16 for the solver, 4 for formulas.
        starts: random starts of each; 64 and 5 a sample, at most 500.
        rigorous: whether to compute the rigorous bound; if None, for up to 64 samples.

    Raises:
        InvalidInput: an unknown method, or a closed form asked for what it does not cover.
    """
    if method not in METHODS:
        raise InvalidInput(f"there is no method {method!r} of the global minimum: choose one of {', '.join(METHODS)}")
    require_whole("seed", seed, 0)
    for name, count in (("searches", searches), ("starts", starts)):
        if count is not None:
            require_whole(name, count, 1)
    if posterior.network.depth > 1:
        found = by_deep_formula(posterior, method, seed)
        if (searches, starts, rigorous) != (None, None, None):
            raise InvalidInput(
                "`searches`, `starts` and `rigorous` are of one hidden layer: leave them out at depth 2 and more"
            )
        return prediction_of(posterior, found)
    problem = ConvexProblem.of(posterior)
    geometry = LabelGeometry.of(problem)
    samples = len(problem.targets)
    effort = Effort(
        seed,
        searches,
        min(64 + 5 * samples, 500) if starts is None else starts,
        samples <= SMALL if rigorous is None else rigorous,
    )
    refused = refusal(problem, geometry)
    if refused is not None and method == "closed-form":
        raise InvalidInput(refused)
    if refused is None and method != "solver":
        found = by_formula(posterior, problem, geometry, effort)
        if method == "closed-form" or found.certificate.holds:
            return prediction_of(posterior, found)
    return prediction_of(posterior, by_solver(problem, geometry, effort))


THEORIES.register("global-minimum", global_minimum)
