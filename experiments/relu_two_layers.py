"""Two ReLU layers: what a mean field of them can rest on, and what it waits for, by numbers.

    python experiments/relu_two_layers.py [--widths 30,60,120,240] [--runs FOLDER]

The toy, two ReLU layers, P = 60, N T = .006, sampled until converged at four widths. For each layer: how many outliers
there are, what part of the class-specific kernel they carry, and how much that kernel fluctuates from draw to draw. For
the last layer: how far the theory of one layer is from it that is given the kernel below, once as it was sampled (its
mean), once as the prior has it. Runs are kept in FOLDER, and those that are there are not sampled again. Writes
results/relu_two_layers.md, and numbers to docs/claims.md.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from claims import Claim
from entry import Entry, Table, kept_run

import codingschemes as cs
from codingschemes.diagnostics import diagnose
from codingschemes.networks import ACTIVATIONS
from codingschemes.theory import Prediction

entry = Entry(__doc__, quick={"widths": "10", "samples": 12, "draws": 40, "runs": None})
entry.add_argument("--widths", default="30,60,120,240", help="neurons of a layer")
entry.add_argument("--samples", type=int, default=60)
entry.add_argument("--heat", type=float, default=0.006, help="N T")
entry.add_argument("--draws", type=int, default=4000, help="at most")
entry.add_argument("--seconds", type=float, default=600.0, help="of sampling, at most, for each network")
entry.add_argument("--runs", type=Path, default=Path("runs/relu_two_layers"))
options, out = entry.begin()
TASK = cs.tasks.orthogonal(samples=options.samples, ratios=(0.5, 0.25, 0.25))
ReLU = ACTIVATIONS["relu"]
KEPT = 200


class Layer(NamedTuple):
    """Of one layer, over draws: its kernel, outliers, and the part of the kernel between classes that these carry."""

    kernel: np.ndarray
    spread: float
    outliers: np.ndarray
    share: np.ndarray


def sampled(width: int) -> cs.Run:
    folder = options.runs and options.runs / f"{width}"
    posterior = cs.Posterior(TASK, cs.Network("relu", width=width, depth=2), temperature=options.heat / width)
    return kept_run(folder, posterior, draws=options.draws, until_rhat=1.02, until_ess=400, time_limit=options.seconds)


def layers_of(run: cs.Run) -> list[Layer]:
    """A neuron counts as an outlier whose class-specific activity is more than a tenth of all neurons'."""
    stored = run.values("neurons", "preactivation")
    stored = stored.reshape(-1, *stored.shape[2:])
    draws = stored[np.linspace(0, len(stored) - 1, min(KEPT, len(stored))).astype(int)]
    means = np.eye(TASK.class_count)[TASK.labels] / np.bincount(TASK.labels)
    found = []
    for layer in range(2):
        activity = np.asarray(ReLU(draws[:, layer].astype(float)))
        kernels = np.einsum("dnp,dnq->dpq", activity, activity) / activity.shape[1]
        specific = activity @ means
        power = np.sum((specific - specific.mean(axis=2, keepdims=True)) ** 2, axis=2)
        parts = power / power.sum(axis=1, keepdims=True)
        within = np.einsum("pc,dpq,qc->dc", means, kernels, means)
        found.append(
            Layer(
                kernel=kernels.mean(axis=0),
                spread=float(np.mean(within.std(axis=0) / within.mean(axis=0))),
                outliers=np.sum(parts > 0.1, axis=1),
                share=np.sum(np.where(parts > 0.1, parts, 0), axis=1),
            )
        )
    return found


def one_layer(run: cs.Run, kernel: np.ndarray) -> Prediction:
    """The theory of the last layer, with a kernel below."""
    values, vectors = np.linalg.eigh(kernel)
    inputs = vectors * np.sqrt(np.maximum(values, 0) * len(kernel))
    task = TASK.with_inputs(inputs, np.zeros((0, len(kernel))), "a kernel of the layer below")
    network = cs.Network("relu", width=run.posterior.network.width)
    return cs.predict(cs.Posterior(task, network, temperature=run.posterior.prior.temperature))


