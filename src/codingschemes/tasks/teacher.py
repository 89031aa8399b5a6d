"""A random network's outputs as targets: regression with a known answer."""

import jax.numpy as jnp
import numpy as np

from codingschemes.errors import InvalidInput
from codingschemes.networks import Network, Weights
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
    of the w_m from N(0, 1), that is a `Network` of scaling "lazy": teacher and student of Seung, Sompolinsky and Tishby
    (Physical Review A 45, 6056, 1992). v is then divided by one number, so that without noise the training targets have
    a mean square of 1, whatever the teacher. Test targets are without noise: the test loss is the generalisation error.

    A regression has no classes. Inputs are sorted into low, middle and high targets, thirds of the training inputs, and
    what is said of classes (codes, kernels, figures) is said of these levels; there is no error of classification, and
    there are no abstraction scores.

    Args:
        dimension: d, input features.
        samples: training inputs P.
        teacher_activation: phi of the teacher, by name.
        teacher_width: M, the teacher's neurons.
        noise: standard deviation of Gaussian noise on the training targets, in units of their root mean square.
        test: held-out inputs.
        preprocess: steps applied to the inputs after the targets are made; see `preprocessing`.
        seed: fixes teacher, inputs and noise.

    Raises:
        InvalidInput: there is no such activation, or a teacher that says nothing of any input.

    Example:
        >>> task = cs.tasks.teacher(dimension=20, samples=100, test=500)
        >>> task
        Task(teacher, 100 samples of 20 features in 3 levels of the target, 500 held out)
        >>> task.target_names, task.class_names
        (('target',), ('low', 'middle', 'high'))
    """
    generator = np.random.default_rng(seed)
    network = Network(teacher_activation, width=teacher_width, scaling="lazy")
    weights = draw_weights(network, dimension, generator)
    inputs, test_inputs = (generator.standard_normal((count, dimension)) for count in (samples, test))
    targets, test_targets = (np.array(network.apply(weights, jnp.asarray(each))[1]) for each in (inputs, test_inputs))
    size = np.sqrt(np.mean(targets**2))
    if size == 0:
        raise InvalidInput(
            "the teacher says 0 of every input: raise `teacher_width` or choose another `seed` of the task"
        )
    targets, test_targets = targets / size, test_targets / size
    targets += noise * generator.standard_normal(targets.shape)
    edges = level_edges(targets[:, 0])
    labels, test_labels = (levels_of(each[:, 0], edges) for each in (targets, test_targets))
    train, held_out = (np.argsort(each, kind="stable") for each in (labels, test_labels))
    task = Task(
        name="teacher",
        inputs=inputs[train],
        targets=targets[train],
        labels=labels[train],
        class_names=level_names(1 + len(edges)),
        target_names=("target",),
        factors=None,
        test_inputs=test_inputs[held_out],
        test_targets=test_targets[held_out],
        test_labels=test_labels[held_out],
        provenance={"source": f"a random network of {teacher_width} {teacher_activation} neurons on Gaussian inputs"},
        levels=True,
    )
    return preprocess_task(task, preprocess)


def draw_weights(network: Network, dimension: int, generator: np.random.Generator) -> Weights:
    """Standard normal weights of a network of one hidden layer and one output."""
    return Weights(
        jnp.asarray(generator.standard_normal((network.width, dimension))),
        jnp.zeros((0, network.width, network.width)),
        jnp.asarray(generator.standard_normal((network.width, 1))),
    )
