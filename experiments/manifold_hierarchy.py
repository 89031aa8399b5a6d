"""How many symmetric manifolds does a two-layer network have? Counted by formula, list and brute force over subgroups.

    python experiments/manifold_hierarchy.py

Writes benchmarks/manifold_hierarchy.md, and the hierarchy of four tanh neurons as .png. The largest tangency residual
over all manifolds and four losses, and the smallest over the controls, stand beside the counts, and how far round-off
drives training off a manifold.
"""

from pathlib import Path

import numpy as np
from claims import Claim, record
from figures import redraw

import codingschemes as cs
from codingschemes.manifolds import LOSSES, Neurons, Partition, classify, manifold_of, partitions, tangency_residuals
from codingschemes.manifolds.subgroups import deep_group, fixed_subspaces, signed_permutations, symmetric_group
from codingschemes.networks import ACTIVATIONS

FOLDER = Path(__file__).parent.parent / "benchmarks"
NAMES = ("softplus", "gelu", "tanh", "cos")


def brute_force(symmetry: str, width: int) -> int:
    """Fixed subspaces of all subgroups; those of the vanishing class are fewer than its manifolds."""
    plain, signed = symmetric_group(width), signed_permutations(width)
    if symmetry != "even":
        return len(fixed_subspaces(signed if symmetry == "odd" else plain))
    zero = np.zeros_like(signed)
    return len(
        fixed_subspaces(np.concatenate([np.concatenate(row, 2) for row in ((abs(signed), zero), (zero, signed))], 1))
    )


claims: list[Claim] = []
residuals: list[float] = []
of_controls: list[float] = []
lines = [
    "# Manifolds of two-layer networks, counted",
    "",
    "`python experiments/manifold_hierarchy.py`. List, formulas and counts were derived here, not in the paper.",
    "",
    "| class | example | m = 1..6, listed and by formula | fixed subspaces by brute force, m = 1..4 | m = 50 |",
    "| --- | --- | --- | --- | --- |",
]
for name in NAMES:
    kind = classify(ACTIVATIONS[name])
    counts = [cs.manifolds.count(kind.symmetry, width) for width in range(1, 7)]
    listed = [sum(1 for _ in partitions(kind.symmetry, width)) for width in range(1, 7)]
    assert listed == counts
    checked = ", ".join(str(brute_force(kind.symmetry, width)) for width in range(1, 5))
    large = cs.manifolds.count(kind.symmetry, 50)
    lines.append(f"| {kind.symmetry} | {name} | {', '.join(map(str, counts))} | {checked} | {large:.3e} |")
    print(lines[-1], flush=True)
    claims.append(
        Claim(
            f"Manifolds of two-layer {name} networks ({kind.symmetry} class), m = 1..6",
            "here",
            ", ".join(map(str, counts)),
            ", ".join(map(str, listed)),
            "0 (predicted: by formula; sampled: listed)",
        )
    )
deep = len(fixed_subspaces(deep_group([symmetric_group(3)] * 2)))
lines += [
    "",
    "In the vanishing class, manifolds with a zero block are invariant without being fixed subspaces: brute force "
    f"sees only those without. Two hidden layers of three generic neurons have {deep} fixed subspaces, 25 of them "
    "products of layer partitions.",
    "",
    "## Tangency",
    "",
    "Relative normal gradient, largest over five draws of Gaussian weights; m = 4, D = 3, C = 2, 20 random samples.",
    "",
    "| activation | loss | manifolds | largest residual | controls | smallest residual |",
    "| --- | --- | --- | --- | --- | --- |",
]
rng = np.random.default_rng(0)
for name in (*NAMES, "relu"):
    kind = classify(ACTIVATIONS[name])
    manifolds = [manifold_of(each, kind) for each in partitions(kind.symmetry, 4)]
    wrong = cs.manifolds.controls(kind, 4)
    for loss in LOSSES:
        problem = cs.manifolds.random_problem(rng, cs.Network(name, width=4, scaling="none"), loss)
        weights = Neurons(rng.normal(size=(5, 4, 2)), rng.normal(size=(5, 4, 3)))
        largest = tangency_residuals(problem, manifolds, weights).max()
        smallest = tangency_residuals(problem, wrong, weights).min()
        residuals.append(float(largest))
        of_controls.append(float(smallest))
        lines.append(f"| {name} | {loss} | {len(manifolds)} | {largest:.1e} | {len(wrong)} | {smallest:.2f} |")
        print(lines[-1], flush=True)
lines += [
    "",
    "## Drift in floating point",
    "",
    "Seven tanh neurons on the manifold `1 -2 5 | 3 4 6 | zero: 7`, D = 5, 12 samples, 2,000 steps; distance to it, "
    "relative to the weights. In exact arithmetic none would leave. The manifold repels: round-off grows.",
    "",
    "| method | projected | at the start | at the end | loss |",
    "| --- | --- | --- | --- | --- |",
]
kind = classify(ACTIVATIONS["tanh"])
on = manifold_of(Partition(((1, -2, 5), (3, 4, 6)), (7,)), kind)
rng = np.random.default_rng(1)
problem = cs.manifolds.random_problem(rng, cs.Network("tanh", width=7, scaling="none"), samples=12, inputs=5)
start = on.project(cs.manifolds.random_neurons(rng, 7, 5, 2))
for method, rate in (("flow", 0.02), ("gd", 0.02), ("sgd", 0.002), ("adam", 0.02)):
    for onto in (None, on):
        path = cs.manifolds.descend(problem, start, method, rate=rate, steps=2000, snapshots=1, batch=4, onto=onto)
        end = Neurons(*(np.asarray(part[-1]) for part in path.neurons))
        lines.append(
            f"| {method} | {'yes' if onto else 'no'} | {on.distance(start):.0e} | {on.distance(end):.0e} | "
            f"{float(path.loss[0]):.3g} -> {float(path.loss[-1]):.3g} |"
        )
        print(lines[-1], flush=True)
redraw("manifold_hierarchy")
lines += ["", "![hierarchy of four tanh neurons](manifold_hierarchy.png)", ""]
(FOLDER / "manifold_hierarchy.md").write_text("\n".join(lines))
claims.append(
    Claim(
        "The gradient is tangent to every manifold, m = 4, four losses, five activations (largest normal part)",
        "Zhao, Luo & Zhang",
        "0",
        f"{max(residuals):.0e}",
        f"controls that are no manifolds: at least {min(of_controls):.2f}",
    )
)
record(__file__, claims)
