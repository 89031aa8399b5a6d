"""Mean field at orthogonal inputs: the lattice, the dual and its certificate, and numbers known from elsewhere."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from theory_problems import class_problem, fractions_of, toy_posterior

import codingschemes as cs
from codingschemes.theory import predict
from codingschemes.theory.mean_field.lattice import cover, energy
from codingschemes.theory.mean_field.solvers.quadrature import density, dual, gap, solve

T_SMALL = np.array([[2.0, -1.0, -0.5], [-1.5, 2.5, -1.0], [-0.7, -1.2, 2.2]])


@pytest.fixture(scope="module")
def solved():
    """N T = .01, 100 samples."""
    problem = class_problem(tau=0.01)
    return problem, solve(problem)


@pytest.fixture(scope="module")
def free():
    """The same as a posterior, N = P = 100."""
    return predict(toy_posterior(temperature=1e-4))


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_lattice_integral_is_the_full_grid(activation):
    """A plain, finer grid over a box that holds everything."""
    problem = class_problem(activation, counts=(10.0, 5.0, 5.0))
    spacing = 0.55 * np.sqrt(problem.variance)
    axis = np.arange(-18, 18.1, 0.55) * np.sqrt(problem.variance)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    value = energy(problem, T_SMALL, grid)[0]
    p = np.exp(-value)
    whole = np.log(p.sum() * spacing**3 / (2 * np.pi * problem.variance) ** 1.5)
    found = density(problem, T_SMALL)
    assert found.log_partition == pytest.approx(whole, abs=1e-7)
    assert np.allclose(found.weight @ found.lattice.readouts, p @ grid / p.sum(), atol=1e-6)


def test_partition_function_is_a_monte_carlo_average():
    problem = class_problem(counts=(3.0, 2.0, 1.0), variance=0.2)
    rng = np.random.default_rng(0)
    draws = 400_000
    a = np.sqrt(0.2) * rng.standard_normal((draws, 3))
    labels = np.repeat([0, 1, 2], [3, 2, 1])
    phi = np.asarray(cs.Network("sigmoid").activation(jnp.asarray(rng.standard_normal((draws, 6)))))
    weight = np.exp(np.einsum("np,pk,nk->n", phi, T_SMALL[labels], a))
    error = weight.std() / np.sqrt(draws)
    assert abs(np.exp(density(problem, T_SMALL).log_partition) - weight.mean()) < 4 * error
    assert error < 0.02 * weight.mean()


def test_bounds_of_the_lattice_discard_nothing():
    """Every point of the plain lattice inside the window is kept, however far the modes lie apart."""
    problem = class_problem(counts=(20.0, 10.0, 10.0))
    t = 1.5 * T_SMALL
    found = cover(problem, t)
    spacing = 0.9 * np.sqrt(problem.variance)
    offset = (found.readouts[0] / spacing) % 1
    axes = [(np.arange(-36, 36) + part) * spacing for part in offset]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    value = energy(problem, t, grid)[0]
    # the window starts at the lowest E met, which is no lattice point but less than two nats below one
    inside = value.min() + 34
    assert np.sum(found.energy < inside) == np.sum(value < inside)


@pytest.mark.parametrize("fractions", [None, {"110": 0.4, "101": 0.3, "011": 0.3}])
def test_gradient_and_hessian_of_the_dual(solved, fractions):
    problem, found = solved
    t = found.t + 0.02 * T_SMALL
    here = dual(problem, density(problem, t, fractions), within=fractions is not None)
    d = 1e-4
    for index in (0, 4, 5):
        shift = np.zeros(9)
        shift[index] = d
        up, down = (
            dual(problem, density(problem, t + sign * shift.reshape(3, 3), fractions), within=fractions is not None)
            for sign in (1, -1)
        )
        slope = (up.value - down.value) / (2 * d)
        # central differences of third derivatives, which reach the cube of an output's scale
        assert slope == pytest.approx(here.gradient[index], abs=2e-3 * np.abs(here.gradient).max())
        assert np.allclose(
            (up.gradient - down.gradient) / (2 * d), here.hessian[index], atol=2e-3 * abs(here.hessian).max()
        )


def test_equilibrium_numbers_of_neurons_a_code(free):
    """N = P = 100, ratios 1/2:1/4:1/4; stored numbers from independent boxes around the modes."""
    stored = (
        (predict(toy_posterior(temperature=1e-3)), {"110": 27.43, "101": 27.43, "011": 26.12, "100": 19.00}),
        (free, {"110": 32.57, "101": 32.57, "011": 31.87, "100": 3.00}),
    )
    for prediction, numbers in stored:
        assert prediction.certificate.holds
        assert prediction.scheme.label == "redundant"
        found = {code: 100 * share for code, share in fractions_of(prediction).items()}
        assert found == pytest.approx(numbers, abs=0.1)


def test_small_network_against_stored_samples():
    """N = 60, P = 40, C = 2, s^2 = .05, T = 1e-3."""
    task = cs.tasks.orthogonal(samples=40, ratios=(0.5, 0.5))
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=60), temperature=1e-3, readout_variance=0.05)
    prediction = predict(posterior)
    blocks = prediction.to_json()["kernel"]
    assert prediction.outputs[0] == pytest.approx([0.8420, 0.0681], abs=1e-4)
    assert blocks["within"][0] == pytest.approx(0.4044, abs=1e-4)
    assert blocks["between"][0][1] == pytest.approx(0.2010, abs=1e-4)
    codes = {code: 60 * share for code, share in fractions_of(prediction).items()}
    assert [codes.get(code, 0) for code in ("10", "01")] == pytest.approx([29.65, 29.65], abs=0.01)


def test_output_is_target_less_tau_t(solved):
    problem, found = solved
    assert np.allclose(found.outputs, problem.targets - problem.tau * found.t, atol=1e-7)
    assert gap(problem, found)[0] < 1e-9


def test_certificate_catches_wrong_fractions_and_wrong_t(solved):
    problem, right = solved
    # three codes solve the targets nearly as well, and a solver can stop there: other neurons would do better
    planted = solve(problem, {"110": 0.5, "101": 0.3, "011": 0.2})
    assert gap(problem, planted)[0] > 0.1
    shifted = density(problem, right.t * 1.001)
    assert gap(problem, shifted)[0] > 1e-4
    # a solution that has lost a code at the right t
    kept = right.group != right.names.index("100")
    weight = np.where(kept, right.weight, 0)
    lost = replace(
        right,
        weight=weight / weight.sum(),
        log_partition=right.log_partition + float(np.log(weight.sum())),
    )
    assert gap(problem, lost)[0] > 0.02  # -log of the .97 that is left


def test_conditional_theory_at_its_own_fractions_is_the_free_one(free):
    fractions = fractions_of(free)
    total = sum(fractions.values())
    held = predict(
        toy_posterior(temperature=1e-4), code_fractions={code: share / total for code, share in fractions.items()}
    )
    assert held.certificate.holds
    assert held.certificate.bounds["equilibrium_gap"] < 1e-4
    assert np.allclose(held.outputs, free.outputs, atol=1e-6)
    for group, other in zip(held.codes, free.codes, strict=True):
        assert np.allclose(sorted(group.readout), sorted(other.readout), atol=1e-3)
        assert np.allclose(sorted(group.activity), sorted(other.activity), atol=1e-3)
    assert any("given" in assumption.statement for assumption in held.assumptions)


def test_conditional_theory_fits_the_targets_and_says_how_far_it_is_from_equilibrium():
    held = predict(toy_posterior(), code_fractions={"110": 0.27, "101": 0.29, "011": 0.26, "100": 0.18})
    assert held.certificate.holds
    assert held.certificate.bounds["equilibrium_gap"] > 1
    assert fractions_of(held) == pytest.approx({"110": 0.27, "101": 0.29, "011": 0.26, "100": 0.18})
    # the output is the sum over codes of what their mean neurons say, correlations within a code being weak
    summed = sum(group.count / 100 * np.outer(group.activity, group.readout) for group in held.codes)
    assert np.allclose(summed, held.outputs[[0, 50, 75]], atol=0.02)


def test_scalings_are_one_theory():
    """f = gamma sum a phi depends on gamma^2 sigma_a^2 alone; readouts are those of the network."""
    task = cs.tasks.orthogonal(samples=20, ratios=(0.5, 0.25, 0.25))
    small = task.inputs / np.sqrt(task.inputs.shape[1])

    def at(scaling, inputs, factor):
        network = cs.Network("sigmoid", width=100, scaling=scaling)
        scaled = replace(task, inputs=inputs, test_inputs=task.test_inputs)
        return predict(cs.Posterior(scaled, network, temperature=1e-3, readout_variance=0.05 * factor))

    reference = at("mean-field", task.inputs, 1.0)
    for scaling, inputs, factor in (("none", small, 100.0**-2), ("lazy", task.inputs, 1 / 100)):
        other = at(scaling, inputs, factor)
        assert np.allclose(other.outputs, reference.outputs, atol=1e-8)
        assert np.allclose(other.kernel, reference.kernel, atol=1e-8)
        ratio = other.codes[0].readout / reference.codes[0].readout
        assert np.allclose(ratio, np.sqrt(factor), rtol=1e-4)


def test_odd_codes_come_with_their_mirror_images():
    prediction = predict(toy_posterior("tanh", samples=40, width=60))
    assert prediction.certificate.holds
    shares = fractions_of(prediction)
    for code, share in shares.items():
        mirrored = code.translate(str.maketrans("01", "10"))
        assert shares[mirrored] == pytest.approx(share, abs=1e-5)


@pytest.mark.parametrize(
    ("activation", "options", "words"),
    [
        ("sigmoid", {"code_fractions": {"11": 1.0}}, "one bit"),
        ("sigmoid", {"code_fractions": {"110": 0.5}}, "sum to one"),
        ("sigmoid", {"code_fractions": {"000": 0.5, "110": 0.5}}, "not stable"),
        ("sigmoid", {"method": "saddle"}, "no method"),
        ("relu", {"code_fractions": {"110": 1.0}}, "saturate"),
        ("gelu", {}, "proportional"),
    ],
)
def test_refusals(activation, options, words):
    with pytest.raises(cs.InvalidInput, match=words):
        predict(toy_posterior(activation, samples=20, temperature=1e-3), **options)