def off(there: np.ndarray, predicted: np.ndarray) -> float:
    return float(np.linalg.norm(there - predicted) / np.linalg.norm(predicted))


counted = Table("N", "R-hat", "layer", "outliers", "they carry", "kernel's fluctuation", "of one draw, times root N")
given = Table("N", "kernel below", "outputs off", "kernel off", "certificate")
fluctuations: dict[int, list[str]] = {1: [], 2: []}
offsets: dict[tuple[str, str], list[str]] = {
    (kind, below): [] for kind in ("outputs", "last kernel") for below in ("as sampled", "of the prior")
}
for width in map(int, options.widths.split(",")):
    run = sampled(width)
    layers = layers_of(run)
    rhat = diagnose(run).convergence.rhat_max
    for number, layer in enumerate(layers, 1):
        fluctuations[number].append(f"{layer.spread * width**0.5:.2f}")
        counted.row(
            width,
            f"{rhat:.3f}",
            number,
            f"{layer.outliers.mean():.1f} ± {layer.outliers.std():.1f}",
            f"{layer.share.mean():.0%}",
            f"{layer.spread:.1%}",
            fluctuations[number][-1],
        )
    outputs = run.values("posterior", "outputs").mean(axis=(0, 1))
    size = np.trace(run.posterior.input_kernel()) / options.samples
    unlearned = size / 2 * np.eye(options.samples) + size / (2 * np.pi) * (1 - np.eye(options.samples))
    for name, below in (("as sampled", layers[0].kernel), ("of the prior", unlearned)):
        prediction = one_layer(run, below)
        apart = off(outputs, prediction.outputs), off(layers[1].kernel, np.asarray(prediction.kernel))
        for kind, value in zip(("outputs", "last kernel"), apart, strict=True):
            offsets[kind, name].append(f"{value:.2%}")
        holds = "holds" if prediction.certificate.holds else "does not hold"
        given.row(
            width,
            name,
            f"{apart[0]:.2%}",
            f"{apart[1]:.1%}",
            f"{prediction.certificate.gap:.2g} ({holds})",
        )
names = f"N = {options.widths.replace(',', ' / ')}, P = {options.samples}, N T = {options.heat:g}"
claims = [
    Claim(
        f"Two ReLU layers, {names}: fluctuation of the kernel of layer {number}, times the root of N",
        "here",
        "-",
        ", ".join(values),
    )
    for number, values in fluctuations.items()
] + [
    Claim(
        f"Two ReLU layers, {names}: deviation of the {kind} from the theory of one layer, given the kernel below "
        f"{below}",
        "here",
        "0",
        ", ".join(values),
    )
    for (kind, below), values in offsets.items()
]
out.page(
    "results/relu_two_layers.md",
    f"""# Two ReLU layers

`python experiments/relu_two_layers.py`: the toy, P = {options.samples}, N T = {options.heat:g}, sampled until
converged. There is no mean field of several ReLU layers here. Is there a limit that one could be of, and what is
missing?

**Kernels are self-averaging**: what they fluctuate from draw to draw falls like the root of N. A neuron is an outlier
here that has more than a tenth of the class-specific activity; their numbers, and what part of that activity they
carry, are means over {KEPT} draws. In the first layer it is one a class at every width, with the same share: condensed
neurons of the limit. In the last layer it is spread over ever more neurons.

{counted}

**The last layer follows** from the kernel below it: the theory of one layer (bulk and heavy neurons), with the sampled
mean of that kernel for its inputs, against what was sampled, root mean square relative to the prediction.

{given}

**What is missing** is the first layer alone: its condensed neurons given the tilt that the last layer exerts. With the
second moment above held (`theory/mean_field/solvers/from_networks.py`) that is a problem in one layer, to minimise
KL(rho || N(0, K0)) + [log det K1 + tr K1^-1 Z2] / 2 over a bulk and condensed neurons; unlike that of one layer it is
not convex, so that heavy neurons cannot be found by the certified search of `heavy.py`.
""",
)
out.claims(claims)
