"""The mean-field theory as a prediction: which solver covers a posterior, and what its solution says."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.representation.kernels import class_sizes
from codingschemes.theory.mean_field.dual import Units
from codingschemes.theory.mean_field.linear import LinearSolution, solve_linear
from codingschemes.theory.mean_field.outliers import bulk_mode, condensed_gap, solve_condensed
from codingschemes.theory.mean_field.particles import settle
from codingschemes.theory.mean_field.predictor import Neurons, extension, predict_tests
from codingschemes.theory.mean_field.quadrature import (
    ClassProblem,
    Density,
    find_mode,
    gap,
    solve,
)
from codingschemes.theory.mean_field.sampling import draw_neurons
from codingschemes.theory.mean_field.single_input import single_input
from codingschemes.theory.prediction import Assumption, Certificate, NeuronGroup, Prediction
from codingschemes.theory.theories import THEORIES

_TOLERANCE = 1e-6
"""Largest duality gap that is accepted, in nats a neuron."""
_TEST_NEURONS = 4000
_OUTLIER = 1e-2
"""abar below which a direction holds no outlier: the barrier leaves the square root of its strength in each."""
_SEPARATE = 10.0
"""Nats from the bulk's mode to its edge from which on the two kinds of neurons are told apart."""
_PARTICLE_TOLERANCE = 0.1
"""The same for particles, whose noise it must stand: at N T = .01 and 300 outputs it is an error of .0026 an output."""
_SUBLINEAR = ("threshold-tanh", "threshold-ratio", "threshold-log1p")
"""Activations without codes that grow more slowly than their argument, so that nothing condenses."""


def mean_field(
    posterior: Posterior,
    *,
    code_fractions: dict[str, float] | None = None,
    method: str = "auto",
    particles: int = 2000,
    seed: int = 0,
) -> Prediction:
    """The finite-temperature mean-field theory of networks with one hidden layer, N -> infinity at fixed T N.

    Args:
        posterior: task, network and prior, of any scaling.
        code_fractions: share of the neurons that have each code, e.g. {"110": .4, "101": .4, "011": .2}. Left out, the
            equilibrium's. Ordinary samplers keep the codes that they start with: give the shares that they have.
        method: "quadrature" (orthogonal inputs), "particles" (any inputs, saturating activations) or "auto". Linear
            networks are in closed form whatever the inputs.
        particles: how many, for that method.
        seed: of what is drawn: particles, and neurons for test inputs.

    Returns:
        Outputs, kernel, codes with their readouts and activities; means and variances at test inputs.

    Raises:
        InvalidInput: a network or task that no solver covers, or code fractions that no neurons can have.
    """
    network = posterior.network
    if network.depth > 1:
        raise InvalidInput(
            f"the mean-field theory covers one hidden layer, not {network.depth}: use theory='lazy' or depth 1"
        )
    family = network.activation.family
    fractions = _checked(code_fractions, posterior)
    if family == "linear":
        return _linear(posterior)
    kappa = orthogonal_variance(posterior)
    name = network.activation_name
    if method not in ("auto", "quadrature", "particles"):
        raise InvalidInput(f"there is no method {method!r}: choose one of auto, quadrature, particles")
    if method == "quadrature" and kappa is None:
        raise InvalidInput(
            "method='quadrature' needs orthogonal inputs, one target a class and at most 3 outputs: use 'particles'"
        )
    if kappa is not None and method != "particles":
        if network.activation.bounded or name in _SUBLINEAR:
            return _orthogonal(posterior, kappa, fractions, seed)
        if name == "relu":
            return _condensed(posterior, kappa)
    if network.activation.bounded:
        return _particles(posterior, fractions, particles, seed)
    raise InvalidInput(
        f"the mean-field theory does not cover {name} networks on this task: it does at orthogonal inputs (linear, "
        "saturating and ReLU networks) and elsewhere for linear and saturating ones; theory='lazy' covers all"
    )


