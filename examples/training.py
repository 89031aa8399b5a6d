"""Does training find the code that the posterior prefers? A few minutes; nothing is written.

    python examples/training.py [--quick]

The same loss, ||Y - f||^2 plus weight decay, is descended (optax; all samples at once, and a few at a time) from small
and from large weights, and sampled. Trained networks are populations, described as any other; the posterior's verdict
stands beside theirs.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import optax

import codingschemes as cs
from codingschemes.networks import Weights

BATCH = 10
SIZES = {"small": 0.1, "large": 2.0}  # of the first weights, in standard deviations of the prior


def loss(posterior: cs.Posterior, theta: tuple, rows: jax.Array | slice = slice(None)) -> jax.Array:
    """The regularised loss of weights in units of the prior, its error estimated from some of the samples."""
    task, prior = posterior.task, posterior.prior
    inputs, targets = jnp.asarray(task.inputs)[rows], jnp.asarray(task.targets)[rows]
    outputs = posterior.network.apply(as_they_stand(posterior, theta), inputs)[1]
    error = jnp.sum((targets - outputs) ** 2) * len(task.inputs) / len(inputs)
    return error + prior.temperature * sum(jnp.sum(each**2) for each in theta)


def as_they_stand(posterior: cs.Posterior, theta: tuple) -> Weights:
    network, prior = posterior.network, posterior.prior
    hidden = jnp.zeros((0, network.width, network.width))
    return Weights(prior.weight_variance**0.5 * theta[0], hidden, prior.readout_variance**0.5 * theta[1])


def train(posterior: cs.Posterior, size: float, batch: int | None, steps: int, seed: int = 0) -> tuple:
    """Descend: Adam on all samples, or plain SGD with momentum on `batch` of them a step."""
    samples, width = len(posterior.task.inputs), posterior.network.width
    shapes = (width, posterior.task.inputs.shape[1]), (width, posterior.task.targets.shape[1])
    keys = jax.random.split(jax.random.PRNGKey(seed), 3)
    start = tuple(jax.random.normal(key, shape) for key, shape in zip(keys[:2], shapes, strict=True))
    if batch is None:
        optimizer = optax.adam(optax.cosine_decay_schedule(0.05, steps))
    else:
        # the steepest curvature of the error at weights of the prior bounds the rate of plain descent
        flat = jax.jacobian(
            lambda theta: posterior.network.apply(as_they_stand(posterior, theta), jnp.asarray(posterior.task.inputs))[
                1
            ]
        )(start)
        rows = jnp.hstack([each.reshape(posterior.task.targets.size, -1) for each in flat])
        rate = 0.1 / (2 * float(jnp.linalg.norm(rows, 2)) ** 2)
        optimizer = optax.sgd(optax.cosine_decay_schedule(rate, steps), momentum=0.9)
    theta = tuple(size * each for each in start)

    @jax.jit
    def descend(theta: tuple, keys: jax.Array) -> tuple:
        def step(carried: tuple, key: jax.Array) -> tuple[tuple, None]:
            theta, state = carried
            rows = slice(None) if batch is None else jax.random.choice(key, samples, (batch,), replace=False)
            updates, state = optimizer.update(jax.grad(lambda each: loss(posterior, each, rows))(theta), state)
            return (optax.apply_updates(theta, updates), state), None

        return jax.lax.scan(step, (theta, optimizer.init(theta)), keys)[0][0]

    return descend(theta, jax.random.split(keys[2], steps))


def described(posterior: cs.Posterior, theta: tuple) -> cs.Description:
    task, weights = posterior.task, as_they_stand(posterior, theta)
    activity = posterior.network.activation(posterior.network.apply(weights, jnp.asarray(task.inputs))[0][-1])
    population = cs.Population(
        np.asarray(activity).T, task.labels, readout=np.asarray(weights.readout),
        activation=posterior.network.activation_name,
    )  # fmt: skip
    return cs.describe(population, bootstraps=0, shuffles=0)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--quick", action="store_true", help="few steps and draws, to see that it runs")
quick = parser.parse_args().quick
cs.set_up_jax()
tasks = {"toy": cs.tasks.orthogonal(samples=60, ratios=[0.5, 0.25, 0.25])}
try:
    tasks["MNIST"] = cs.tasks.mnist(classes=[3, 5, 8], samples=60)
except cs.InvalidInput as missing:
    print(missing)

for name, task in tasks.items():
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=60), temperature=1e-3)
    run = cs.sample(posterior, draws=20, warmup=20) if quick else cs.sample(posterior, until_ess=50)
    summary = cs.summarize(run)
    print(f"{name}: sampled: {summary.scheme.words}; loss {summary.energy.mean:.3g}")
    print("  codes:", ", ".join(f"{code.code} {code.fraction:.0%}" for code in summary.codes[:4]))
    for batch in (None, BATCH):
        for size, scale in SIZES.items():
            theta = train(posterior, scale, batch, 50 if quick else 20_000)
            found = described(posterior, theta)
            how = "all samples" if batch is None else f"{batch} at a time"
            print(f"  trained on {how} from {size} weights: {found.scheme.words}; loss {loss(posterior, theta):.3g}")
            print("    codes:", ", ".join(f"{code.code} {code.fraction:.0%}" for code in found.codes[:4]))
