"""A random network's outputs as targets: regression with a known answer."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.networks.activations import ACTIVATIONS
from codingschemes.tasks.levels import level_edges, level_names, levels_of
from codingschemes.tasks.options import reads_options
from codingschemes.tasks.preprocessing import preprocess as preprocess_task
from codingschemes.tasks.task import Task


@reads_options
def teacher(
    dimension: int = 20,
    samples: int = 100,
    teacher_activation: str = "relu",
    teacher_width: int = 3,
    noise: float = 0.0,
    test: int = 0,
    preprocess: str = "none",
    seed: int = 0,
) -> Task:
    """Learn what a random two-layer network says of Gaussian inputs: a regression, targets are real numbers.

    Inputs are x ~ N(0, I_d), and targets y = sum_m v_m phi(w_m . x / sqrt(d)) / sqrt(M) + noise, with entries of v and
    of the w_m from N(0, 1): teacher and student of Seung, Sompolinsky and Tishby (Physical Review A 45, 6056, 1992).
    Test targets are without noise, so that the test loss is the generalisation error.

    A regression has no classes. Inputs are sorted into low, middle and high targets, thirds of the training inputs, and
    what is said of classes (codes, kernels, figures) is said of these levels; there is no error of classification, and
    there are no abstraction scores.

    Args:
        dimension: d, input features.
        samples: training inputs P.
        teacher_activation: phi of the teacher, by name.
        teacher_width: M, the teacher's neurons.
        noise: standard deviation of Gaussian noise on the training targets.
        test: held-out inputs.
        preprocess: steps applied to the inputs after the targets are made; see `preprocessing`.
        seed: fixes teacher, inputs and noise.

    Raises:
        InvalidInput: there is no such activation.

    Example:
        >>> task = cs.tasks.teacher(dimension=20, samples=100, test=500)
        >>> task
        Task(teacher, 100 samples of 20 features in 3 levels of the target, 500 held out)
        >>> task.target_names, task.class_names
        (('target',), ('low', 'middle', 'high'))
    """
    generator = np.random.default_rng(seed)
    weights, readout = draw_teacher(dimension, teacher_width, generator)
    inputs, test_inputs = (generator.standard_normal((count, dimension)) for count in (samples, test))
    targets, test_targets = (
        np.asarray(ACTIVATIONS[teacher_activation](jnp.asarray(each @ weights.T))) @ readout
        for each in (inputs, test_inputs)
    )
    targets = targets + noise * generator.standard_normal(samples)
    edges = level_edges(targets)
    labels, test_labels = levels_of(targets, edges), levels_of(test_targets, edges)
    train, held_out = (np.argsort(each, kind="stable") for each in (labels, test_labels))
    task = Task(
        name="teacher",
        inputs=inputs[train],
        targets=targets[train, None],
        labels=labels[train],
        class_names=level_names(edges),
        target_names=("target",),
        factors=None,
        test_inputs=test_inputs[held_out],
        test_targets=test_targets[held_out, None],
        test_labels=test_labels[held_out],
        provenance={"source": f"a random network of {teacher_width} {teacher_activation} neurons on Gaussian inputs"},
        levels=True,
    )
    return preprocess_task(task, preprocess)


def draw_teacher(
    dimension: int, width: int, generator: np.random.Generator
) -> tuple[Float[np.ndarray, "M D"], Float[np.ndarray, " M"]]:
    """Weights w_m / sqrt(d) and readouts v_m / sqrt(M) of a random teacher."""
    weights = generator.standard_normal((width, dimension)) / np.sqrt(dimension)
    return weights, generator.standard_normal(width) / np.sqrt(width)
