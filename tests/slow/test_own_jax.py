"""A process with JAX code of its own: nothing of the package is computed in single precision, and none is set."""

import os
import subprocess
import sys

import pytest

#: Counts what the package computes in single precision, in one pass through what users call.
PROGRAM = """
import os
import sys

import jax
import numpy
from jax._src import core

import codingschemes as cs

cs.sample  # imports of other libraries make arrays
before = dict(jax.config.values)
ours, single, bind = os.path.dirname(cs.__file__) + os.sep, [], core.Primitive.bind


def counted(self, *args, **kwargs):
    frame = sys._getframe(1)
    while not jax.config.jax_enable_x64 and frame is not None:
        if frame.f_code.co_filename.startswith(ours):
            single.append(f"{frame.f_code.co_filename}: {frame.f_code.co_qualname}")
            break
        frame = frame.f_back
    return bind(self, *args, **kwargs)


core.Primitive.bind = counted
task = cs.tasks.orthogonal(samples=6, classes=2, test=2)
for activation, depth in (("sigmoid", 1), ("relu", 2)):
    posterior = cs.Posterior(task, cs.Network(activation, width=4, depth=depth), temperature=1e-2)
    run = cs.sample(posterior, sampler="hmc", chains=2, warmup=30, draws=30, progress=False)
    print(cs.summarize(run, drift=True).to_json()["scheme"], repr(run.data))
    prediction = cs.predict(posterior, "lazy")
    print(prediction, prediction.to_json().keys(), cs.compare(run, prediction).to_json().keys())
    print(posterior.input_kernel(), posterior.network.activation.shape)
cs.predict(cs.Posterior(task, cs.Network("sigmoid", width=4), temperature=1e-2)).to_json()
cs.evidence(posterior, particles=8, sweeps=1).to_json()
cs.report(run, out="report.html")
cs.register_activation("mine", lambda z: jax.numpy.tanh(2 * z))
population = cs.Population(run.values("neurons", "preactivation")[0, -1, -1].T, task.labels)
print(cs.describe(population, bootstraps=2, shuffles=4).to_json().keys())
problem = cs.manifolds.random_problem(numpy.random.default_rng(0), cs.Network("tanh", width=3, scaling="none"))
print(cs.manifolds.check(problem, 3, steps=4).to_json().keys())
neurons = cs.manifolds.random_neurons(numpy.random.default_rng(0), 3, 3, 2)
print(cs.manifolds.descend(problem, neurons, "adam", rate=0.1, steps=2).loss, problem.gradient(neurons))
assert {name: value for name, value in jax.config.values.items() if before[name] != value} == {}
assert jax.numpy.zeros(2).dtype == "float32"
found = sorted(set(single))
posterior.network.activation(0.3)  # a call that no scope is opened for is counted
assert len(single) > len(found)
print(*found, sep="\\n", file=sys.stderr)
sys.exit(len(found) > 0)
"""


@pytest.mark.slow
def test_all_is_double_precision_and_nothing_is_set(tmp_path):
    double = ("JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION")  # which a test of the command line may have said
    environment = {name: value for name, value in os.environ.items() if name not in double}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
