"""Chains that begin at the particles of a sweep."""

import jax
import numpy as np
import pytest
from known_answers import small_posterior
from tempering_answers import by_wishart, linear_posterior

from codingschemes.runs import Sampling
from codingschemes.runs.start import beginning


@pytest.mark.slow
def test_tempered_chains_begin_at_different_networks_near_the_posterior():
    density = small_posterior(samples=4, width=3, temperature=5e-3).density()
    potentials = jax.jit(jax.vmap(density.potential))
    energies = {}
    for start in ("prior", "tempered"):
        sampling = Sampling(sampler="hmc", chains=4, start=start)
        positions, facts = beginning(jax.random.PRNGKey(0), density, sampling)
        assert positions["input"].shape == (4, *density.shapes["input"])
        energies[start] = np.asarray(potentials(positions))
    assert len(set(energies["tempered"].tolist())) == 4
    assert energies["tempered"].max() < energies["prior"].min()
    assert np.isfinite(facts["log_evidence"])
    assert 0 < facts["log_evidence_error"] < 2


@pytest.mark.slow
def test_the_evidence_of_a_tempered_start_is_that_of_the_closed_form():
    """Sixteen particles, the run's own sampler with its defaults. So few weights know their own spread roughly: over
    12 seeds estimates spread by .5 to .6 nats about -.4, where the weights imply .43."""
    posterior = linear_posterior()
    for sampler in ("codes", "hmc"):
        _, facts = beginning(
            jax.random.PRNGKey(1), posterior.density(), Sampling(sampler=sampler, chains=4, start="tempered")
        )
        difference = facts["log_evidence"] - by_wishart(posterior)
        assert abs(difference) < 5 * facts["log_evidence_error"]
        assert facts["tempering_acceptance"] > 0.5
