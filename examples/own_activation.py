"""An activation of your own, from registering it to theory beside samples. About a minute; a figure goes to runs/cubic.

    python examples/own_activation.py

Give it to the command line as `--activation module:function`.
"""

from pathlib import Path

import jax
import jax.numpy as jnp

import codingschemes as cs

folder = Path("runs/cubic")
folder.mkdir(parents=True, exist_ok=True)


def cubic(z: jax.Array) -> jax.Array:
    """Cut off at -1 and 1, with a cubic between them: bounded and odd like tanh, but flat beyond a finite input."""
    inside = jnp.clip(z, -1.5, 1.5)
    return inside - 4 * inside**3 / 27


# What samplers and theories need to know is found from the function's values and slopes.
activation = cs.register_activation("cubic", cubic)
print(f"family {activation.family}, kinked {activation.kinked}, bounded {activation.bounded}")

task = cs.tasks.orthogonal(samples=30, classes=2)
posterior = cs.Posterior(task, cs.Network("cubic", width=40), temperature=3e-3)

# Bounded and saturating: theory covers it. It is asked first, since that takes seconds.
prediction = cs.predict(posterior)
assert prediction.scheme is not None
print(f"predicted: {prediction.scheme.label}; {prediction.certificate.words}")

run = cs.sample(posterior, until_ess=100)
summary = cs.summarize(run)
print(f"sampled: {summary.scheme.words}")

comparison = cs.compare(run, prediction)
print(comparison)
cs.plot.theory(comparison).savefig(folder / "sampled_against_predicted.png", dpi=120)
cs.plot.distributions(run, summary, comparison).savefig(folder / "neurons.png", dpi=120)
print(f"figures: {folder}")
