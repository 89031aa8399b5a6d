"""Are representations abstract at global minima? The claim of Wang, Johnston & Fusi (2025) on a table.

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python experiments/abstract_at_global_minima.py [--images]

For activations and inputs: energy of the closed form, of the solver that is not told it, and parallelism of both.
Writes results/abstract_at_global_minima.md; --images adds parity and magnitude of 100 MNIST digits there, which takes
some minutes.
"""

import time

from claims import Claim
from entry import Entry, Table

import codingschemes as cs
from codingschemes.theory import Prediction, predict

WIDTHS = {"relu": 40, "linear": 8, "tanh": 8, "hardtanh": 8, "logistic": 8}
ALIGNMENTS = {"whitened": 1.0, "aligned": 0.5, "clustered": 0.5}

entry = Entry(__doc__, quick={"activations": "relu,tanh"})
entry.add_argument("--activations", default=",".join(WIDTHS))
entry.add_argument("--images", action="store_true", help="add 100 MNIST digits")
options, out = entry.begin()


def number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


excess: dict[str, list[float]] = {}
parallel: dict[str, list[float]] = {}


def compare(activation: str, inputs: str) -> None:
    task = cs.tasks.hypercube(labels_dim=2, repeats=2, inputs=inputs, alignment=ALIGNMENTS[inputs])
    network = cs.Network(activation, width=WIDTHS[activation], bias=True, scaling="none")
    posterior = cs.Posterior(task, network, penalty1=0.1, penalty2=0.1)
    formula = predict(posterior, "global-minimum", method="closed-form", searches=1)
    started = time.perf_counter()
    solved = predict(posterior, "global-minimum", method="solver", searches=2)
    seconds = time.perf_counter() - started
    assert formula.energy is not None
    assert solved.energy is not None
    excess.setdefault(activation, []).append(abs(solved.energy / formula.energy - 1))
    parallel.setdefault(activation, []).append(float("nan") if solved.parallelism is None else solved.parallelism)
    table.row(
        activation,
        inputs,
        f"{formula.energy:.8f}",
        f"{solved.energy:.8f}",
        f"{solved.energy / formula.energy - 1:.1e}",
        f"{formula.certificate.gap:.0e}",
        f"{solved.certificate.gap:.0e}",
        number(formula.parallelism),
        number(solved.parallelism),
        f"{seconds:.1f}",
    )


def minimise_on_images(penalty: float) -> None:
    task = cs.tasks.mnist(samples=100, labels="parity-magnitude")
    # |x|^2 is 1 on average: centred, scaled, and divided by the root of the number of pixels
    task = task.with_inputs(task.inputs / 28, task.test_inputs / 28, "divided by 28")
    network = cs.Network("relu", width=100, bias=True, scaling="none")
    posterior = cs.Posterior(task, network, penalty1=penalty, penalty2=penalty)
    started = time.perf_counter()
    solved: Prediction = predict(posterior, "global-minimum", rigorous=True)
    bounds = solved.certificate.bounds
    claims.append(
        Claim(
            f"Global minimum of ReLU networks on 100 MNIST digits, parity and magnitude, penalties {penalty}: energy",
            "here",
            "-",
            f"{solved.energy:.3f}",
            note=f"gap {bounds['estimated_gap']:.0e} estimated, {bounds['rigorous_gap']:.2f} rigorous",
        )
    )
    images.row(
        penalty,
        f"{solved.energy:.4f}",
        f"{bounds['estimated_gap']:.1e}",
        f"{bounds['hit_rate']:.1e}",
        f"{bounds['rigorous_gap']:.1e}",
        number(solved.parallelism),
        getattr(solved.details, "neurons", "-"),
        f"{time.perf_counter() - started:.0f}",
    )


table = Table(
    "phi", "inputs", "formula", "solver", "relative", "gap, formula", "gap, solver", "PS, formula", "PS, solver", "s"
)
for activation in options.activations.split(","):
    for inputs in ALIGNMENTS:
        compare(activation, inputs)
claims = [
    Claim(
        f"{activation}: parallelism at global minima, whitened, aligned and clustered inputs",
        "Wang, Johnston & Fusi",
        ", ".join("1" for _ in found),
        ", ".join(map(number, found)),
        note=f"energy of the formula to {max(excess[activation]):.0e}",
    )
    for activation, found in parallel.items()
]
text = f"""# Abstract at global minima, by formula and by solver

Two labels, P = 8, penalties 0.1, bias. Gaps are estimated bounds; seconds are those of the solver.

{table}
"""
if options.images:
    images = Table("penalties", "energy", "estimated gap", "hit rate", "rigorous gap", "PS", "neurons", "s")
    for penalty in (1.0, 0.1):
        minimise_on_images(penalty)
    text += f"""
Parity and magnitude of 100 MNIST digits, centred, |x|^2 = 1 on average, ReLU with bias.

{images}
"""
out.page("results/abstract_at_global_minima.md", text)
out.claims(claims)
