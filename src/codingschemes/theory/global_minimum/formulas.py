"""The global minimum by closed forms: which one covers a problem, its neurons, and what it rests on."""

import numpy as np
from jaxtyping import Float

from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.representation import class_means
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum import closed_forms, frank_wolfe
from codingschemes.theory.global_minimum.closed_forms import ClosedForm
from codingschemes.theory.global_minimum.descent import lowest_energy
from codingschemes.theory.global_minimum.geometry import LabelGeometry
from codingschemes.theory.global_minimum.measures import residual
from codingschemes.theory.global_minimum.pointwise import pointwise
from codingschemes.theory.global_minimum.predictions import (
    EXACT_TOLERANCE,
    Effort,
    KernelForm,
    LayerScales,
    Minimum,
    MinimumDetails,
    certificate,
)
from codingschemes.theory.prediction import Assumption, Certificate, NeuronGroup

_SEARCHES = 4


def refusal(problem: ConvexProblem, geometry: LabelGeometry) -> str | None:
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


def by_formula(posterior: Posterior, problem: ConvexProblem, geometry: LabelGeometry, effort: Effort) -> Minimum:
    """The minimum of a problem that `refusal` does not refuse."""
    form, targets = _form(problem, geometry), problem.targets
    total = form.constant + (targets * form.scales) @ targets.T
    v = residual(problem, total)
    known, groups = _tuning(posterior, problem, form, v)
    searches = _SEARCHES if effort.searches is None else effort.searches
    estimate = frank_wolfe.certify(problem, v, known, seed=effort.seed, searches=searches, starts=effort.starts)
    judged = certificate(problem, form.energy, v, estimate, effort.rigorous, EXACT_TOLERANCE)
    misfit = 0.0 if np.ptp(form.scales) == 0 else KernelForm.of(targets, total).misfit
    return Minimum(
        energy=form.energy,
        total=total,
        outputs=targets - v.T,
        certificate=judged,
        assumptions=_assumptions(problem, geometry, judged),
        details=MinimumDetails(
            "closed-form", form.nontrivial, KernelForm(float(np.mean(form.scales)), form.constant, form.scales, misfit)
        ),
        unique=_unique(problem, geometry),  # elsewhere energy and outputs hold, but other kernels reach them too
        codes=groups,
    )


def _form(problem: ConvexProblem, geometry: LabelGeometry) -> ClosedForm:
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


def _tuning(
    posterior: Posterior, problem: ConvexProblem, form: ClosedForm, v: Float[np.ndarray, "C P"]
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


def _unique(problem: ConvexProblem, geometry: LabelGeometry) -> bool:
    """Whether the kernel of the closed form is the only one: ReLU without a bias has many."""
    return problem.activation.family != "threshold" or geometry.constant < geometry.smallest * (1 - 1e-8)


def _assumptions(problem: ConvexProblem, geometry: LabelGeometry, certificate: Certificate) -> tuple[Assumption, ...]:
    """What the closed form rests on; structure it cannot do without is checked in `refusal`."""
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


def by_deep_formula(posterior: Posterior, method: str, seed: int) -> Minimum:
    """The symmetric minimum of deep ReLU without biases on factorised labels.

    Raises:
        InvalidInput: another network or task, or the solver asked for.
    """
    network = posterior.network
    if method == "solver" or not pointwise(network.activation).rectifier:
        raise InvalidInput(
            "the solver takes one hidden layer, and of deeper networks only deep ReLU without bias has a closed form: "
            "use depth 1, or train and sample"
        )
    if network.bias:
        raise InvalidInput("the closed form of deep ReLU networks holds without bias: leave `bias` out, or use depth 1")
    problem = ConvexProblem.of(posterior)
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
    return Minimum(
        energy=form.energy,
        total=total,
        outputs=(1 - problem.ridge / (problem.ridge + scale * samples)) * problem.targets,
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
        details=MinimumDetails(
            "closed-form",
            scale > 0,
            KernelForm(scale, labels * scale),
            layers=LayerScales(form.scales, form.ratio),
        ),
    )
