import pytest

import codingschemes as cs
from codingschemes.coding.summary import Summary, summarize


@pytest.fixture(scope="session")
def small_run() -> cs.Run:
    """A tiny network, sampled for a second and held in memory."""
    task = cs.tasks.orthogonal(samples=24, ratios=[0.5, 0.25, 0.25])
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=12), temperature=1e-2)
    return cs.sample(posterior, sampler="hmc", chains=2, draws=60, warmup=60, progress=False)


@pytest.fixture(scope="session")
def small_summary(small_run: cs.Run) -> Summary:
    return summarize(small_run)
