"""How abstract is each time step of a recurrent network?

    python experiments/recurrent_abstraction.py [--width 40] [--steps 5] [--temperature 1e-5]

A recurrent network with bias on all combinations of two labels, from whitened and from clustered inputs, fixed
penalties of the regularised loss, annealed from the prior to a low temperature and sampled there. Parallelism and CCGP
of single networks at every time step, mean over chains with the standard error between chains; step 0 is the input.
Untrained networks are the control: Gaussian weights of variance 1/N, at which recurrence neither dies out nor explodes.

The claim that is set beside it: representations of trained recurrent networks are abstract at the last time step (Wang,
Johnston & Fusi, arXiv 2510.09816); their parallelism was found here to be .977 to .9998. Writes
results/recurrent_abstraction.md and .png, and the last step to docs/claims.md.
"""

import jax
import numpy as np
from claims import Claim
from entry import Entry, Table
from figures import redraw

import codingschemes as cs
from codingschemes.coding.neurons import activity_chunks, spread_draws
from codingschemes.diagnostics import diagnose
from codingschemes.representation import abstraction_scores
from codingschemes.tasks import make_task

SCORES = {"parallelism": "parallelism score", "ccgp": "CCGP"}
#: Networks of each chain, and untrained ones, that are scored.
NETWORKS = 5
CONTROLS = 20

entry = Entry(__doc__, quick={"width": 8, "steps": 2, "temperature": 1e-2, "chains": 2, "warmup": 30, "draws": 20})
entry.add_argument("--width", type=int, default=40)
entry.add_argument("--steps", type=int, default=5)
entry.add_argument("--temperature", type=float, default=1e-5)
entry.add_argument("--penalty", type=float, default=0.1)
entry.add_argument("--chains", type=int, default=4)
entry.add_argument("--warmup", type=int, default=300)
entry.add_argument("--draws", type=int, default=200)
options, out = entry.begin()


def posterior_of(
    activation: str, inputs: str, temperature: float = options.temperature, **prior: float
) -> cs.Posterior:
    task = make_task("hypercube", labels_dim=2, repeats=4, inputs=inputs)
    network = cs.Network(
        activation, width=options.width, depth=options.steps, bias=True, scaling="none", recurrent=True
    )
    prior = prior or {"penalty1": options.penalty, "penalty2": options.penalty}
    return cs.Posterior(task, network, temperature=temperature, **prior)


def score(layers: np.ndarray, task: cs.Task) -> np.ndarray:
    """Both scores of each of some representations, (representation, score); NaN where undefined."""
    found = [abstraction_scores(layer.T.astype(float), task.labels, task.factors) for layer in layers]
    values = [[getattr(each, name) for name in SCORES] for each in found]
    return np.array([[np.nan if value is None else value for value in row] for row in values])


def sampled(posterior: cs.Posterior) -> tuple[cs.Run, np.ndarray]:
    """A run, and the scores of its networks, mean over each chain's, (chain, step, score)."""
    run = cs.sample(
        posterior, sampler="hmc", start="annealed", warmup=options.warmup, draws=options.draws, chains=options.chains,
        progress=False,
    )  # fmt: skip
    chunks = [activity for activity, _ in activity_chunks(run, spread_draws(run, NETWORKS))]
    networks = np.concatenate(chunks, axis=1)
    scores = [[score(network, posterior.task) for network in chain] for chain in networks]
    return run, np.mean(scores, axis=1)


def untrained(activation: str, inputs: str) -> np.ndarray:
    """Scores of networks with random weights, (network, step, score)."""
    posterior = posterior_of(activation, inputs, weight_variance=1 / options.width)
    density = posterior.density()
    draw = jax.jit(lambda key: density.network.activation(density.propagate(density.prior_draw(key))[0]))
    keys = jax.random.split(jax.random.PRNGKey(0), CONTROLS)
    return np.array([score(np.asarray(draw(key)), posterior.task) for key in keys])


steps = np.arange(1, options.steps + 1)
scored = Table("inputs", "activation", "networks", "score", "input", *(f"step {step}" for step in steps))
fits = Table("inputs", "activation", "training loss", "training error", "energy", "largest R-hat", "divergences")
last: list[float] = []
claims: list[Claim] = []
for inputs in ("whitened", "clustered"):
    for activation in ("relu", "tanh"):
        posterior = posterior_of(activation, inputs)
        run, by_chain = sampled(posterior)
        start = score(posterior.task.inputs.T[None], posterior.task)[0]
        for networks, scores in {"sampled": by_chain, "untrained": untrained(activation, inputs)}.items():
            mean, error = scores.mean(axis=0), scores.std(axis=0, ddof=1) / np.sqrt(len(scores))
            for index, label in enumerate(SCORES.values()):
                cells = [f"{m:.4f} ± {e:.4f}" for m, e in zip(mean[:, index], error[:, index], strict=True)]
                first = f"{start[index]:.2f}".replace("-0.00", "0.00")
                scored.row(inputs, activation, networks, label, first, *cells)
            if networks == "sampled":
                last.append(mean[-1, 0])
                claims.append(
                    Claim(
                        f"Recurrent {activation} networks, {inputs} inputs: parallelism at the last time step",
                        "Wang, Johnston & Fusi",
                        "0.977 to 0.9998",
                        f"{mean[-1, 0]:.4f}",
                        f"{error[-1, 0]:.0e}",
                        "predicted: range of trained networks, measured here; error between chains",
                    )
                )
        checked = diagnose(run)
        loss, wrong, energy = (
            run.values("posterior", name).mean() for name in ("training_loss", "training_error", "energy")
        )
        worst = f"{checked.convergence.rhat_max:.2f}"
        fits.row(inputs, activation, f"{loss:.2e}", f"{wrong:.2%}", f"{energy:.4f}", worst, checked.divergences)
colder = Table("T", "activation", "1 - parallelism score, last step", "over T")
for factor in (10, 1, 0.1):
    for activation in ("relu", "tanh"):
        temperature = factor * options.temperature
        off = 1 - sampled(posterior_of(activation, "whitened", temperature))[1][:, -1, 0]
        error = off.std(ddof=1) / np.sqrt(len(off))
        missing = f"{off.mean():.2e} ± {error:.0e}"
        colder.row(f"{temperature:g}", activation, missing, f"{off.mean() / temperature:.0f}")
out.page(
    "results/recurrent_abstraction.md",
    f"""# Abstraction at every time step of recurrent networks

`python experiments/recurrent_abstraction.py`: two labels, P = 16, N = {options.width}, {options.steps} steps, bias,
penalties {options.penalty:g}, T = {options.temperature:g}, {options.chains} annealed chains.

Mean ± standard error: between chains (sampled), between networks (untrained, weights of variance 1/N).

{scored}

At the last step sampled networks have parallelism scores of {min(last):.4f} to {max(last):.4f} (trained
ones: .977 to .9998, measured here), more than at any step before. Where the largest R-hat is above 1.1, chains stay in
the basins they were annealed into: scores are a mean over these. All of this is by `hmc`; at T = 1e-5
[what keeps its chains apart](../benchmarks/recurrent_equilibrium.md) is how strength is shared among neurons, which
`codes` moves.

How well they fit, and whether chains agree:

{fits}

Whitened inputs at other temperatures: what is missing from 1 shrinks with T where it is thermal noise.
A mean about as large as its error is one chain of the four that stays in a basin that is less abstract.

{colder}

![abstraction against time step](recurrent_abstraction.png)
""",
)
redraw("recurrent_abstraction", out.root)
out.claims(claims)
