"""Checks that a kernel leaves its posterior as it is, and gets there: functions from a kernel to p-values.

All run CHAINS copies of a kernel side by side, each with its own data where the check asks for it, through one
compiled step. What a copy has adapted to comes from a pilot run and is independent of where a check puts it, so a
mixture of valid kernels is checked, and copies are independent: errors come from the spread between copies, which
holds whatever the correlation within one.

Sources: Geweke 2004 (joint distribution); Talts et al. 2018 (ranks); Gandy & Scott 2020 (exact ranks, sequential
tests); Modrak et al. 2023 (which quantities to look at).
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from p_values import Findings, combined, law_p, levels, mean_p, uniform_p, worst
from problems import INVARIANTS, LinearAnswer, Problem, observe, prior_targets, with_targets, without_data
from scipy import stats

from codingschemes.posterior import Density, Position
from codingschemes.samplers import Info, Kernel
from codingschemes.samplers.kernel import Search
from codingschemes.samplers.settling import search_together

#: Copies of a kernel side by side.
CHAINS = 256
#: Exact draws that a law is compared with.
REFERENCE = 20_480
#: Steps left out before, and recorded in, a check that begins where the pilot ended.
BURN_IN, RECORDED = 50, 50
#: Steps between exact draws and the law compared with theirs.
STATIONARY_STEPS = 10
#: Length of a joint (parameters and data) chain.
JOINT_STEPS = 50
#: Recorded positions of a rank chain, and steps between two of them.
RANK_LENGTH, RANK_THINNING = 6, 6

type Check = Callable[[Kernel, Problem, Array, int], Findings]


# ---------------------------------------------------------------------------------------------------- running kernels


def _strong(tree: Any) -> Any:
    """No weak types: an initial state with some would compile every step again."""
    return jax.tree.map(lambda leaf: jax.lax.convert_element_type(leaf, leaf.dtype), tree)


@jax.jit
def _init(init: Callable[..., Any], keys: Array, positions: Position, densities: Density) -> Any:
    return _strong(jax.vmap(init)(keys, positions, densities))


@functools.partial(jax.jit, static_argnums=0)
def _step(step: Callable[..., Any], states: Any, densities: Density) -> tuple[Any, Info]:
    return _strong(jax.vmap(step)(states, densities))


@functools.partial(jax.jit, static_argnums=0)
def _search(search: Search, states: Any, common: Any, density: Density) -> tuple[Any, Any]:
    """All copies, and what each has in common with none, after each has looked for modes by itself: they are to be
    independent."""

    def alone(copy: tuple[Any, Any]) -> tuple[Any, Any]:
        state, common = copy
        found = search_together(search, _stacked(state), common, density)
        after = jax.tree.map(lambda leaf: leaf[0], found)
        return after, search.common(after, density)

    return _strong(jax.lax.map(alone, (states, common)))


@functools.partial(jax.jit, static_argnums=0)
def _common(search: Search, states: Any, density: Density) -> Any:
    return _strong(jax.lax.map(lambda state: search.common(state, density), states))


def _stacked(state: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[None], state)


@functools.partial(jax.jit, static_argnums=0)
def _move(move: Callable[..., Any], states: Any, positions: Position, densities: Density) -> Any:
    return _strong(jax.vmap(move)(states, positions, densities))


@jax.jit
def _observe(key: Array, positions: Position, densities: Density) -> Array:
    return jax.vmap(observe)(_keys(key, densities.temperature.shape[0]), positions, densities)


@jax.jit
def _prior(key: Array, densities: Density) -> Position:
    return jax.vmap(lambda k, density: density.prior_draw(k))(_keys(key, densities.temperature.shape[0]), densities)


@jax.jit
def _redrawn(key: Array, positions: Position, densities: Density) -> Density:
    """The densities with data drawn given the positions."""
    keys = _keys(key, densities.temperature.shape[0])
    return with_targets(densities, jax.vmap(prior_targets)(keys, positions, densities))


def _keys(key: Array, count: int) -> Array:
    return jax.random.split(key, count)


def copies(density: Density, count: int = CHAINS) -> Density:
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count, *leaf.shape)), density)


@jax.jit
def _folded(keys: Array, key: Array) -> Array:
    return jax.vmap(jax.random.fold_in)(keys, jax.random.randint(key, (CHAINS,), 0, 2**31 - 1))


def _rekeyed(states: Any, key: Array) -> Any:
    """The states with fresh randomness: every leaf that looks like a random key is folded with `key`."""
    found = []

    def renew(leaf: Array) -> Array:
        typed = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        if not typed and not (leaf.dtype == jnp.uint32 and leaf.shape == (CHAINS, 2)):
            return leaf
        found.append(leaf)
        return _folded(leaf, key)

    states = jax.tree.map(renew, states)
    assert found, "the state carries no random key"
    return states


@functools.cache
def pilot(kernel: Kernel, problem: Problem, count: int = CHAINS) -> Any:
    """States after warm-up, all chains from one and the same prior draw: what never moves shows later."""
    densities = copies(problem.density, count)
    start = problem.density.prior_draw(jax.random.PRNGKey(101))
    positions = jax.tree.map(lambda block: jnp.broadcast_to(block, (count, *block.shape)), start)
    # kernels that differ in the numbers of a Partial alone are one program
    init = kernel.init if isinstance(kernel.init, jax.tree_util.Partial) else jax.tree_util.Partial(kernel.init)
    states = _init(init, _keys(jax.random.PRNGKey(102), count), positions, densities)
    search = kernel.search
    if search is not None:
        common = _common(search, states, problem.density)
        states = search.lend(states, common)
    for step in range(kernel.warmup):
        if search is not None and step in search.steps:
            states, common = _search(search, search.take_back(states), common, problem.density)
            states = search.lend(states, common)
        states, _ = _step(kernel.step, states, densities)
    return states


def adapted(kernel: Kernel, problem: Problem, key: Array) -> Any:
    """States with adapted settings, where the pilot ended, with randomness of their own."""
    return _rekeyed(pilot(kernel, problem), key)


def put(kernel: Kernel, states: Any, positions: Position, densities: Density) -> Any:
    return _move(kernel.move, states, positions, densities)


def step(kernel: Kernel, states: Any, densities: Density) -> tuple[Any, Info]:
    return _step(kernel.step, states, densities)


def positions_of(kernel: Kernel, states: Any) -> Position:
    return jax.vmap(kernel.position)(states)


def _settled(kernel: Kernel, problem: Problem, densities: Density, key: Array) -> Float[np.ndarray, "chain draw K"]:
    """Invariants of RECORDED steps from where the pilot ended, after BURN_IN steps under `densities`."""
    states = adapted(kernel, problem, jax.random.fold_in(key, 0))
    states = put(kernel, states, positions_of(kernel, states), densities)
    rows = []
    for index in range(BURN_IN + RECORDED):
        states, _ = step(kernel, states, densities)
        if index >= BURN_IN:
            rows.append(_observe(jax.random.fold_in(key, index + 1), positions_of(kernel, states), densities))
    return np.stack(rows, axis=1)


def _repeated(run: Callable[[Array], Any], key: Array, batches: int) -> Any:
    """`run` with different keys, joined along chains."""
    results = [run(batch_key) for batch_key in np.asarray(jax.random.split(key, batches))]
    return jax.tree.map(lambda *parts: np.concatenate(parts), *results)


# -------------------------------------------------------------------------------------------------------------- checks


def known_answer(kernel: Kernel, problem: Problem, key: Array, batches: int) -> Findings:
    """Means, second moments and distribution functions of the linear network against one-dimensional quadrature."""
    assert isinstance(problem.answer, LinearAnswer)
    densities = copies(problem.density)
    series = _repeated(functools.partial(_settled, kernel, problem, densities), key, batches)
    at = {name: series[:, :, index] for index, name in enumerate(INVARIANTS)}
    at |= {f"{name}_squared": values**2 for name, values in at.items()}
    found = {}
    for name, expected in problem.answer.means().items():
        found[f"mean of {name}"] = mean_p(at[name].mean(axis=1)[:, None], np.array([expected])).item()
    for name, distribution in problem.answer.distributions().items():
        found[f"distribution of {name}"] = stats.kstest(at[name][:, -1], distribution).pvalue
    return found


def prior_law(kernel: Kernel, problem: Problem, key: Array, batches: int) -> Findings:
    """Without data the chain settles, from where the posterior's pilot ended, to the prior."""
    densities = without_data(copies(problem.density))
    series = _repeated(functools.partial(_settled, kernel, problem, densities), key, batches)
    return law_p(series, _prior_reference(problem))


