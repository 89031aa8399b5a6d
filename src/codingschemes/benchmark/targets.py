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


def toy(activation: str, temperature: float, size: int = 100, depth: int = 1) -> Posterior:
    """The toy task of the literature, as many neurons as samples."""
    task = make_task("orthogonal", samples=size, classes=3, ratios=".5,.25,.25")
    return Posterior(task, Network(activation, width=size, depth=depth), temperature=temperature)


def _images(task: str, classes: str, temperature: float, activation: str = "sigmoid", size: int = 100) -> Posterior:
    return Posterior(
        make_task(task, classes=classes, samples=size), Network(activation, width=size), temperature=temperature
    )


def _hypercube() -> Posterior:
    task = make_task("hypercube", labels_dim=3, repeats=2)
    network = Network("relu", width=40, bias=True, scaling="none")
    return Posterior(task, network, temperature=1e-3, penalty1=0.1, penalty2=0.1)


def _register(name: str, posterior: Callable[[], Posterior]) -> None:
    TARGETS.register(name, Target(name, posterior))


for _activation in ("linear", "sigmoid", "relu"):
    for _temperature in ("1e-3", "1e-4"):
        _register(f"toy-{_activation}-{_temperature}", partial(toy, _activation, float(_temperature)))
for _activation in ("sigmoid", "relu"):
    _register(f"large-{_activation}", partial(toy, _activation, 1e-3, size=400))
_register("digits-sigmoid", partial(_images, "digits", "3,5,8", 1e-3))
_register("six-digits-sigmoid", partial(_images, "digits", "0,1,2,3,4,5", 1e-3, size=200))
for _activation in ("sigmoid", "relu"):
    for _temperature in ("1e-3", "1e-4"):
        for _name, _classes in (("mnist", "3,5,8"), ("cifar10", "0,1,2")):
            _register(
                f"{_name}-{_activation}-{_temperature}",
                partial(_images, _name, _classes, float(_temperature), _activation),
            )
_register("hypercube-relu", _hypercube)
for _depth, _layers in ((2, "two-layer"), (3, "three-layer")):
    for _activation in ("sigmoid", "relu"):
        _register(f"{_layers}-{_activation}", partial(toy, _activation, 1e-3, size=50, depth=_depth))
_register("tiny-sigmoid", partial(two_points, "sigmoid", 0.1))
_register("tiny-relu", partial(two_points, "relu", 0.3))

#: Names for several targets at once.
SUITES: dict[str, tuple[str, ...]] = {
    "full": tuple(TARGETS),
    "toy": tuple(name for name in TARGETS if name.startswith("toy")),
    "quick": ("toy-sigmoid-1e-3", "hypercube-relu", "tiny-sigmoid"),
}
