"""Which code does a sigmoid network use on three digits of MNIST? Two minutes; writes runs/mnist-example.html.

    python examples/mnist.py

Image files are looked for in the folder that CODINGSCHEMES_DATA names, else downloaded once and checked.
"""

import codingschemes as cs

try:
    task = cs.tasks.mnist(classes=[3, 5, 8], samples=60, test=500)
except cs.InvalidInput as missing:
    raise SystemExit(str(missing)) from None

# Real images are correlated, within classes and between them: 5 and 8 look more alike than 3 and 8 do.
posterior = cs.Posterior(task, cs.Network("sigmoid", width=60), temperature=1e-3)
print("mean input kernel between classes:")
print(cs.representation.class_kernel(posterior.input_kernel(), task.labels).round(2))

run = cs.sample(posterior, until_ess=100)
summary = cs.summarize(run)
print(f"scheme: {summary.scheme.words}")
for code in summary.codes[:5]:
    low, high = code.interval
    print(f"  code {code.code}: {code.fraction:.2f} of the neurons (95 %: {low:.2f} to {high:.2f})")

# The mean predictor of the posterior generalises; theory predicts its error, and that of a lazy network beside it.
assert summary.test is not None
print(f"test error of the mean predictor: {summary.test.error:.1%}")
comparison = cs.compare(run)
lazy = cs.compare(run, theory="lazy")
for name, each in (("mean field", comparison), ("lazy", lazy)):
    print(f"  predicted by {name}:", *(f"{row.predicted:.1%}" for row in each.rows if row.quantity == "test error"))

print("report:", cs.report(run, "runs/mnist-example.html", summary=summary, comparison=comparison))
