"""How many symmetric manifolds does a two-layer network have? Counted by formula, list and brute force over subgroups.

    python experiments/manifold_hierarchy.py

Writes results/manifold_hierarchy.md, and the hierarchy of four tanh neurons as .png. The largest tangency residual
over all manifolds and four losses, and the smallest over the controls, stand beside the counts, and how far round-off
drives training off a manifold.
"""

import numpy as np
from claims import Claim
from entry import Entry, Table
from figures import redraw

import codingschemes as cs
from codingschemes.manifolds import LOSSES, Neurons, Partition, classify, manifold_of, partitions, tangency_residuals
from codingschemes.manifolds.dynamics import Method
from codingschemes.manifolds.subgroups import deep_group, fixed_subspaces, signed_permutations, symmetric_group
from codingschemes.networks import ACTIVATIONS

NAMES = ("softplus", "gelu", "tanh", "cos")

entry = Entry(__doc__, quick={"width": 3, "steps": 20})
entry.add_argument("--width", type=int, default=4, help="of brute force and tangency")
entry.add_argument("--steps", type=int, default=2000, help="of training")
options, out = entry.begin()


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
widths = range(1, options.width + 1)
by_force = f"fixed subspaces by brute force, m = 1..{options.width}"
counted = Table("class", "example", "m = 1..6, listed and by formula", by_force, "m = 50")
for name in NAMES:
    kind = classify(ACTIVATIONS[name])
    counts = [cs.manifolds.count(kind.symmetry, width) for width in range(1, 7)]
    listed = [sum(1 for _ in partitions(kind.symmetry, width)) for width in range(1, 7)]
    assert listed == counts
    checked = ", ".join(str(brute_force(kind.symmetry, width)) for width in widths)
    large = cs.manifolds.count(kind.symmetry, 50)
    counted.row(kind.symmetry, name, ", ".join(map(str, counts)), checked, f"{large:.3e}")
    claims.append(
        Claim(
            f"Manifolds of two-layer {name} networks ({kind.symmetry} class), m = 1..6",
            "here",
            ", ".join(map(str, counts)),
            ", ".join(map(str, listed)),
            note="predicted by formula, found by listing",
        )
    )
deep = len(fixed_subspaces(deep_group([symmetric_group(3)] * 2)))
tangent = Table("activation", "loss", "manifolds", "largest residual", "controls", "smallest residual")
rng = np.random.default_rng(0)
for name in (*NAMES, "relu"):
    kind = classify(ACTIVATIONS[name])
    manifolds = [manifold_of(each, kind) for each in partitions(kind.symmetry, options.width)]
    wrong = cs.manifolds.controls(kind, options.width)
    for loss in LOSSES:
        problem = cs.manifolds.random_problem(rng, cs.Network(name, width=options.width, scaling="none"), loss)
        weights = Neurons(rng.normal(size=(5, options.width, 2)), rng.normal(size=(5, options.width, 3)))
        largest = tangency_residuals(problem, manifolds, weights).max()
        smallest = tangency_residuals(problem, wrong, weights).min()
        residuals.append(float(largest))
        of_controls.append(float(smallest))
        tangent.row(name, loss, len(manifolds), f"{largest:.1e}", len(wrong), f"{smallest:.2f}")
drift = Table("method", "projected", "at the start", "at the end", "loss")
kind = classify(ACTIVATIONS["tanh"])
on = manifold_of(Partition(((1, -2, 5), (3, 4, 6)), (7,)), kind)
rng = np.random.default_rng(1)
problem = cs.manifolds.random_problem(rng, cs.Network("tanh", width=7, scaling="none"), samples=12, inputs=5)
start = on.project(cs.manifolds.random_neurons(rng, 7, 5, 2))
RATES: dict[Method, float] = {"flow": 0.02, "gd": 0.02, "sgd": 0.002, "adam": 0.02}
for method, rate in RATES.items():
    for onto in (None, on):
        path = cs.manifolds.descend(
            problem, start, method, rate=rate, steps=options.steps, snapshots=1, batch=4, onto=onto
        )
        end = Neurons(*(np.asarray(part[-1]) for part in path.neurons))
        moved = f"{on.distance(start):.0e}", f"{on.distance(end):.0e}"
        drift.row(method, "yes" if onto else "no", *moved, f"{float(path.loss[0]):.3g} -> {float(path.loss[-1]):.3g}")
redraw("manifold_hierarchy", out.root)
out.page(
    "results/manifold_hierarchy.md",
    f"""# Manifolds of two-layer networks, counted

`python experiments/manifold_hierarchy.py`. List, formulas and counts were derived here, not in the paper.

{counted}

In the vanishing class, manifolds with a zero block are invariant without being fixed subspaces: brute force sees only
those without. Two hidden layers of three generic neurons have {deep} fixed subspaces, 25 of them products of layer
partitions.

## Tangency

Relative normal gradient, largest over five draws of Gaussian weights; m = {options.width}, D = 3, C = 2, 20 random
samples.

{tangent}

## Drift in floating point

Seven tanh neurons on the manifold `1 -2 5 | 3 4 6 | zero: 7`, D = 5, 12 samples, {options.steps:,} steps; distance to
it, relative to the weights. In exact arithmetic none would leave. The manifold repels: round-off grows.

{drift}

![hierarchy of four tanh neurons](manifold_hierarchy.png)

Numbers are neurons, those between bars equal up to the sign; rows of more than 16 manifolds are not named.
""",
)
claims.append(
    Claim(
        f"The gradient is tangent to every manifold, m = {options.width}, four losses, five activations "
        "(largest normal part)",
        "Zhao, Luo & Zhang",
        "0",
        f"{max(residuals):.0e}",
        note=f"controls that are no manifolds: at least {min(of_controls):.2f}",
    )
)
out.claims(claims)
