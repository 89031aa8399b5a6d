"""Does the mean field of several sigmoid layers hold on real images? Theory against sampled networks, layer by layer.

    python experiments/mean_field_at_depth_on_images.py [--runs FOLDER] [--only mnist:2:1e-3,mnist:3:1e-4]

MNIST 3, 5, 8 and CIFAR-10 airplane, automobile, bird, N = P = 100, sampled until converged. A deviation is the root
mean square of sampled less predicted over all quantities of a kind, relative to the root mean square of the
predictions, ± its Monte Carlo error. Runs are kept in FOLDER, and those that are there are not sampled again. Writes
results/mean_field_at_depth_on_images.md, and deviations to docs/claims.md.
"""

import time
from pathlib import Path

from claims import Claim
from deviations import deviations
from entry import Entry, Table, kept_run

import codingschemes as cs
from codingschemes.diagnostics import diagnose

entry = Entry(__doc__, quick={"size": 9, "only": "mnist:2:1e-2", "draws": 40, "particles": 100, "runs": None})
entry.add_argument("--size", type=int, default=100, help="neurons of a layer, samples")
entry.add_argument("--only", default="mnist:2:1e-3,cifar10:2:1e-3,mnist:3:1e-4", help="images:layers:T")
entry.add_argument("--draws", type=int, default=2000, help="at most")
entry.add_argument("--particles", type=int, help="of each layer, if not the theory's own number")
entry.add_argument("--runs", type=Path, default=Path("runs/mean_field_at_depth_on_images"))
entry.add_argument("--seconds", type=float, default=600.0, help="of sampling, at most, for each network")
options, out = entry.begin()
TASKS = {
    "mnist": cs.tasks.mnist(classes=[3, 5, 8], samples=options.size),
    "cifar10": cs.tasks.cifar10(classes=[0, 1, 2], samples=options.size),
}


def sampled(images: str, depth: int, temperature: float) -> cs.Run:
    folder = options.runs and options.runs / f"{images}-{depth}-{temperature:g}"
    network = cs.Network("sigmoid", width=options.size, depth=depth)
    posterior = cs.Posterior(TASKS[images], network, temperature=temperature)
    return kept_run(folder, posterior, draws=options.draws, until_rhat=1.02, time_limit=options.seconds)


table = Table("images", "layers", "T", "outputs", "kernels, first layer to last", "gap", "s", "R-hat")
claims: list[Claim] = []
for images, layers, temperature in (each.split(":") for each in options.only.split(",")):
    depth = int(layers)
    run = sampled(images, depth, float(temperature))
    started = time.process_time()
    prediction = cs.predict(run.posterior, particles=options.particles)
    seconds = time.process_time() - started
    lower = {f"kernel of layer {layer}": f"kernel of layer {layer}" for layer in range(1, depth)}
    kinds = {"output": "outputs", **lower, "kernel": f"kernel of layer {depth}"}
    found = deviations(cs.compare(run, prediction).rows, kinds)
    gap = f"{prediction.certificate.gap:.2f} ({'yes' if prediction.certificate.holds else 'no'})"
    kernels = ", ".join(str(found[kind]) for kind in kinds if kind != "output")
    rhat = diagnose(run).convergence.rhat_max
    table.row(images, depth, temperature, str(found["output"]), kernels, gap, f"{seconds:.0f}", f"{rhat:.3f}")
    title = "MNIST" if images == "mnist" else "CIFAR-10"
    claims += [
        Claim(
            f"{depth} sigmoid layers on {title}, T = {temperature}, N = P = {options.size}: deviation of the {name}",
            "here",
            "0",
            f"{found[kind].size:.2%}",
            error=f"{found[kind].error:.2%}",
            note=f"certificate {gap}",
        )
        for kind, name in kinds.items()
    ]
out.page(
    "results/mean_field_at_depth_on_images.md",
    f"""# Mean field of several sigmoid layers on real images

`python experiments/mean_field_at_depth_on_images.py`: MNIST 3, 5, 8 and CIFAR-10 airplane, automobile, bird,
N = P = {options.size}.

Deviations (root mean square over all quantities of a kind, relative to the predictions) ± Monte Carlo
error. The gap is what is left unsolved of the theory, in nats a neuron, noise of its particles included (accepted up to
0.1); seconds are those of a core; R-hat is the worst of the sampled network.

{table}
""",
)
out.claims(claims)
