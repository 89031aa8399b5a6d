"""The mean field at finite temperature tends to the global minimum of the regularised loss, and so do the samples.

    python experiments/one_theory_two_ends.py

A tanh network on all combinations of two labels, whitened inputs, fixed penalties 0.1, sampled as exp(-E/(2T)). Writes
results/one_theory_two_ends.md and .png: kernel, energy and parallelism against T. The mean-field energy comes from
its free energy D, -d log Z/d(1/(2T)) = N (R + C) T - 2 T^2 N dD/dT for N neurons with R + C coordinates each.
"""

import numpy as np
from claims import Claim
from entry import Entry, Table
from figures import redraw

import codingschemes as cs
from codingschemes.representation.kernels import class_kernel
from codingschemes.representation.parallelism import parallelism_score_from_kernel
from codingschemes.tasks import make_task
from codingschemes.theory.mean_field.solvers.quadrature import QuadratureDetails

STEP = 0.02

entry = Entry(__doc__, quick={"predicted": "0.1", "sampled": "0.1", "width": 10, "draws": 20})
entry.add_argument("--predicted", default="0.1,0.05,0.03,0.02,0.01,5e-3,3e-3,1e-3,3e-4,1e-4")
entry.add_argument("--sampled", default="0.1,0.03,0.01,3e-3,1e-3,1e-4,1e-5,1e-6")
entry.add_argument("--width", type=int, default=40)
entry.add_argument("--draws", type=int, default=300)
options, out = entry.begin()
task = make_task("hypercube", labels_dim=2, repeats=4)
network = cs.Network("tanh", width=options.width, scaling="none")


def posterior(temperature: float) -> cs.Posterior:
    return cs.Posterior(task, network, temperature=temperature, penalty1=0.1, penalty2=0.1)


def scores(kernel: np.ndarray | None) -> tuple[float, float]:
    """The kernel between samples of one class, averaged over classes, and the parallelism score."""
    assert kernel is not None
    assert task.factors is not None
    classes = class_kernel(kernel, task.labels)
    parallel = parallelism_score_from_kernel(classes, task.factors).value
    return float(np.mean(np.diagonal(classes))), np.nan if parallel is None else parallel


def free_energy(temperature: float) -> float:
    details = cs.predict(posterior(temperature)).details
    assert isinstance(details, QuadratureDetails)
    return details.free_energy


def predicted(temperature: float) -> tuple[float, float, float]:
    """Kernel, energy and parallelism of the mean field."""
    found = cs.predict(posterior(temperature))
    assert found.certificate.holds, temperature
    warmer, colder = (free_energy(temperature * factor) for factor in (1 + STEP, 1 - STEP))
    slope = (warmer - colder) / (2 * STEP * temperature)
    coordinates = len(task.inputs) + task.targets.shape[1]
    energy = options.width * (coordinates * temperature - 2 * temperature**2 * slope)
    kernel, parallel = scores(found.kernel)
    return kernel, energy, parallel


def sampled(temperature: float) -> tuple[float, float, float, float]:
    """Mean kernel, energy with its error, and parallelism of single networks."""
    run = cs.sample(posterior(temperature), start="annealed", warmup=300, draws=options.draws, progress=False)
    summary = cs.summarize(run)
    kernel, _ = scores(summary.kernels[-1].full)
    parallel = summary.abstraction.parallelism
    return kernel, summary.energy.mean, summary.energy.mcse, np.nan if parallel is None else parallel


minimum = cs.predict(posterior(1e-3), "global-minimum")
assert minimum.energy is not None
end = (*scores(minimum.kernel), minimum.energy)
table = Table("T", "what", "kernel within classes", "energy", "(E - E_min)/E_min", "parallelism")


def line(temperature: str, what: str, kernel: float, energy: str, excess: float, parallel: float) -> None:
    table.row(temperature, what, f"{kernel:.5f}", energy, f"{excess:.2e}", f"{parallel:.4f}")


line("0", "global minimum", end[0], f"{end[2]:.6f}", 0.0, end[1])
theory = {float(text): predicted(float(text)) for text in options.predicted.split(",")}
for temperature, (kernel, energy, parallel) in theory.items():
    line(f"{temperature:g}", "mean field", kernel, f"{energy:.5f}", energy / end[2] - 1, parallel)
networks = {float(text): sampled(float(text)) for text in options.sampled.split(",")}
for temperature, (kernel, energy, error, parallel) in networks.items():
    line(f"{temperature:g}", "sampled", kernel, f"{energy:.5f} ± {error:.1g}", energy / end[2] - 1, parallel)

out.page(
    "results/one_theory_two_ends.md",
    f"""# One theory, two ends of temperature

`python experiments/one_theory_two_ends.py`: tanh, two labels, P = 16, N = {options.width}, penalties 0.1.

{table}

Parallelism of samples is a mean over two networks of each chain only; its error was not kept and is not drawn.

![against T](one_theory_two_ends.png)
""",
)
redraw("one_theory_two_ends", out.root)
coldest, shared = min(networks), min(set(theory) & set(networks))
out.claims(
    [
        Claim(
            f"Energy of sampled tanh networks at T = {shared:g} is that of the mean field",
            "here",
            f"{theory[shared][1]:.4f}",
            f"{networks[shared][1]:.4f}",
            f"{networks[shared][2]:.4f}",
        ),
        Claim(
            f"It tends to the global minimum of the regularised loss: annealed, T = {coldest:g}",
            "Wang, Johnston & Fusi",
            f"{end[2]:.6f}",
            f"{networks[coldest][1]:.6f}",
            f"{networks[coldest][2]:.0e}",
        ),
        Claim(
            f"Representations are abstract at the global minimum: parallelism, annealed, T = {coldest:g}",
            "Wang, Johnston & Fusi",
            f"{end[1]:.4f}",
            f"{networks[coldest][3]:.4f}",
        ),
    ]
)