def orthogonal_variance(posterior: Posterior) -> float | None:
    """kappa where K0 = kappa I, targets are the same within classes and readouts are few; None elsewhere."""
    task = posterior.task
    if task.targets.shape[1] > 3:
        return None
    kernel = posterior.input_kernel()
    kappa = float(np.mean(np.diagonal(kernel)))
    if not np.allclose(kernel, kappa * np.eye(len(kernel)), rtol=0, atol=1e-8 * kappa):
        return None
    means = class_targets(posterior)
    return kappa if np.array_equal(means[task.labels], task.targets) else None


def class_targets(posterior: Posterior) -> Float[np.ndarray, "G C"]:
    """The target of the first sample of each class."""
    task = posterior.task
    return np.stack([task.targets[task.labels == label][0] for label in range(task.class_count)])


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


def _orthogonal(posterior: Posterior, kappa: float, fractions: dict[str, float] | None, seed: int) -> Prediction:
    task, network, units = posterior.task, posterior.network, Units.of(posterior)
    counts = class_sizes(task.labels, task.sample_count).astype(float)
    problem = ClassProblem(
        single_input(network.activation_name, kappa),
        network.activation.family,
        counts,
        class_targets(posterior),
        units.variance,
        units.tau,
    )
    found = solve(problem, fractions)
    formed = _formed_codes(problem, found)
    excess, output_error = gap(problem, found)
    t = found.t[task.labels]
    tests = None
    if len(task.test_inputs):
        neurons = draw_neurons(
            problem,
            found,
            task.labels,
            network.activation_name,
            _TEST_NEURONS,
            seed,
            frozen=fractions is not None,
        )
        tests = predict_tests(posterior, _with_readouts(posterior, neurons, t, units), t, units.variance, units.tau)
    conditional = fractions is not None
    own_gap = _own_gap(problem, found) if conditional else excess
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=(problem.targets - units.tau * found.t)[task.labels],
        kernel=_class_kernel(found, posterior),
        certificate=Certificate(
            gap=own_gap,
            tolerance=_TOLERANCE,
            meaning="duality gap in nats a neuron"
            + (", of the problem with the given code fractions" if conditional else ""),
            bounds={
                "equilibrium_gap": excess,
                "output_error": output_error,
                "lowest_energy": float(found.lattice.energy.min()),
            },
        ),
        assumptions=_assumptions(posterior, conditional=conditional),
        codes=_groups(problem, found, formed, posterior, units),
        scheme="redundant" if len(formed) > 1 else None,
        test_outputs=None if tests is None else tests.outputs,
        test_variance=None if tests is None else tests.variance,
        details={
            "method": "quadrature",
            "t": found.t.tolist(),
            "mean_readout": (units.readout * found.weight @ found.lattice.readouts).tolist(),
            "conditional": conditional,
        },
    )


def _formed_codes(problem: ClassProblem, found: Density) -> list[int]:
    """Regions of codes that have a mode of their own and some neurons, most frequent first."""
    if problem.family not in ("sigmoidal", "odd"):
        return []
    shares = found.shares
    candidates = [index for index in np.argsort(-shares) if shares[index] > 1e-9]
    return [int(index) for index in candidates if find_mode(problem, found.t, found.names[index]) is not None]


def _groups(
    problem: ClassProblem, found: Density, formed: list[int], posterior: Posterior, units: Units
) -> tuple[NeuronGroup, ...]:
    groups = []
    fields = problem.single.preactivation(found.lattice.readouts @ found.t.T)
    for index in formed:
        inside = found.group == index
        share = found.weight[inside].sum()
        weight = found.weight[inside] / share
        groups.append(
            NeuronGroup(
                name=found.names[index],
                count=float(posterior.network.width * share),
                activity=weight @ found.mean[inside],
                readout=units.readout * weight @ found.lattice.readouts[inside],
                preactivation=weight @ fields[inside],
            )
        )
    return tuple(groups)


def _own_gap(problem: ClassProblem, found: Density) -> float:
    residual = problem.targets - problem.tau * found.t - found.outputs
    return float(np.sum(problem.counts[:, None] * residual**2)) / (2 * problem.tau)