def stationarity(kernel: Kernel, problem: Problem, key: Array, batches: int) -> Findings:
    """Exact draws of the posterior have the same law after a few steps; the drift of each copy adds to the power where
    a chain moves slowly."""
    assert isinstance(problem.answer, LinearAnswer)
    densities = copies(problem.density)

    def run(batch_key: Array) -> np.ndarray:
        key_draw, key_state, key_before, key_after = jax.random.split(batch_key, 4)
        positions = problem.answer.draw(key_draw, problem.density, CHAINS)
        states = put(kernel, adapted(kernel, problem, key_state), positions, densities)
        before = _observe(key_before, positions, densities)
        for _ in range(STATIONARY_STEPS):
            states, _ = step(kernel, states, densities)
        return np.stack([before, _observe(key_after, positions_of(kernel, states), densities)], axis=1)

    series = _repeated(run, key, batches)
    reference = exact_draws(problem)
    at = levels(series, reference)
    found = law_p(series[:, 1:], reference)
    for name, measure in (("location", lambda level: level), ("spread", lambda level: (2 * level - 1) ** 2)):
        p = mean_p(measure(at[:, 1]) - measure(at[:, 0]), np.zeros(len(INVARIANTS)))
        found |= {f"drift of {name} of {entry}": value for entry, value in zip(INVARIANTS, p, strict=True)}
    return found


