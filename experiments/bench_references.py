"""Record what the bench compares against: src/codingschemes/benchmark/references.json.

    python experiments/bench_references.py [--seconds 60] [--targets tiny-sigmoid,tiny-relu]

One-neuron targets by quadrature, all others from a long run of the default sampler with another seed than the bench's.
"""

import json

import jax.numpy as jnp
import numpy as np
from entry import Entry

from codingschemes.benchmark import TARGETS, measure
from codingschemes.benchmark.table import read_references, targets_of
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior

entry = Entry(__doc__, quick={"targets": "tiny-sigmoid,tiny-relu", "seconds": 2.0})
entry.add_argument("--seconds", type=float, default=60.0)
entry.add_argument("--targets", default=",".join(TARGETS))
options, out = entry.begin()
path = out.path("src/codingschemes/benchmark/references.json")


def by_quadrature(posterior: Posterior) -> dict[str, tuple[float, float]]:
    """The mean squared activity of one neuron with one input weight, its readout integrated out."""
    u = np.linspace(-9, 9, 20_001)
    activity = np.asarray(posterior.network.activation(jnp.asarray(np.outer(u, posterior.task.inputs[:, 0]))))
    temperature, variance = posterior.prior.temperature, posterior.prior.readout_variance
    precision = 1 / variance + (activity**2).sum(1) / temperature
    mean = activity @ posterior.task.targets / temperature / precision[:, None]
    log_weight = -(u**2) / 2 - np.log(variance * precision) + (precision[:, None] * mean**2).sum(1) / 2
    weight = np.exp(log_weight - log_weight.max())
    return {"kernel_diagonal": (float(weight @ (activity**2).mean(1) / weight.sum()), 0.0)}


references = read_references()
for name in targets_of(options.targets):
    try:
        posterior = TARGETS[name].posterior()
    except InvalidInput as error:
        print(f"{name}: left out ({error})")
        continue
    if posterior.network.width == 1:
        references[name] = by_quadrature(posterior)
    else:
        row = measure(name, posterior, "codes", "reduced", warmup=500, seconds=options.seconds, seed=1)
        references[name] = row.means
    path.write_text(json.dumps(references, indent=2) + "\n")
    print(name, references[name], flush=True)