def _class_kernel(found: Density, posterior: Posterior) -> Float[np.ndarray, "P P"]:
    labels = posterior.task.labels
    blocks = (found.weight[:, None] * found.mean).T @ found.mean
    kernel = blocks[labels][:, labels]
    np.fill_diagonal(kernel, (found.weight @ (found.spread + found.mean**2))[labels])
    return kernel


def _with_readouts(posterior: Posterior, neurons: Neurons, t: np.ndarray, units: Units) -> Neurons:
    phi = np.asarray(posterior.network.activation(jnp.asarray(neurons.preactivation)))
    return neurons._replace(readout=units.variance * phi @ t)


def _linear(posterior: Posterior) -> Prediction:
    task, units = posterior.task, Units.of(posterior)
    basis = np.asarray(posterior.density("reduced").basis)
    found = solve_linear(basis, task.targets, units.variance, units.tau)
    tests = _linear_tests(posterior, found, units) if len(task.test_inputs) else None
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=task.targets - units.tau * found.t,
        kernel=found.covariance,
        certificate=Certificate(
            gap=found.gap,
            tolerance=_TOLERANCE,
            meaning="duality gap in nats a neuron",
            bounds={"output_error": found.residual},
        ),
        assumptions=_assumptions(posterior, conditional=False),
        scheme="analog",
        test_outputs=None if tests is None else tests[0],
        test_variance=None if tests is None else tests[1],
        details={
            "method": "closed form",
            "readout_covariance": (units.readout**2 * found.readout_covariance).tolist(),
        },
    )


def _linear_tests(
    posterior: Posterior, found: LinearSolution, units: Units
) -> tuple[Float[np.ndarray, "Q C"], Float[np.ndarray, "Q C"]]:
    """z(x) = w . z + noise: the part along w fluctuates with the training outputs, the noise by itself."""
    extend = extension(posterior)
    outputs = extend.weights.T @ found.outputs
    u, k, cross = found.readout_covariance, found.covariance, found.outputs
    samples, count = cross.shape
    # Cov(z_m a_k, z_n a_l) = K_mn U_kl + <z_m a_l><z_n a_k>, Wick's theorem
    fluctuation = np.kron(k, u) + np.einsum("ml,nk->mknl", cross, cross).reshape(samples * count, samples * count)
    noise = units.tau
    # of the training outputs' empirical mean after conditioning: C - C (C + tau)^{-1} C = tau (C + tau)^{-1} C
    left = noise * np.linalg.solve(fluctuation + noise * np.eye(samples * count), fluctuation)
    left = left.reshape(samples, count, samples, count)
    along = np.einsum("mq,mknk,nq->qk", extend.weights, left, extend.weights, optimize=True)
    variance = along + extend.variance[:, None] * np.diagonal(u)
    return outputs, variance / posterior.network.width


def _condensed(posterior: Posterior, kappa: float) -> Prediction:
    task, network, units = posterior.task, posterior.network, Units.of(posterior)
    counts = class_sizes(task.labels, task.sample_count).astype(float)
    problem = ClassProblem(
        single_input("relu", kappa),
        network.activation.family,
        counts,
        class_targets(posterior),
        units.variance,
        units.tau,
    )
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
    strongest = [int(np.argmax(found.activities[j])) for j in carried]
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=(problem.targets - units.tau * found.t)[labels],
        kernel=kernel,
        certificate=Certificate(
            gap=excess,
            tolerance=_TOLERANCE,
            meaning="duality gap in nats a neuron, the bulk being cut off where it merges with single large neurons",
            bounds={"output_error": output_error, "bulk_cut": found.cut},
        ),
        assumptions=(
            *_assumptions(posterior, conditional=False),
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
        outliers=tuple(
            NeuronGroup(
                name=task.class_names[top],
                count=1.0,
                activity=root * found.activities[j],
                readout=units.readout * root * found.readouts[j],
                preactivation=kappa * root * found.t @ found.readouts[j] * (found.activities[j] > 0),
            )
            for j, top in sorted(zip(carried, strongest, strict=True), key=lambda pair: pair[1])
        ),
        scheme="sparse" if carried else None,
        details={
            "method": "quadrature",
            "t": found.t.tolist(),
            "bulk_mode": (units.readout * bulk_mode(problem, found.t)).tolist(),
            "bulk_outputs": found.bulk_outputs.tolist(),
            "zbar": found.activities[carried].tolist(),
            "abar": found.readouts[carried].tolist(),
        },
    )


