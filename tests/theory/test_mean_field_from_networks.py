"""Three layers and more: jumps against quadrature, the descent against closed forms and against cooling."""

import time
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
from theory_problems import toy_posterior

import codingschemes as cs
from codingschemes.networks.activations import ACTIVATIONS
from codingschemes.progress import watched
from codingschemes.theory import predict
from codingschemes.theory.mean_field import Annealing, MeanFieldProblem
from codingschemes.theory.mean_field.particles import Hold, second_moment
from codingschemes.theory.mean_field.solvers import deep, from_networks
from codingschemes.theory.mean_field.solvers.deep import Layers, measured, settle_deep
from codingschemes.theory.mean_field.solvers.from_networks import Averages, Descent, answers, begun, network_of
from codingschemes.theory.mean_field.solvers.layer import LayerParticles, symmetric_root
from codingschemes.theory.mean_field.theory import route_to
from codingschemes.theory.prediction import UnstableCodes

HEAT = 0.1
COUNT = 1500


def test_jumps_take_particles_to_their_numbers_in_codes():
    """Modes of two samples that are far apart and of unequal weight, by quadrature."""
    sigmoid = ACTIVATIONS["sigmoid"]
    root, tilt = np.array([[3.0, 0.0], [1.0, 2.5]]), np.array([[14.0, -19.0], [-19.0, 17.0]])
    axis = np.linspace(-7, 7, 701)
    u = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    phi = np.asarray(sigmoid(jnp.asarray(u @ root.T)))
    weight = np.exp(np.sum(phi * (phi @ tilt), axis=1) / 2 - np.sum(u**2, axis=1) / 2)
    weight /= weight.sum()
    code = np.packbits(phi > 0.5, axis=1).ravel()
    exact = {each: weight[code == each].sum() for each in np.unique(code)}
    particles = LayerParticles(
        sigmoid, root, np.resize([[2.0, -2.0], [-2.0, 2.0], [1.0, 1.0], [-1.0, -1.0]], (COUNT, 2)), 0
    )
    particles.tilt = tilt
    for _ in range(60):
        particles.jump(lambda phi: phi > 0.5)
        particles.sweep(Hold(np.eye(2), 0.5, False))
    found = np.packbits(particles.phi > 0.5, axis=1).ravel()
    assert np.ptp(list(exact.values())) > 0.2  # equal numbers, with which particles begin, are wrong
    for each, share in exact.items():
        assert np.mean(found == each) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / COUNT))


def test_what_a_kernel_draws_back_where_all_is_gaussian():
    """z ~ N(0, K) above activities x ~ N(0, 1) with tilt B: d<x x^T> = dB, dB = -(Z dK + dK Z) + dK in axes of Z."""
    x, zeta = np.random.default_rng(0).standard_normal((200_000, 3)), np.array([1.0, 3.0, 20.0])
    assert np.allclose(answers(x, zeta), zeta[:, None] + zeta - 1, rtol=0.03)


def test_the_time_limit_holds_for_the_sampled_network(monkeypatch):
    given = []

    def slow(*_, time_limit, **__):
        given.append(time_limit)
        time.sleep(time_limit)
        return SimpleNamespace(finished=False)

    monkeypatch.setattr(from_networks, "sample", slow)
    task, network = cs.tasks.orthogonal(samples=8), cs.Network("sigmoid", width=30, depth=3)
    problem = MeanFieldProblem(cs.Posterior(task, network, temperature=1e-3))
    with watched(time_limit=0.3), pytest.raises(cs.TimeLimitReached, match="sampling networks"):
        from_networks.averages_of_networks(problem, draws=10, seed=0)
    assert 0 < given[0] <= 0.3


@pytest.mark.parametrize("scaling", ["mean-field", "lazy", "none"])
def test_the_network_has_the_same_limit(scaling):
    network = cs.Network("sigmoid", width=30, depth=3, scaling=scaling, bias=True)
    problem = MeanFieldProblem(cs.Posterior(cs.tasks.orthogonal(samples=8), network, temperature=1e-3))
    wide = MeanFieldProblem(network_of(problem))
    for name in ("tau", "variance", "gain", "offset"):
        assert getattr(wide, name) == pytest.approx(getattr(problem, name))
    np.testing.assert_allclose(wide.posterior.input_kernel(), problem.posterior.input_kernel())


def descended(layers, rounds):
    descent = Descent(layers)
    for round_ in range(rounds):
        descent.step(0.3 * 100 / (100 + round_))
    return measured(layers, 40)


