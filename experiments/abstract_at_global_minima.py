"""Are representations abstract at global minima? The claim of Wang, Johnston & Fusi (2025) on a table.

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python experiments/abstract_at_global_minima.py [--images]

For activations and inputs: energy of the closed form, of the solver that is not told it, and parallelism of both. The
table goes to benchmarks/abstract_at_global_minima.md; --images adds parity and magnitude of 100 MNIST digits there,
which takes some minutes.
"""

import sys
import time
from pathlib import Path

from claims import Claim, record

import codingschemes as cs
from codingschemes.theory import Prediction, predict

TABLE = Path(__file__).parents[1] / "benchmarks" / "abstract_at_global_minima.md"
CASES = [
    (activation, width, inputs, alignment)
    for activation, width in (("relu", 40), ("linear", 8), ("tanh", 8), ("hardtanh", 8), ("logistic", 8))
    for inputs, alignment in (("whitened", 1.0), ("aligned", 0.5), ("clustered", 0.5))
]


def number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


excess: dict[str, list[float]] = {}
parallel: dict[str, list[float]] = {}


def row(activation: str, width: int, inputs: str, alignment: float) -> str:
    task = cs.tasks.hypercube(labels_dim=2, repeats=2, inputs=inputs, alignment=alignment)
    network = cs.Network(activation, width=width, bias=True, scaling="none")
    posterior = cs.Posterior(task, network, penalty1=0.1, penalty2=0.1)
    formula = predict(posterior, "global-minimum", method="closed-form", searches=1)
    started = time.perf_counter()
    solved = predict(posterior, "global-minimum", method="solver", searches=2)
    seconds = time.perf_counter() - started
    assert formula.energy is not None
    assert solved.energy is not None
    excess.setdefault(activation, []).append(abs(solved.energy / formula.energy - 1))
    parallel.setdefault(activation, []).append(float("nan") if solved.parallelism is None else solved.parallelism)
    cells = [
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
    ]
    return "| " + " | ".join(cells) + " |"


def image_row(penalty: float) -> str:
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
            f"{solved.energy:.3f}",
            "-",
            f"gap {bounds['estimated_gap']:.0e} estimated, {bounds['rigorous_gap']:.2f} rigorous",
        )
    )
    return (
        f"| {penalty} | {solved.energy:.4f} | {bounds['estimated_gap']:.1e} | {bounds['hit_rate']:.1e} | "
        f"{bounds['rigorous_gap']:.1e} | {number(solved.parallelism)} | {solved.details.neurons} | "
        f"{time.perf_counter() - started:.0f} |"
    )


lines = [
    "# Abstract at global minima, by formula and by solver",
    "",
    "Two labels, P = 8, penalties 0.1, bias. Gaps are estimated bounds; seconds are those of the solver.",
    "",
    "| phi | inputs | formula | solver | relative | gap, formula | gap, solver | PS, formula | PS, solver | s |",
    "| --- " * 10 + "|",
]
for case in CASES:
    lines.append(row(*case))
    print(lines[-1], flush=True)
TABLE.write_text("\n".join(lines) + "\n")
claims = [
    Claim(
        f"{activation}: parallelism at global minima, whitened, aligned and clustered inputs",
        "Wang, Johnston & Fusi",
        "1",
        " / ".join(number(value) for value in parallel[activation]),
        f"energy of the formula to {max(excess[activation]):.0e}",
    )
    for activation in parallel
]
record(__file__, claims)
if "--images" in sys.argv:
    lines += [
        "",
        "Parity and magnitude of 100 MNIST digits, centred, |x|^2 = 1 on average, ReLU with bias.",
        "",
        "| penalties | energy | estimated gap | hit rate | rigorous gap | PS | neurons | s |",
        "| --- " * 8 + "|",
    ]
    for each in (1.0, 0.1):
        lines.append(image_row(each))
        print(lines[-1], flush=True)
        TABLE.write_text("\n".join(lines) + "\n")
    record(__file__, claims)