def _particles(posterior: Posterior, fractions: dict[str, float] | None, count: int, seed: int) -> Prediction:
    task, network, units = posterior.task, posterior.network, Units.of(posterior)
    density = posterior.density("reduced")
    found = settle(
        network.activation,
        np.asarray(density.basis),
        task.targets,
        np.asarray(density.class_average),
        units.variance,
        units.tau,
        count=count,
        seed=seed,
        fractions=fractions,
    )
    residual = task.targets - units.tau * found.t - units.variance * found.kernel @ found.t
    output_error = float(np.linalg.norm(residual))
    names, group = np.unique(found.code, axis=0, return_inverse=True)
    group, shares = group.ravel(), np.bincount(group.ravel()) / len(group)
    tests = None
    if len(task.test_inputs):
        neurons = Neurons(found.preactivation, found.readout, group)
        tests = predict_tests(posterior, neurons, found.t, units.variance, units.tau)
    averaged = found.preactivation @ np.asarray(density.class_average)
    codes = tuple(
        NeuronGroup(
            name="".join(str(int(bit)) for bit in names[index]),
            count=float(network.width * shares[index]),
            activity=found.activity[group == index].mean(0),
            readout=units.readout * found.readout[group == index].mean(0),
            preactivation=averaged[group == index].mean(0),
        )
        for index in np.argsort(-shares)
    )
    stable = Assumption(
        f"Neurons keep their codes: {found.switched:.1%} of the particles changed theirs at fixed t (at most 1%).",
        found.switched <= 0.01,
    )
    frozen = Assumption(
        "The fractions of codes are those in which particles froze on cooling, not those of equilibrium.", holds=False
    )
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=task.targets - units.tau * found.t,
        kernel=found.kernel,
        certificate=Certificate(
            gap=output_error**2 / (2 * units.tau),
            tolerance=_PARTICLE_TOLERANCE,
            meaning="duality gap in nats a neuron at the particles' fractions of codes, Monte Carlo noise included",
            bounds={"output_error": output_error, "output_error_rms": float(np.sqrt(np.mean(residual**2)))},
        ),
        assumptions=(
            *_assumptions(posterior, conditional=True)[: 3 if fractions else 2],
            stable,
            *(() if fractions else (frozen,)),
        ),
        codes=codes,
        scheme="redundant" if np.count_nonzero(shares > 0.01) > 1 else None,
        test_outputs=None if tests is None else tests.outputs,
        test_variance=None if tests is None else tests.variance,
        details={"method": "particles", "conditional": fractions is not None},
    )


def _assumptions(posterior: Posterior, *, conditional: bool) -> tuple[Assumption, ...]:
    network, prior = posterior.network, posterior.prior
    statements = [
        Assumption(
            f"The width N = {network.width} is large: corrections are of relative order 1/N.", network.width >= 50
        ),
        Assumption(
            "The readout is scaled by 1/N (or an equivalent prior), so that features are learned.",
            network.width * network.readout_scale**2 * prior.readout_variance * posterior.task.sample_count < 1,
        ),
    ]
    if conditional:
        statements.append(Assumption("The fractions of the codes are given, not those of equilibrium.", holds=True))
    elif network.activation.bounded:
        statements.append(
            Assumption(
                "The sampler moves neurons between codes, so that their fractions are those of equilibrium.", holds=True
            )
        )
    return tuple(statements)


THEORIES.register("mean-field", mean_field)
