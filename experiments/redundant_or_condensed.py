"""Is redundant coding condensation? Codes agree, weights do not: four levels, beside the prior and a trained network.

    python experiments/redundant_or_condensed.py

The toy task of van Meegen and Sompolinsky with sigmoid neurons, N = P = 50, T = 1e-3: networks sampled from the
posterior, and one trained on the same regularised loss from small weights. Writes results/redundant_or_condensed.md
and .png: effective width against tolerance of class-mean activities, activities and weights.
"""

import jax.numpy as jnp
import numpy as np
from claims import Claim
from entry import Entry, Table

import codingschemes as cs
from codingschemes.coding.condensation import condensation, trained_from_small
from codingschemes.manifolds import LEVELS, Neurons, Problem, classify, detect, level_widths
from codingschemes.reports.manifolds import widths_against_tolerance

SIZE = 1e-3
entry = Entry(__doc__, quick={"neurons": 12, "draws": 30, "steps": 300})
entry.add_argument("--neurons", type=int, default=50, help="as many samples")
entry.add_argument("--draws", type=int, default=200)
entry.add_argument("--steps", type=int, default=100_000, help="of training")
options, out = entry.begin()
task = cs.tasks.orthogonal(samples=options.neurons, ratios=[0.5, 0.25, 0.25])
posterior = cs.Posterior(task, cs.Network("sigmoid", width=options.neurons), temperature=1e-3)
run = cs.sample(posterior, draws=options.draws, warmup=300, chains=4, progress=False)
found = condensation(run)

path = trained_from_small(posterior, SIZE, options.steps, seed=1)
end = Neurons(*(np.asarray(part[-1]) for part in path.neurons))
weight_penalty, readout_penalty = posterior.prior.penalties
problem = Problem.of(
    posterior.network, task.inputs, task.targets, weight_penalty=weight_penalty, readout_penalty=readout_penalty
)
minimum = cs.predict(posterior, "global-minimum").energy
assert minimum is not None
slope = float(jnp.linalg.norm(problem.gradient(Neurons(*map(jnp.asarray, end))).concatenate()))
residual = float(jnp.sqrt(jnp.mean((problem.outputs(Neurons(*map(jnp.asarray, end))) - task.targets) ** 2)))
inputs = np.asarray(problem.inputs)
kind = classify(posterior.network.activation)
tolerances = found.profile.tolerances
trained = level_widths(end, inputs, task.labels, posterior.network.activation, kind, tolerances)

scheme = cs.summarize(run).scheme
table = Table("level", "networks", *(f"tolerance {tolerances[i]:.2g}" for i in (10, 15, 20, 25, 30)))
for level in LEVELS:
    for name, widths in (
        ("posterior", found.profile.drawn),
        ("prior", found.profile.reference),
        ("trained from small", trained),
    ):
        table.row(level, name, *(f"{widths[level][i]:g}" for i in (10, 15, 20, 25, 30)))
figure = widths_against_tolerance(found.profile, beside={"trained from small": trained})
figure.savefig(out.path("results/redundant_or_condensed.png"), dpi=110)
out.page(
    "results/redundant_or_condensed.md",
    f"""# Redundant coding against condensation

`python experiments/redundant_or_condensed.py`: orthogonal inputs, random labels .5 : .25 : .25, sigmoid,
N = P = {options.neurons}, T = 1e-3; scheme of the samples: {scheme.label} (probability {scheme.probability:.2f}).
Trained: gradient descent on the same regularised loss from {SIZE:g} times a prior draw, {options.steps} steps, loss
{float(path.loss[0]):.3f} -> {float(path.loss[-1]):.4f} (global minimum {minimum / 2:.4f}), gradient {slope:.1e}, root
mean square residual {residual:.3f}. Median effective width over {found.networks} networks.

{table}

Relative distance of weights to the nearest smaller manifold: posterior {found.last.nearest:.3f}, prior
{found.prior.nearest:.3f}, trained {detect(end, kind).nearest:.1e}.

The {options.neurons} orthogonal inputs span all {options.neurons} dimensions, so that the seen weights are the weights.
Smaller manifolds have posterior probability zero. A redundant code is approximate condensation at the level of codes;
calling it a manifold would be an interpretation, which the weights do not bear out. The trained network is at a
stationary point on a manifold, above the global minimum.

![four levels](redundant_or_condensed.png)
""",
)
at = 20
out.claims(
    [
        Claim(
            f"A redundant code is condensation of codes, not of weights: distinct {level} of {options.neurons} "
            "sigmoid neurons",
            "here",
            predicted,
            f"{found.profile.drawn[level][at]:g}",
            note=f"tolerance {tolerances[at]:.2g}; prior {found.profile.reference[level][at]:g}",
        )
        for level, predicted in (("codes", f"below {options.neurons}"), ("weights", f"{options.neurons}"))
    ]
)
