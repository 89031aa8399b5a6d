"""Three CIFAR-10 classes with a sigmoid and a ReLU network: which code on real images, and how well it generalises.

P = N = 100, T = 1e-4, 1,000 test images, image files from CODINGSCHEMES_DATA or downloaded. About 4 minutes on 2 cores
for each network.
"""

import codingschemes as cs

task = cs.tasks.cifar10(samples=100, classes=["airplane", "automobile", "bird"], test=1000)
for activation in ("sigmoid", "relu"):
    posterior = cs.Posterior(task, cs.Network(activation, width=100), temperature=1e-4)
    run = cs.sample(posterior, out=f"runs/cifar10-{activation}", warmup=200, draws=100, max_tree_depth=7)
    summary = cs.summarize(run)
    print(f"{activation}: {summary.scheme.label}, probability {summary.scheme.probability:.3f}")
    print("codes", *(f"{code.code} {code.fraction:.2f}" for code in summary.codes))
    print(f"test error {summary.test.error:.1%}")
    print(cs.report(run, summary=summary))