def test_three_linear_layers_go_back_to_the_closed_form():
    task = cs.tasks.orthogonal(samples=6, ratios=(0.5, 0.5), classes=2)
    posterior = cs.Posterior(task, cs.Network("linear", width=60, depth=3), temperature=HEAT / 60)
    exact, problem = predict(posterior), MeanFieldProblem(posterior)
    moments = [*exact.lower_kernels, exact.kernel]  # of preactivations and activities alike
    assert np.linalg.norm(moments[0] - np.asarray(posterior.input_kernel())) > 0.1  # which has learned
    rng, layers = np.random.default_rng(1), Layers(problem, count=COUNT, seed=0, fractions=None)
    for index, above in enumerate(moments[1:]):
        off = np.eye(6) + 0.04 * rng.standard_normal((6, 6))
        layers.between[index] = problem.gain * off @ moments[index] @ off.T
        inverse = np.linalg.inv(layers.between[index])
        layers.layers[index].tilt = problem.gain * (inverse @ above @ inverse - inverse)
        layers.layers[index + 1].root = symmetric_root(layers.between[index])
    layers.fit(problem.fit(problem.variance * moments[-1]))
    for layer, moment in zip(layers.layers, moments, strict=True):
        z = rng.standard_normal((COUNT, 6)) @ symmetric_root(moment)
        layer.place(z @ np.linalg.inv(layer.root).T)
    at_first = [kernel / problem.gain for kernel in layers.between]
    found = descended(layers, 100)
    for first, sampled, closed in zip(at_first, found.kernels, moments[:2], strict=False):
        wrong, left = (np.abs(np.linalg.eigvals(np.linalg.solve(closed, each)) - 1).max() for each in (first, sampled))
        assert left < 0.1 < wrong


def test_the_descent_and_cooling_find_the_same():
    task = cs.tasks.orthogonal(samples=12, ratios=(0.5, 0.25, 0.25))
    problem = MeanFieldProblem(cs.Posterior(task, cs.Network("sigmoid", width=60, depth=2), temperature=HEAT / 60))
    cooled = settle_deep(problem, count=COUNT, seed=0, annealing=Annealing(cooling=30, settling=40, measuring=30))
    layers = Layers(problem, count=COUNT, seed=1, fractions=None)
    layers.jumping = 2
    found = descended(layers, 450)
    for one, other in zip(found.kernels, cooled.kernels, strict=True):
        assert np.abs(one - other).max() < 4 * np.sqrt(0.25 / COUNT)  # of a mean between 0 and 1, over one set
    assert sum(sum(pair) for pair in found.unsolved) < 2 * 12**2 / (4 * COUNT)
    assert found.switched > 0.1


def planted_averages(problem, width=50, draws=4):
    """One layer of networks drawn from the prior."""
    root = np.linalg.cholesky(problem.posterior.input_kernel())
    z = np.random.default_rng(0).standard_normal((draws, 1, width, len(root))) @ root.T
    return Averages(z, (second_moment(problem.activity(z.reshape(-1, len(root)))),), (np.zeros_like(root),))


def test_codes_can_be_given():
    problem = MeanFieldProblem(toy_posterior(samples=12, width=60, temperature=HEAT / 60))
    given = {"111": 0.25, "000": 0.75}
    layers = begun(problem, planted_averages(problem), count=200, seed=0, fractions=given).layers
    for _ in range(3):
        layers.sweep()
    assert np.mean(layers.codes.all(axis=1)) == 0.25
    assert np.mean(~layers.codes.any(axis=1)) == 0.75
    assert layers.group.tolist() == layers.codes.all(axis=1).astype(int).tolist()


def test_codes_that_no_neuron_has_are_refused():
    problem = MeanFieldProblem(toy_posterior(samples=12, width=60, temperature=HEAT / 60))
    averages = planted_averages(problem)
    silent = averages._replace(preactivations=-np.abs(averages.preactivations))
    with pytest.raises(UnstableCodes, match="110"):
        begun(problem, silent, count=200, seed=0, fractions={"110": 1.0})


def test_a_stop_is_not_taken_for_a_network(monkeypatch):
    problem = MeanFieldProblem(toy_posterior(samples=12, width=60, temperature=HEAT / 60))
    monkeypatch.setattr(from_networks, "sample", lambda *_, **__: SimpleNamespace(finished=False))
    with pytest.raises(cs.Stopped, match="nothing is kept"):
        from_networks.averages_of_networks(problem, draws=4, seed=0)


@pytest.mark.parametrize(("depth", "solver"), [(2, deep.solution), (3, from_networks.solution)])
def test_which_solver_takes_how_many_layers(depth, solver):
    posterior = cs.Posterior(cs.tasks.orthogonal(samples=8), cs.Network("sigmoid", width=8, depth=depth))
    assert route_to(MeanFieldProblem(posterior)).solve is solver


@pytest.mark.slow
def test_three_sigmoid_layers_against_networks():
    task = cs.tasks.orthogonal(samples=12, ratios=(0.5, 0.25, 0.25))
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=60, depth=3), temperature=0.02 / 60)
    prediction = predict(posterior)
    assert prediction.certificate.holds
    run = cs.sample(posterior, draws=800, until_rhat=1.02, seed=5, progress=False)
    compared = cs.compare(run, prediction)
    for row in compared.rows:
        if row.kind in ("output", "kernel"):
            error = 3 * row.mcse + 2 * abs(row.predicted) / 60
            assert row.sampled == pytest.approx(row.predicted, abs=error)
