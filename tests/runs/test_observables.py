"""What is recorded of a draw follows from its neurons."""

import jax.numpy as jnp
import numpy as np
import pytest

import codingschemes as cs
from codingschemes.tasks import make_task


@pytest.mark.parametrize("width", [3, 20])
def test_kernels_of_every_layer_are_those_of_its_activity(width):
    task = make_task("orthogonal", samples=12, classes=3)
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=width, depth=2), temperature=1e-3)
    run = cs.sample(posterior, chains=1, draws=3, warmup=5, progress=False)
    stored = jnp.asarray(run.data["neurons"]["preactivation"].values, float)
    activity = np.asarray(posterior.network.activation(stored))
    kernel = np.einsum("kdlnp,kdlnq->kdlpq", activity, activity) / width
    expected = np.linalg.eigvalsh(kernel)[..., ::-1][..., : min(width, 10)]
    stored = run.data["posterior"]["kernel_eigenvalue"].values
    np.testing.assert_allclose(stored, expected, rtol=1e-4, atol=1e-6 * expected.max())
    members = np.eye(3)[task.labels]
    own = np.einsum("kdlpp,pc->kdlc", kernel, members) / members.sum(0)
    np.testing.assert_allclose(run.data["posterior"]["kernel_diagonal"].values, own, rtol=1e-5)
    for one, other in ((0, 0), (0, 2), (1, 1)):
        pairs = np.outer(members[:, one], members[:, other]).astype(bool) & ~np.eye(12, dtype=bool)
        block = run.data["posterior"]["kernel_block"].values[..., one, other]
        np.testing.assert_allclose(block, kernel[..., pairs].mean(-1), rtol=1e-5)
