"""The checks themselves: they pass a correct kernel, and each fault in a kernel fails one of them."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from checks import exact_draws, joint, known_answer, prior_law, ranks, stationarity, verdict
from jaxtyping import Array
from p_values import combined, law_p, levels, mean_p, uniform_p
from problems import DRAWABLE, INVARIANTS, KNOWN, observe, problem
from scipy import stats

from codingschemes.posterior import Density, Position
from codingschemes.samplers import Info, Kernel


class Faults(NamedTuple):
    """Switches of a small MALA kernel (Roberts & Tweedie 1996): numbers, so that all variants are one compiled program.

    Attributes:
        step: the step size.
        metropolis: 1, or 0 where every proposal is accepted (unadjusted Langevin).
        proposal_ratio: 1, or 0 where the acceptance ratio forgets the proposal's density.
        prior_variance: 1, or what the kernel mistakes the prior variance for.
        misfit: 1, or what the kernel multiplies the misfit by.
        stale: 1 where the energy is not computed anew when the data change.
        local: how much the step size grows with the distance from the origin, without correction.
        frozen: 1 where the first coordinate of the first neuron never moves.
        shift: moves proposals of the first layer without correction.
    """

    step: float = 0.35
    metropolis: float = 1.0
    proposal_ratio: float = 1.0
    prior_variance: float = 1.0
    misfit: float = 1.0
    stale: float = 0.0
    local: float = 0.0
    frozen: float = 0.0
    shift: float = 0.0


class State(NamedTuple):
    position: Position
    potential: Array
    key: Array
    faults: Faults


def believed(position: Position, density: Density, faults: Faults) -> Array:
    square = sum(jnp.sum(block**2) for block in position.values())
    return square / (2 * faults.prior_variance) + faults.misfit * density.misfit(position)


def proposal(position: Position, density: Density, faults: Faults) -> tuple[Position, Array]:
    """Mean and step size of the proposal."""
    square = sum(jnp.sum(block**2) for block in position.values()) / density.dimension
    size = faults.step * jnp.exp(faults.local * (jnp.tanh(square - 1)))
    gradient = jax.grad(believed)(position, density, faults)
    return jax.tree.map(lambda block, slope: block - size**2 / 2 * slope, position, gradient), size


def mala_step(state: State, density: Density) -> tuple[State, Info]:
    position, faults = state.position, state.faults
    key, key_noise, key_accept = jax.random.split(state.key, 3)
    mean, size = proposal(position, density, faults)
    noise = density.prior_draw(key_noise)
    proposed = jax.tree.map(lambda center, block: center + size * block, mean, noise)
    first = proposed["input"] + faults.shift
    first = first.at[0, 0].set(jnp.where(faults.frozen > 0, position["input"][0, 0], first[0, 0]))
    proposed = {**proposed, "input": first}
    back, _ = proposal(proposed, density, faults)
    ahead = sum(jnp.sum((proposed[name] - mean[name]) ** 2) for name in proposed) / (2 * size**2)
    behind = sum(jnp.sum((position[name] - back[name]) ** 2) for name in proposed) / (2 * size**2)
    potential = believed(proposed, density, faults)
    log_ratio = state.potential - potential + faults.proposal_ratio * (ahead - behind)
    accepted = (jnp.log(jax.random.uniform(key_accept)) < log_ratio) | (faults.metropolis == 0)
    position = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), proposed, position)
    potential = jnp.where(accepted, potential, state.potential)
    info = Info(potential, jnp.minimum(1.0, jnp.exp(log_ratio)), jnp.asarray(2), jnp.asarray(False), size)
    return State(position, potential, key, faults), info


def mala_move(state: State, position: Position, density: Density) -> State:
    fresh = believed(position, density, state.faults)
    return state._replace(position=position, potential=jnp.where(state.faults.stale > 0, state.potential, fresh))


def mala_init(faults: Faults, key: Array, position: Position, density: Density) -> State:
    return State(position, believed(position, density, faults), key, faults)


def mala_position(state: State) -> Position:
    return state.position


def mala(**faults: float) -> Kernel:
    numbers = Faults(*(np.asarray(value) for value in Faults(**faults)))
    return Kernel(jax.tree_util.Partial(mala_init, numbers), mala_step, mala_position, mala_move, warmup=100)


CORRECT = mala()

#: What is broken, and the checks that must notice, each on its problem.
FAULTS = [
    ("no Metropolis test", {"metropolis": 0.0}, [(stationarity, "linear weights"), (ranks, "relu weights")]),
    ("no Metropolis test, half the step", {"metropolis": 0.0, "step": 0.175}, [(known_answer, "linear weights")]),
    (
        "the acceptance forgets the proposal's density",
        {"proposal_ratio": 0.0},
        [(known_answer, "linear reduced"), (stationarity, "linear reduced"), (prior_law, "sigmoid reduced"),
         (joint, "sigmoid reduced"), (ranks, "sigmoid reduced")],
    ),
    ("prior variance 10 % too large", {"prior_variance": 1.1}, [(prior_law, "relu weights")]),
    ("prior variance 10 % too small", {"prior_variance": 0.9}, [(prior_law, "relu weights")]),
    ("misfit 20 % too large", {"misfit": 1.2}, [(joint, "relu weights")]),
    ("old energy kept with new data", {"stale": 1.0}, [(joint, "relu weights")]),
    ("the step size depends on the state", {"local": 0.5}, [(prior_law, "relu weights"), (joint, "sigmoid reduced")]),
    ("a coordinate never moves", {"frozen": 1.0}, [(prior_law, "sigmoid reduced"), (known_answer, "linear reduced")]),
    ("proposals are shifted", {"shift": 0.03}, [(stationarity, "linear weights"), (ranks, "relu weights")]),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_checks_pass_a_correct_kernel_on_known_answers(name):
    assert not verdict(known_answer, CORRECT, problem(name), seed=1)
    assert not verdict(stationarity, CORRECT, problem(name), seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWABLE)
def test_checks_pass_a_correct_kernel_on_drawn_data(name):
    assert not verdict(prior_law, CORRECT, problem(name), seed=3)
    assert not verdict(joint, CORRECT, problem(name), seed=4)
    assert not verdict(ranks, CORRECT, problem(name), seed=5)


@pytest.mark.parametrize(("faults", "checks"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_checks_fail_a_broken_kernel(faults, checks):
    kernel = mala(**faults)
    for check, name in checks:
        assert verdict(check, kernel, problem(name), seed=6), f"{check.__name__} on {name}"


@pytest.mark.parametrize("name", KNOWN)
def test_linear_answer_agrees_with_importance_sampling_from_the_prior(name):
    """The closed form against a method that shares nothing with it: prior draws weighted by their likelihood."""
    density, answer = problem(name).density, problem(name).answer
    keys = jax.random.split(jax.random.PRNGKey(0), 100_000)

    @jax.jit
    @jax.vmap
    def draw(key: Array) -> tuple[Array, Array]:
        key_prior, key_readout = jax.random.split(key)
        position = density.prior_draw(key_prior)
        return observe(key_readout, position, density), -density.misfit(position)

    values, log_weights = (np.asarray(part) for part in draw(keys))
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    at = dict(zip(INVARIANTS, values.T, strict=True))
    at |= {f"{entry}_squared": column**2 for entry, column in at.items()}
    for entry, expected in answer.means().items():
        mean = weights @ at[entry]
        error = np.sqrt(weights**2 @ (at[entry] - mean) ** 2)
        assert abs(mean - expected) < 4.9 * error, entry
    for entry, distribution in answer.distributions().items():
        for quantile in np.quantile(at[entry], [0.1, 0.5, 0.9]):
            inside = at[entry] <= quantile
            error = np.sqrt(weights**2 @ (inside - weights @ inside) ** 2)
            assert abs(weights @ inside - distribution(np.array([quantile]))[0]) < 4.9 * error, entry


@pytest.mark.parametrize("name", KNOWN)
def test_exact_draws_have_the_answers_moments(name):
    answer = problem(name).answer
    at = dict(zip(INVARIANTS, exact_draws(problem(name)).T, strict=True))
    at |= {f"{entry}_squared": column**2 for entry, column in at.items()}
    for entry, expected in answer.means().items():
        assert mean_p(at[entry][:, None], np.array([expected])).item() > 1e-6, entry
    for entry, distribution in answer.distributions().items():
        assert stats.kstest(at[entry][:4000], distribution).pvalue > 1e-6, entry


def test_p_values_are_uniform_where_the_law_is_right():
    """Independent draws, tested again and again: no more than 5 % of the p-values below 0.05, none far below."""
    rng = np.random.default_rng(0)
    entries = len(INVARIANTS)

    def once() -> list[float]:
        of_law = law_p(rng.normal(size=(64, 5, entries)), rng.normal(size=(2000, entries)))
        return [*of_law.values(), *uniform_p(rng.uniform(size=(64, entries))).values()]

    p = np.array([once() for _ in range(60)])
    rejected = (p < 0.05).mean(axis=1)
    assert rejected.mean() < 0.05 + 4.9 * rejected.std() / np.sqrt(len(p))
    assert p.min() * p.size > 1e-4


def test_levels_put_ties_in_the_middle():
    reference = np.array([0.0, 0.0, 1.0, 2.0])[:, None]
    assert levels(np.array([[0.0], [1.0], [5.0]]), reference)[:, 0].tolist() == [0.25, 0.625, 1.0]


def test_what_is_not_a_number_fails():
    assert combined({"fine": 0.5, "lost": float("nan")}) == 0.0
