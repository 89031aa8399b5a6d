"""Context-dependent labels: which stimulus counts depends on the context."""

import numpy as np

from codingschemes.tasks.combinations import all_combinations, factorial_task
from codingschemes.tasks.options import reads_options
from codingschemes.tasks.preprocessing import preprocess as preprocess_task
from codingschemes.tasks.task import Task


@reads_options
def context(
    stimuli: int = 2,
    repeats: int = 4,
    inputs: str = "whitened",
    alignment: float = 1.0,
    preprocess: str = "none",
    seed: int = 0,
) -> Task:
    """Report the stimulus that the context asks for: label = stimulus 1 in context -1, stimulus 2 in context +1.

    A condition is a combination of a binary context and `stimuli` binary stimuli, in `repeats` samples; its target is
    -1/+1. Both stimuli are there in both contexts, one relevant and the other to be ignored, as in the task of Mante,
    Sussillo, Shenoy and Newsome (Nature 503, 78, 2013); further stimuli are never asked for. Either
    stimulus alone is right in three of four conditions, and the context alone says nothing.

    Classes are the conditions and factors the latent variables, context first: parallelism and CCGP are scored for
    context and stimuli, one after the other, not for the label (Bernardi et al., Cell 183, 954, 2020). The label is the
    dichotomy `task.class_targets.T`: `cs.representation.dichotomy_ccgp(activity, task.labels, task.class_targets.T)`,
    with the activity of one network, such as `summary.last.portraits[0].activity.T`. The rule by which the meaning of
    one stimulus is reversed between contexts is `hypercube` with `labels="xor"`.

    Inputs are those of `hypercube`, with the factors where that has labels. Sample it with scaling "none", as that.

    Args:
        stimuli: binary stimuli, of which the first two are asked for.
        repeats: samples of each condition.
        inputs: "whitened", "aligned", "anisotropic" or "clustered"; see `hypercube`.
        alignment: g of these; whitened inputs have none and ignore it.
        preprocess: steps applied to the inputs; see `preprocessing`.
        seed: fixes the rotation of the inputs.

    Raises:
        InvalidInput: too many samples for a dense kernel.

    Example:
        >>> task = cs.tasks.context(stimuli=2, repeats=4)
        >>> task.factor_names, task.class_names[:3]
        (('context', 'stimulus 1', 'stimulus 2'), ('---', '--+', '-+-'))
        >>> task.class_targets[:3].T
        array([[-1., -1.,  1.]])
    """
    combinations = all_combinations(1 + stimuli)
    asked_for_first = combinations[:, 0] < 0
    task = factorial_task(
        "context",
        ("context", *(f"stimulus {index + 1}" for index in range(stimuli))),
        np.where(asked_for_first, combinations[:, 1], combinations[:, 2])[:, None],
        ("selected stimulus",),
        repeats,
        inputs,
        alignment,
        seed,
    )
    return preprocess_task(task, preprocess)
