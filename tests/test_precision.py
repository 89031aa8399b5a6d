"""The package computes in double precision and leaves the rest of a process as it is."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

import codingschemes as cs
from codingschemes.samplers import SAMPLERS, Settings

#: What the tests themselves say to JAX.
_SAID = ("JAX_NUM_CPU_DEVICES", "JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION")
OWN_CODE = """
assert jnp.ones((2, 2)).dtype == (jnp.ones((2, 2)) @ jnp.ones((2, 2))).dtype == jax.jit(jnp.cos)(0.5).dtype == "float32"
assert jax.config.jax_default_matmul_precision is None
"""
#: On a system, as macOS, that does not say which cores are ours.
FRESH = f"""
import os
del os.sched_getaffinity
import codingschemes as cs
network = cs.Network("linear", width=2)
run = cs.sample(cs.Posterior(cs.tasks.orthogonal(samples=4), network, temperature=1.0),
                sampler="pcnl", chains=1, warmup=2, draws=2, progress=False)
assert run.data.posterior.energy.dtype == "float64"
import jax, jax.numpy as jnp
{OWN_CODE}
assert len(jax.devices()) == os.cpu_count()
assert "codingschemes" in jax.config.jax_compilation_cache_dir
"""
STARTED = f"""
import jax, jax.numpy as jnp
devices = jax.devices()
import codingschemes as cs
assert cs.Network("tanh").activation.shape.slope == 1.0
{OWN_CODE}
assert jax.devices() == devices and len(devices) == 1
assert jax.config.jax_compilation_cache_dir is None
cs.set_up_jax()
assert jnp.ones(2).dtype == "float64" and jax.config.jax_default_matmul_precision == "highest"
assert "codingschemes" in jax.config.jax_compilation_cache_dir
"""
CONFIGURED = """
import os
import jax
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=3"
jax.config.update("jax_compilation_cache_dir", "own")
import codingschemes as cs
cs.set_up_jax()
assert len(jax.devices()) == 3 and jax.config.jax_compilation_cache_dir == "own"
"""


@pytest.mark.parametrize("program", [FRESH, STARTED, CONFIGURED], ids=["fresh", "started", "configured"])
def test_a_process_keeps_what_is_its_own(program, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in _SAID}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture
def single_precision():
    with jax.enable_x64(False), jax.default_matmul_precision("default"):
        yield


def test_a_density_refuses_single_precision(single_precision):
    posterior = cs.Posterior(cs.tasks.orthogonal(samples=4), cs.Network("tanh", width=3))
    with pytest.raises(cs.InvalidInput, match="a density computes in double precision"):
        posterior.density()
    with cs.double_precision():
        density = posterior.density()
        position = density.prior_draw(jax.random.PRNGKey(0))
        compiled = jax.jit(lambda position: density.potential(position))
        assert compiled(position).dtype == jnp.float64
    for use in (density.potential, compiled, jax.grad(density.misfit), density.last_layer):
        with pytest.raises(cs.InvalidInput, match="double precision"):
            use(position)
    with pytest.raises(cs.InvalidInput):
        density.prior_draws(jax.random.PRNGKey(0), 2)


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")  # JAX's own, of what a step computes before
@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_kernels_refuse_single_precision(single_precision, sampler):
    kernel = SAMPLERS[sampler](Settings(warmup=4))
    with cs.double_precision():
        density = cs.Posterior(cs.tasks.orthogonal(samples=4), cs.Network("tanh", width=3)).density()
        key, position = jax.random.PRNGKey(0), density.prior_draw(jax.random.PRNGKey(1))
        shapes = jax.eval_shape(kernel.init, key, position, density)
        state = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    with pytest.raises(cs.InvalidInput, match="double precision"):
        jax.eval_shape(kernel.init, key, position, density)
    with pytest.raises(cs.InvalidInput, match="double precision"):
        jax.eval_shape(kernel.step, state, density)


def test_networks_and_problems_open_their_own_scope(single_precision):
    network = cs.Network("relu", width=3)
    posterior = cs.Posterior(cs.tasks.orthogonal(samples=4), network)
    with cs.double_precision():
        inputs, targets = map(jnp.asarray, (posterior.task.inputs, posterior.task.targets))
    weights = posterior.draw_weights(jax.random.PRNGKey(0), jnp.ones((1, 3, 4)), targets[:3])
    assert network.apply(weights, inputs)[1].dtype == jnp.float64
