"""The global minimum of the regularised loss: closed forms where they are known, a certified solver elsewhere.

Sources: Wang, Johnston & Fusi (2025, arXiv 2510.09816) for the closed forms on factorised labels. Conditions that the
paper's abstract does not state were found by direct minimisation over the weights.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.progress import announce
from codingschemes.representation import class_kernel, class_means, parallelism_score_from_kernel
from codingschemes.theory.convex import Problem
from codingschemes.theory.global_minimum import closed_forms, frank_wolfe, relaxation
from codingschemes.theory.global_minimum.bounds import lower_bound, separable_bound
from codingschemes.theory.global_minimum.closed_forms import ClosedForm
from codingschemes.theory.global_minimum.descent import best_network, lowest_energy
from codingschemes.theory.global_minimum.geometry import LabelGeometry
from codingschemes.theory.global_minimum.measures import kernel, residual
from codingschemes.theory.global_minimum.oracle import Search
from codingschemes.theory.global_minimum.pointwise import pointwise
from codingschemes.theory.prediction import Assumption, Certificate, NeuronGroup, Prediction
from codingschemes.theory.theories import THEORIES

METHODS = ("auto", "closed-form", "solver")

#: Largest relative gap that a prediction may have.
TOLERANCE = 1e-4

#: Largest relative gap of a closed form: rounding errors.
EXACT_TOLERANCE = 1e-6

#: Up to so many samples the solver goes on to `EXACT_TOLERANCE`, and the rigorous bound is computed unasked.
SMALL = 64

#: What the solver takes on one core at 100 samples and 16 searches, in seconds, and about in proportion to the samples.
_SECONDS = 20.0


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

    `Prediction.kernel` is the mean over neurons, K/N. `details` says: `method`; `nontrivial`, whether anything is
    represented; `kernel`, for factorised targets, with `scale` b and `constant` of the **sum** over neurons
    K = constant 11^T + b Y Y^T (projections, and `misfit` the relative distance of K from this form; `scales` one a
    label); for the solver `neurons`, how many different ones, and, where neurons saturate so that they cannot be split
    or merged, `relaxed_energy`, below which no network of this width can be, while `energy` is that of the best network
    found. The certificate's `bounds` are named apart: `estimated_gap` rests on a search over single neurons
    (`hit_rate`: the share of its `starts` that ended at the best one), `rigorous_gap` on a relaxation.

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
    if posterior.network.depth > 1:
        return _deep(posterior, method, seed)
    problem = Problem.of(posterior)
    geometry = LabelGeometry.of(problem)
    samples = len(problem.targets)
    starts = min(64 + 5 * samples, 500) if starts is None else starts
    rigorous = samples <= SMALL if rigorous is None else rigorous
    refusal = _refusal(problem, geometry)
    if refusal is not None and method == "closed-form":
        raise InvalidInput(refusal)
    if refusal is None and method != "solver":
        form = _form(problem, geometry)
        searched = 4 if searches is None else searches
        prediction = _of_form(posterior, problem, geometry, form, seed, searched, starts, rigorous)
        if method == "closed-form" or prediction.certificate.holds:
            return prediction
    searched = 16 if searches is None else searches
    return _solved(posterior, problem, geometry, seed, searched, starts, rigorous)


THEORIES.register("global-minimum", global_minimum)


def _refusal(problem: Problem, geometry: LabelGeometry) -> str | None:
    """Why there is no closed form, in one sentence; None where there is one."""
    name, family = problem.activation.name, problem.activation.family
    labels = problem.targets.shape[1]
    instead = 'use method="solver"'
    if not geometry.factorised:
        return f"closed forms need targets -1/+1 whose combinations occur equally often: {instead} for other targets"
    if family not in ("linear", "threshold", "odd", "sigmoidal"):
        return f"there is no closed form for {name}, only for linear, threshold, odd and sigmoidal families: {instead}"
    if not geometry.aligned:
        return f"closed forms need inputs whose Gram matrix has the labels and the constant as eigenvectors: {instead}"
    if np.any(np.isinf(geometry.labels)):
        return f"the inputs do not tell the labels apart at all, so no closed form applies: {instead}"
    if family == "threshold" and np.isinf(geometry.constant):
        return f"without a bias or a mean in the inputs there is no closed form for {name}: {instead}"
    if family != "linear" and not pointwise(problem.activation).rectifier:
        if not geometry.alike:
            return f"the closed form for {name} needs inputs that resolve all labels alike: {instead}"
        groups = labels if family == "odd" else 2 * labels
        if problem.neurons % groups:
            width = f"here width {problem.neurons}, divisible by {groups}"
            return f"the closed form for {name} needs a width, {width}: {instead}"
    return None


def _form(problem: Problem, geometry: LabelGeometry) -> ClosedForm:
    samples, labels = problem.targets.shape
    penalty, ridge, neurons = problem.penalty, problem.ridge, problem.neurons
    phi_of = pointwise(problem.activation)

    def phi(z: float) -> float:
        return float(phi_of(np.array([z]))[0][0])

    match problem.activation.family:
        case "linear":
            return closed_forms.linear(geometry.labels, penalty, ridge, samples)
        case "threshold" if phi_of.rectifier:
            return closed_forms.relu(geometry.constant, geometry.labels, penalty, ridge, samples, neurons)
        case "threshold":
            q0, q = geometry.constant, float(geometry.labels[0])
            return closed_forms.threshold(phi, q0, q, labels, penalty, ridge, samples, neurons)
    resting = phi(0.0)
    return closed_forms.odd(
        lambda z: phi(z) - resting, resting, float(geometry.labels[0]), labels, penalty, ridge, samples, neurons
    )


def _of_form(
    posterior: Posterior,
    problem: Problem,
    geometry: LabelGeometry,
    form: ClosedForm,
    seed: int,
    searches: int,
    starts: int,
    rigorous: bool,
) -> Prediction:
    targets = problem.targets
    total = form.constant + (targets * form.scales) @ targets.T
    v = residual(problem, total)
    known, groups = _tuning(posterior, problem, form, v)
    estimate = frank_wolfe.certify(problem, v, known, seed=seed, searches=searches, starts=starts)
    certificate = _certificate(problem, form.energy, v, estimate, rigorous, EXACT_TOLERANCE)
    unique = _unique(problem, geometry)
    assumptions = _assumptions(problem, geometry, certificate)
    prediction = Prediction(
        theory="global-minimum",
        posterior=posterior,
        outputs=targets - v.T,
        kernel=total / problem.neurons,
        certificate=certificate,
        assumptions=assumptions,
        energy=form.energy,
        codes=groups,
        parallelism=_parallelism(posterior, total) if unique and form.nontrivial else None,
        details={
            "method": "closed-form",
            "nontrivial": form.nontrivial,
            "kernel": {
                "scale": float(np.mean(form.scales)),
                "constant": form.constant,
                "scales": form.scales.tolist(),
                "misfit": 0.0 if np.ptp(form.scales) == 0 else _kernel_form(problem, total)["misfit"],
            },
        },
    )
    if unique:
        return prediction
    # the energy and the outputs hold, but other kernels reach them too
    return replace(prediction, codes=())


def _tuning(
    posterior: Posterior, problem: Problem, form: ClosedForm, v: Float[np.ndarray, "C P"]
) -> tuple[Float[np.ndarray, "A R"], tuple[NeuronGroup, ...]]:
    """The neurons of a closed form: their whitened coordinates, and one group a label and sign."""
    if form.level is None or form.offset is None or not form.nontrivial:
        return np.zeros((0, problem.basis.shape[1])), ()
    targets, labels = problem.targets, posterior.task.labels
    count = targets.shape[1]
    scale = posterior.network.readout_scale
    coordinates = np.linalg.pinv(problem.basis)
    positions, groups = [], []
    for label in range(count):
        for sign in (1.0, -1.0):
            h = form.offset[label] + sign * form.level[label] * targets[:, label]
            phi = pointwise(problem.activation)(h)[0]
            # the best readout: ridge gamma a = phi V^T
            readout = v @ phi / (problem.ridge * scale)
            activity = class_means(phi[:, None], labels)[:, 0]
            middle = (activity.max() + activity.min()) / 2
            groups.append(
                NeuronGroup(
                    name="".join("1" if value > middle else "0" for value in activity),
                    count=problem.neurons / (2 * count),
                    activity=activity,
                    readout=readout,
                    preactivation=class_means(h[:, None], labels)[:, 0],
                )
            )
            positions.append(coordinates @ h)
    return np.array(positions), tuple(groups)


def _unique(problem: Problem, geometry: LabelGeometry) -> bool:
    """Whether the kernel of the closed form is the only one: ReLU without a bias has many."""
    return problem.activation.family != "threshold" or geometry.constant < geometry.smallest * (1 - 1e-8)


def _assumptions(problem: Problem, geometry: LabelGeometry, certificate: Certificate) -> tuple[Assumption, ...]:
    """What the closed form rests on; structure it cannot do without is checked in `_refusal`."""
    family = problem.activation.family
    statements = [
        Assumption("Labels are -1/+1 and all their combinations occur equally often.", True),
        Assumption("The labels and the constant are eigenvectors of the inputs' Gram matrix.", True),
        Assumption("The input kernel resolves no other direction better than the labels.", geometry.whitened),
        Assumption("No other single neuron gains anything, as far as a search over neurons tells.", certificate.holds),
    ]
    if family == "threshold":
        statements.insert(
            2,
            Assumption(
                "A bias, or a mean in the inputs, makes the constant cheaper than directions other than the labels; "
                "without it many kernels reach the same energy, and parallelism is not determined.",
                _unique(problem, geometry),
            ),
        )
    if family != "linear" and not pointwise(problem.activation).rectifier:
        statements.append(Assumption("The width is divisible by the number of groups of neurons.", True))
    if family == "threshold" or family == "linear":
        statements.append(
            Assumption(
                "There are at least as many neurons as groups of them.",
                problem.neurons >= problem.targets.shape[1] * (2 if family == "threshold" else 1),
            )
        )
    statements.append(Assumption("Inputs resolve all labels equally well.", geometry.alike))
    return tuple(statements)


def _certificate(
    problem: Problem,
    energy: float,
    v: Float[np.ndarray, "C P"],
    estimate: Search,
    rigorous: bool,
    tolerance: float,
) -> Certificate:
    bounds = {
        "estimated_gap": _relative(energy, lower_bound(problem, v, estimate.largest)),
        "hit_rate": estimate.hits / estimate.starts,
        "starts": float(estimate.starts),
    }
    if rigorous:
        if pointwise(problem.activation).homogeneous:
            largest = relaxation.largest_gain(problem, v).bound
        else:
            largest = separable_bound(problem, v)
        bounds["rigorous_gap"] = _relative(energy, lower_bound(problem, v, largest))
    return Certificate(
        gap=bounds["estimated_gap"],
        tolerance=tolerance,
        meaning=(
            "largest relative distance of the energy from the minimum over measures of neurons, if the search for a "
            "single neuron that gains missed none; rigorous_gap, where given, holds without that condition"
        ),
        bounds=bounds,
    )


def _relative(energy: float, bound: float) -> float:
    return abs(energy - bound) / energy if energy > 0 else 0.0


def _parallelism(posterior: Posterior, total: Float[np.ndarray, "P P"]) -> float | None:
    task = posterior.task
    if task.factors is None or not np.any(np.abs(total) > 1e-12):
        return None
    return parallelism_score_from_kernel(class_kernel(total, task.labels), task.factors).value


def _kernel_form(problem: Problem, total: Float[np.ndarray, "P P"]) -> dict[str, Any]:
    """Projections of K on 11^T and Y Y^T of factorised targets."""
    targets = problem.targets
    samples = len(targets)
    scales = np.sum(targets * (total @ targets), axis=0) / samples**2
    constant = float(np.sum(total)) / samples**2
    scale = float(np.mean(scales))
    rest = total - constant - scale * targets @ targets.T
    norm = float(np.linalg.norm(total))
    return {
        "scale": scale,
        "constant": constant,
        "scales": scales.tolist(),
        "misfit": float(np.linalg.norm(rest)) / norm if norm > 0 else 0.0,
    }


def _solved(
    posterior: Posterior,
    problem: Problem,
    geometry: LabelGeometry,
    seed: int,
    searches: int,
    starts: int,
    rigorous: bool,
) -> Prediction:
    tolerance = EXACT_TOLERANCE / 2 if len(problem.targets) <= SMALL else TOLERANCE / 2
    # where no certificate can be had, adding neurons does not end
    rounds = 6 if problem.activation.family == "smooth" else 80
    announce("global minimum by the solver", _SECONDS * len(problem.targets) / 100)
    solution = frank_wolfe.solve(
        problem, seed=seed, rounds=rounds, searches=searches, starts=starts, tolerance=tolerance
    )
    measure = solution.measure
    certificate = _certificate(problem, solution.energy, solution.residual, solution.estimate, rigorous, TOLERANCE)
    details: dict[str, Any] = {
        "method": "solver",
        "neurons": len(measure.masses),
        "relaxed_energy": solution.energy,
    }
    energy, phi_masses = solution.energy, measure
    realised = pointwise(problem.activation).homogeneous and len(measure.masses) <= problem.neurons
    if not realised:
        phi_masses, energy = best_network(problem, measure, seed=seed, floor=solution.energy)
        details["above_relaxed"] = _relative(energy, solution.energy)
    total = kernel(problem, phi_masses)
    driven = float(np.max(np.abs(problem.targets.T - residual(problem, total))))
    details["nontrivial"] = driven > 1e-6 * float(np.max(np.abs(problem.targets)))
    if geometry.factorised:
        details["kernel"] = _kernel_form(problem, total)
    assumptions = (
        Assumption("The measure over neurons has converged, as far as a search over neurons tells.", certificate.holds),
        Assumption(
            "Neurons can be split and merged at will; where that is not so, the energy is that of the best network "
            "found, and relaxed_energy is what no network of this width goes below.",
            realised or details["above_relaxed"] <= TOLERANCE,
        ),
        Assumption(
            "Activity is proportional to the size of the preactivations or grows more slowly; elsewhere (softplus, "
            "gelu, silu) neurons of vanishing mass and unlimited size may be best, and there is no certificate.",
            problem.activation.family != "smooth",
        ),
    )
    return Prediction(
        theory="global-minimum",
        posterior=posterior,
        outputs=problem.targets - residual(problem, total).T,
        kernel=total / problem.neurons,
        certificate=certificate,
        assumptions=assumptions,
        energy=energy,
        parallelism=_parallelism(posterior, total) if details["nontrivial"] else None,
        details=details,
    )


def _deep(posterior: Posterior, method: str, seed: int) -> Prediction:
    """Deep ReLU without biases on factorised labels."""
    network = posterior.network
    if method == "solver" or not pointwise(network.activation).rectifier:
        raise InvalidInput(
            "the solver takes one hidden layer, and of deeper networks only deep ReLU without bias has a closed form: "
            "use depth 1, or train and sample"
        )
    if network.bias:
        raise InvalidInput("the closed form of deep ReLU networks holds without bias: leave `bias` out, or use depth 1")
    problem = Problem.of(posterior)
    geometry = LabelGeometry.of(problem)
    eigenvalues = np.append(geometry.labels, geometry.constant)
    if not (geometry.factorised and geometry.aligned and np.ptp(eigenvalues) <= 1e-8 * eigenvalues[0]):
        raise InvalidInput(
            "the closed form of deep ReLU networks needs all combinations of labels -1/+1 and inputs alike on the "
            "labels and the constant: use whitened inputs, or depth 1"
        )
    samples, labels = problem.targets.shape
    # a hidden weight acts on scaled activities: what is penalised is W, what acts is W / sqrt(fan-in)
    fan_in = 1 if network.scaling == "none" else network.width
    hidden = posterior.prior.penalties[0] * fan_in
    form = closed_forms.deep_relu(
        geometry.constant, labels, network.depth, problem.penalty, hidden, problem.ridge, samples
    )
    scale = float(form.scales[-1])
    total = scale * (labels + problem.targets @ problem.targets.T)
    found = lowest_energy(posterior, seed=seed)
    nontrivial = scale > 0
    return Prediction(
        theory="global-minimum",
        posterior=posterior,
        outputs=(1 - problem.ridge / (problem.ridge + scale * samples)) * problem.targets,
        kernel=total / network.width,
        certificate=Certificate(
            gap=max(form.energy - found, 0.0) / form.energy,
            tolerance=EXACT_TOLERANCE,
            meaning=(
                "how far below the closed form descent over all weights from several starts ended, relative; not a "
                "bound: whether the symmetric form is the global minimum of deep networks is not established"
            ),
            bounds={"descent_energy": found},
        ),
        assumptions=(
            Assumption("Labels are -1/+1 and all their combinations occur equally often.", True),
            Assumption("Inputs are alike on the labels and the constant, and there are no biases.", True),
        ),
        energy=form.energy,
        parallelism=_parallelism(posterior, total) if nontrivial else None,
        details={
            "method": "closed-form",
            "nontrivial": nontrivial,
            "kernel": {"scale": scale, "constant": labels * scale},
            "layers": {"scales": form.scales.tolist(), "ratio": form.ratio},
        },
    )