def joint(kernel: Kernel, problem: Problem, key: Array, batches: int) -> Findings:
    """Geweke 2004: alternating a step on the parameters with fresh data leaves the joint law of both as drawn directly.

    Chains begin at direct draws, so that nothing has to be left out.
    """

    def run(batch_key: Array) -> np.ndarray:
        key_prior, key_data, key_state = jax.random.split(batch_key, 3)
        densities = copies(problem.density)
        positions = _prior(key_prior, densities)
        states = adapted(kernel, problem, key_state)
        rows = []
        for index in range(JOINT_STEPS):
            key_targets, key_readout = jax.random.split(jax.random.fold_in(key_data, index))
            densities = _redrawn(key_targets, positions, densities)
            states, _ = step(kernel, put(kernel, states, positions, densities), densities)
            positions = positions_of(kernel, states)
            rows.append(_observe(key_readout, positions, densities))
        return np.stack(rows, axis=1)

    return law_p(_repeated(run, key, batches), _joint_reference(problem))


def ranks(kernel: Kernel, problem: Problem, key: Array, batches: int) -> Findings:
    """Simulation-based calibration (Talts et al. 2018) that is exact for short chains (Gandy & Scott 2020).

    A prior draw and data drawn given it: the draw is one of the posterior. It is put at a random place of a short
    chain, which goes forwards from it and, since the kernel is reversible, by the same steps backwards. Its rank
    among the chain's positions is uniform, ties drawn at random. Kernels must be reversible in their positions.
    """

    def run(batch_key: Array) -> np.ndarray:
        key_prior, key_data, key_state, key_place, key_tie, key_rows = jax.random.split(batch_key, 6)
        densities = copies(problem.density)
        truth = _prior(key_prior, densities)
        densities = _redrawn(key_data, truth, densities)
        states = put(kernel, adapted(kernel, problem, key_state), truth, densities)
        place = jax.random.randint(key_place, (CHAINS,), 0, RANK_LENGTH)
        rows = [_observe(key_rows, truth, densities)]
        for index in range(RANK_LENGTH - 1):
            positions = _where(place == index, truth, positions_of(kernel, states))
            states = put(kernel, states, positions, densities)  # from here forwards, for some
            for _ in range(RANK_THINNING):
                states, _ = step(kernel, states, densities)
            rows.append(_observe(jax.random.fold_in(key_rows, index), positions_of(kernel, states), densities))
        values = np.stack(rows, axis=1)
        below = (values < values[:, :1]).sum(axis=1)
        equal = (values == values[:, :1]).sum(axis=1)
        return (below + np.asarray(jax.random.uniform(key_tie, equal.shape)) * equal) / RANK_LENGTH

    return uniform_p(_repeated(run, key, batches))


def _where(chosen: Array, one: Position, other: Position) -> Position:
    def pick(left: Array, right: Array) -> Array:
        return jnp.where(chosen.reshape(-1, *[1] * (left.ndim - 1)), left, right)

    return jax.tree.map(pick, one, other)


@functools.cache
def _prior_reference(problem: Problem) -> np.ndarray:
    densities = without_data(copies(problem.density))
    return _reference(201, lambda key: (_prior(key, densities), densities))


@functools.cache
def exact_draws(problem: Problem) -> Float[np.ndarray, "n K"]:
    """Invariants of exact draws from the posterior of fixed data."""
    densities = copies(problem.density)
    return _reference(202, lambda key: (problem.answer.draw(key, problem.density, CHAINS), densities))


@functools.cache
def _joint_reference(problem: Problem) -> np.ndarray:
    densities = copies(problem.density)

    def draw(key: Array) -> tuple[Position, Density]:
        key_prior, key_data = jax.random.split(key)
        positions = _prior(key_prior, densities)
        return positions, _redrawn(key_data, positions, densities)

    return _reference(203, draw)


def _reference(seed: int, draw: Callable[[Array], tuple[Position, Density]]) -> Float[np.ndarray, "n K"]:
    """Invariants of REFERENCE exact draws, made CHAINS at a time: the same compiled programs."""

    def run(key: Array) -> np.ndarray:
        key_draw, key_readout = jax.random.split(key)
        return np.asarray(_observe(key_readout, *draw(key_draw)))

    return _repeated(run, jax.random.PRNGKey(seed), REFERENCE // CHAINS)


# ---------------------------------------------------------------------------------------------------------- sequential


def verdict(check: Check, kernel: Kernel, problem: Problem, seed: int, *, alarm: float = 1e-5, stages: int = 3) -> str:
    """Empty where the kernel passes, else what failed. A correct kernel fails with probability `alarm` at most.

    Algorithm 3 of Gandy & Scott 2020: most correct kernels pass with the first batch; a doubtful one is run again with
    twice as many.
    """
    threshold = alarm / stages
    shrink = threshold ** (1 / stages)
    for stage in range(stages):
        with np.errstate(over="ignore", invalid="ignore"):  # a broken kernel may go anywhere
            findings = check(kernel, problem, jax.random.fold_in(jax.random.PRNGKey(seed), stage), 2**stage)
        p = combined(findings)
        if p <= threshold:
            return f"{check.__name__} fails on {problem.name}: {worst(findings)}"
        if p > shrink + threshold:
            break
        threshold /= shrink
    return ""
