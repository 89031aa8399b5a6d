"""Every exact sampler leaves the posterior as it is, and finds it. `test_checks.py` shows what the checks can see."""

import jax
import numpy as np
import pytest
from checks import (
    CHAINS,
    adapted,
    copies,
    joint,
    known_answer,
    pilot,
    positions_of,
    prior_law,
    put,
    ranks,
    stationarity,
    step,
    verdict,
)
from problems import DRAWABLE, KNOWN, problem
from subjects import REVERSIBLE, SETTINGS, TREES, cases

from codingschemes.samplers import SAMPLERS

_potential = jax.jit(jax.vmap(lambda density, position: density.potential(position)))

#: Many gradients a step, and what is like another one but for where it comes from.
LATER = ("mclmc", "blackjax-nuts")
#: The move on linear networks and the form of weights are each in another case that stays; jumps leave exact draws
#: exact in `test_moves.py`.
LATER_CASES = (("codes", "linear weights"), ("codes", "sigmoid reduced"))


def sooner(cases):
    """The cases, some of them, and those of some samplers, in the slow tier."""
    return [
        pytest.param(*case, marks=pytest.mark.slow) if case[0] in LATER or case in LATER_CASES else case
        for case in cases
    ]


# `scope="class"` runs the tests of one sampler on one problem one after the other: they share what is compiled.


@pytest.mark.parametrize(("sampler", "name"), sooner(cases(KNOWN)), scope="class")
class TestKnownAnswer:
    """The linear network with one output, whose posterior is one integral."""

    def test_moments_and_distributions_by_quadrature(self, sampler, name):
        """From one point, after warm-up: means, second moments, distribution functions."""
        assert not verdict(known_answer, SAMPLERS[sampler](SETTINGS), problem(name), seed=11)

    def test_exact_draws_stay_exact(self, sampler, name):
        """Chains at exact draws of the posterior have its law ten steps later."""
        assert not verdict(stationarity, SAMPLERS[sampler](SETTINGS), problem(name), seed=12)

    def test_a_tree_has_at_most_the_leaves_of_its_depth(self, sampler, name):
        """What the diagnostics take for a trajectory that was cut."""
        if sampler not in TREES:
            pytest.skip("it grows no trees")
        kernel, densities = SAMPLERS[sampler](SETTINGS), copies(problem(name).density)
        _, info = step(kernel, adapted(kernel, problem(name), jax.random.PRNGKey(17)), densities)
        assert info.gradients.max() == 2**SETTINGS.max_tree_depth - 1


@pytest.mark.parametrize(
    ("sampler", "name"), sooner(case for case in cases(DRAWABLE) if case[0] not in TREES), scope="class"
)
class TestDrawnData:
    """Nonlinear networks: the prior, and data drawn from the model."""

    @pytest.mark.slow
    def test_without_data_the_prior(self, sampler, name):
        """At a temperature at which the data say nothing every coordinate is standard normal."""
        assert not verdict(prior_law, SAMPLERS[sampler](SETTINGS), problem(name), seed=13)

    @pytest.mark.slow
    def test_joint_distribution(self, sampler, name):
        """Geweke 2004: steps alternating with fresh data against direct draws of both."""
        assert not verdict(joint, SAMPLERS[sampler](SETTINGS), problem(name), seed=14)

    def test_ranks_are_uniform(self, sampler, name):
        """Talts et al. 2018, made exact by Gandy & Scott 2020: the rank of the truth in a short chain through it."""
        if sampler not in REVERSIBLE:
            pytest.skip("a chain cannot be run backwards")
        assert not verdict(ranks, SAMPLERS[sampler](SETTINGS), problem(name), seed=15)

    def test_a_step_tells_the_energy_of_its_position(self, sampler, name):
        """Also right after a move to other positions: nothing is left over from before."""
        # side by side as many as the ranks take, where they compile that; else few, again and again
        count = CHAINS if sampler in REVERSIBLE else 8
        kernel, densities = SAMPLERS[sampler](SETTINGS), copies(problem(name).density, count)
        states = pilot(kernel, problem(name), count)
        for _ in range(CHAINS // count):
            elsewhere = jax.tree.map(lambda block: np.asarray(block)[::-1] / 2, positions_of(kernel, states))
            states = put(kernel, states, elsewhere, densities)
            for block, moved in zip(
                jax.tree.leaves(elsewhere), jax.tree.leaves(positions_of(kernel, states)), strict=True
            ):
                np.testing.assert_array_equal(block, moved)
            for _ in range(3):
                states, info = step(kernel, states, densities)
                expected = _potential(densities, positions_of(kernel, states))
                np.testing.assert_allclose(info.potential, expected, rtol=1e-9)
