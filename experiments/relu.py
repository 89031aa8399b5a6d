"""A ReLU network uses a sparse code (van Meegen & Sompolinsky 2025).

Most neurons form an unselective bulk; a few outliers, at least one for each class, carry the class-specific output.
Toy task: orthogonal inputs, random labels with ratios 1/2 : 1/4 : 1/4, N = P = 100, T = 1e-4. About 4 minutes, 2 cores.
"""

import codingschemes as cs

task = cs.tasks.orthogonal(samples=100, ratios=[0.5, 0.25, 0.25])
posterior = cs.Posterior(task, cs.Network("relu", width=100), temperature=1e-4)
run = cs.sample(posterior, out="runs/relu", warmup=300, draws=200, max_tree_depth=7)

summary = cs.summarize(run)
print(f"{summary.scheme.label}, probability {summary.scheme.probability:.3f}")
for code in summary.codes:
    print(f"code {code.code}: {code.fraction:.3f} of the neurons")
for outlier in summary.outliers:
    print(f"chain {outlier.chain}: outlier for class {task.class_names[outlier.class_index]}, norm {outlier.norm:.1f}")
print(cs.report(run, summary=summary))
