"""Named posteriors that samplers are measured on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from codingschemes.networks import Network
from codingschemes.posterior import Posterior
from codingschemes.registry import Registry
from codingschemes.tasks import Task, make_task


@dataclass(frozen=True)
class Target:
    """A posterior to be sampled.

    Attributes:
        name: its registered name.
        posterior: makes it; raises `InvalidInput` where image files are missing.
    """

    name: str
    posterior: Callable[[], Posterior]


TARGETS: Registry[Target] = Registry("target")


def two_points(activation: str, temperature: float) -> Posterior:
    """One neuron, two one-dimensional inputs, one hot target each: a single number to integrate over."""
    task = Task(
        name="two points",
        inputs=np.array([[1.0], [-0.6]]),
        targets=np.eye(2),
        labels=np.array([0, 1]),
        class_names=("a", "b"),
        target_names=("a", "b"),
        factors=None,
        test_inputs=np.zeros((0, 1)),
        test_targets=np.zeros((0, 2)),
        test_labels=np.zeros(0, dtype=int),
    )
    return Posterior(task, Network(activation, width=1), temperature=temperature, readout_variance=1.5)


def _toy(activation: str, temperature: float, size: int = 100, depth: int = 1) -> Posterior:
    task = make_task("orthogonal", samples=size, classes=3, ratios=".5,.25,.25")
    return Posterior(task, Network(activation, width=size, depth=depth), temperature=temperature)


def _images(task: str, classes: str, temperature: float) -> Posterior:
    return Posterior(
        make_task(task, classes=classes, samples=100), Network("sigmoid", width=100), temperature=temperature
    )


def _hypercube() -> Posterior:
    task = make_task("hypercube", labels_dim=3, repeats=2)
    network = Network("relu", width=40, bias=True, scaling="none")
    return Posterior(task, network, temperature=1e-3, penalty1=0.1, penalty2=0.1)


def _register(name: str, posterior: Callable[[], Posterior]) -> None:
    TARGETS.register(name, Target(name, posterior))


for _activation in ("linear", "sigmoid", "relu"):
    for _temperature in ("1e-3", "1e-4"):
        _register(f"toy-{_activation}-{_temperature}", partial(_toy, _activation, float(_temperature)))
_register("digits-sigmoid", partial(_images, "digits", "3,5,8", 1e-3))
for _temperature in ("1e-3", "1e-4"):
    _register(f"mnist-sigmoid-{_temperature}", partial(_images, "mnist", "3,5,8", float(_temperature)))
    _register(f"cifar10-sigmoid-{_temperature}", partial(_images, "cifar10", "0,1,2", float(_temperature)))
_register("hypercube-relu", _hypercube)
_register("two-layer-sigmoid", partial(_toy, "sigmoid", 1e-3, size=50, depth=2))
_register("tiny-sigmoid", partial(two_points, "sigmoid", 0.1))
_register("tiny-relu", partial(two_points, "relu", 0.3))

#: Names for several targets at once.
SUITES: dict[str, tuple[str, ...]] = {
    "full": tuple(TARGETS),
    "toy": tuple(name for name in TARGETS if name.startswith("toy")),
    "quick": ("toy-sigmoid-1e-3", "hypercube-relu", "tiny-sigmoid"),
}
