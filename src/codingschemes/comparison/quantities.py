"""What is compared: for every quantity that a prediction has, its value and the series that was sampled."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from codingschemes.coding.codes import Codes, find_codes
from codingschemes.coding.outliers import find_outliers
from codingschemes.coding.population import ClassMeans
from codingschemes.coding.predictions import test_predictions, training_predictions
from codingschemes.representation.kernels import block_means
from codingschemes.representation.parallelism import parallelism_score_from_kernel
from codingschemes.runs import Run
from codingschemes.tasks.classification import classification_error
from codingschemes.theory import NeuronGroup, Prediction

#: Codes with fewer neurons than this on average are rare: predicted ones are left out unless they were sampled, sampled
#: ones are not given to a theory.
_RARE = 0.5
#: Draws of each chain in which outliers are looked for, at most.
_SEARCHED = 200


type Kind = Literal["energy", "output", "kernel", "parallelism", "error", "neurons", "activity", "readout"]


class Quantity(NamedTuple):
    """One number that a theory predicts and a run has sampled.

    Attributes:
        kind: what sort of number.
        where: of which classes, codes, outputs or layer.
        label: both in words.
        sampled: its value in every draw, (chain, draw).
        predicted: the theory's value.
        given: whether that value was handed to the theory rather than predicted by it.
    """

    kind: Kind
    where: str
    label: str
    sampled: Float[np.ndarray, "chain draw"]
    predicted: float
    given: bool = False


def quantities(run: Run, prediction: Prediction, read: Callable[[], ClassMeans]) -> Iterator[Quantity]:
    """Everything that both have; `read` gives the last layer of all draws where it is needed."""
    if prediction.energy is not None:
        yield Quantity("energy", "network", "energy", run.values("posterior", "energy"), prediction.energy)
    yield from _outputs(run, prediction)
    for layer, kernel in enumerate(prediction.lower_kernels):
        yield from _kernel(run, kernel, layer, f"of layer {layer + 1} ")
    if prediction.kernel is not None:
        yield from _kernel(run, prediction.kernel, -1, "")
        yield from _parallelism_row(run, prediction)
    yield from _errors(run, prediction)
    if prediction.codes or prediction.bulk is not None:
        neurons = read()
        if prediction.codes:
            yield from _codes(run, prediction, neurons)
        if prediction.bulk is not None:
            yield from _bulk_and_outliers(run, prediction, neurons)


def code_fractions(codes: Codes) -> dict[str, float]:
    """Share of each code among the neurons whose code is not rare, over all draws and chains."""
    neurons = codes.assignment.shape[-1]
    return renormalize(
        {
            name: float(share)
            for name, share in zip(codes.names, codes.fractions, strict=True)
            if share * neurons >= _RARE
        }
    )


def renormalize(fractions: Mapping[str, float]) -> dict[str, float]:
    """The same in proportion, summing to one."""
    total = sum(fractions.values())
    return {name: share / total for name, share in fractions.items()}


def _outputs(run: Run, prediction: Prediction) -> Iterator[Quantity]:
    task = run.posterior.task
    sampled = run.values("posterior", "outputs")
    for index, class_name in enumerate(task.class_names):
        members = task.labels == index
        for column, target in enumerate(task.target_names):
            yield Quantity(
                "output",
                f"{target} for class {class_name}",
                f"output {target} for class {class_name}",
                sampled[:, :, members, column].mean(axis=2),
                float(prediction.outputs[members, column].mean()),
            )


def _errors(run: Run, prediction: Prediction) -> Iterator[Quantity]:
    """Of the mean predictor: one number each, which has no series of its own."""
    task = run.posterior.task
    sampled = training_predictions(run)
    if not sampled.classified:
        return
    predicted = float(classification_error(prediction.outputs, task.labels, task.class_targets))
    yield Quantity("error", "training inputs", "training error", np.full((1, 1), sampled.error), predicted)
    if prediction.test_outputs is not None and (tested := test_predictions(run)) is not None:
        predicted = float(classification_error(prediction.test_outputs, task.test_labels, task.class_targets))
        yield Quantity("error", "test inputs", "test error", np.full((1, 1), tested.error), predicted)


def _kernel(run: Run, kernel: Float[np.ndarray, "P P"], layer: int, of: str) -> Iterator[Quantity]:
    task, names = run.posterior.task, run.posterior.task.class_names
    predicted = block_means(kernel, task.labels)
    blocks = run.values("posterior", "kernel_block")[:, :, layer]
    diagonal = run.values("posterior", "kernel_diagonal")[:, :, layer]
    for index, name in enumerate(names):
        where = f"{of}diagonal, class {name}"
        yield Quantity("kernel", where, f"kernel {where}", diagonal[:, :, index], float(predicted.diagonal[index]))
    for index, name in enumerate(names):
        for other in range(index, len(names)):
            if np.isfinite(predicted.between[index, other]):
                where = f"within class {name}" if other == index else f"between classes {name} and {names[other]}"
                value = float(predicted.between[index, other])
                yield Quantity("kernel", f"{of}{where}", f"kernel {of}{where}", blocks[:, :, index, other], value)


def _parallelism_row(run: Run, prediction: Prediction) -> Iterator[Quantity]:
    task = run.posterior.task
    if prediction.parallelism is None or task.factors is None:
        return
    blocks, diagonal = (run.values("posterior", f"kernel_{part}")[:, :, -1] for part in ("block", "diagonal"))
    scores = _parallelism(task.factors, task.labels, blocks, diagonal)
    yield Quantity("parallelism", "kernel", "parallelism", scores, prediction.parallelism)


def _parallelism(
    factors: Float[np.ndarray, "G F"],
    labels: Int[np.ndarray, " P"],
    blocks: Float[np.ndarray, "chain draw G G"],
    diagonal: Float[np.ndarray, "chain draw G"],
) -> Float[np.ndarray, "chain draw"]:
    """The score of every draw, from the kernel of its class means."""
    sizes = np.bincount(labels)
    kernels = np.array(blocks)
    index = np.arange(len(sizes))
    within = np.where(sizes > 1, blocks[..., index, index], 0.0)
    kernels[..., index, index] = (diagonal + (sizes - 1) * within) / sizes
    scores = [
        parallelism_score_from_kernel(kernel, factors).value for kernel in kernels.reshape(-1, *kernels.shape[2:])
    ]
    return np.array([np.nan if score is None else score for score in scores]).reshape(blocks.shape[:2])


def _codes(run: Run, prediction: Prediction, neurons: ClassMeans) -> Iterator[Quantity]:
    members = _sides(run, neurons) if run.posterior.network.activation.bounded else _clusters(run, neurons)
    for group in prediction.codes:
        member = members(group.name)
        count = member.sum(axis=-1).astype(float)
        if group.count >= _RARE or count.any():
            label = f"neurons with code {group.name}"
            yield Quantity("neurons", f"code {group.name}", label, count, group.count, given=prediction.conditional)
        if group.count >= _RARE and count.any():
            yield from _profile(run, f"of code {group.name}", neurons, member, group)


def _sides(run: Run, neurons: ClassMeans) -> Callable[[str], Bool[np.ndarray, "chain draw N"]]:
    """Neurons by the side of the middle that their class means are on, as theories of bounded activations count them:
    clusters leave out neurons between two codes."""
    bits = neurons.activity > run.posterior.network.activation.midpoint
    return lambda name: np.all(bits == [bit == "1" for bit in name], axis=-1)


def _clusters(run: Run, neurons: ClassMeans) -> Callable[[str], Bool[np.ndarray, "chain draw N"]]:
    codes = find_codes(neurons, run.posterior.network.activation.bounds)
    return lambda name: codes.strings() == name


def _profile(run: Run, of: str, neurons: ClassMeans, member: np.ndarray, group: NeuronGroup) -> Iterator[Quantity]:
    """Mean activity and readout over some neurons of all draws."""
    task = run.posterior.task
    count = member.sum(axis=-1, keepdims=True)
    activity = _ratio(np.einsum("kdn,kdng->kdg", member, neurons.activity), count)
    readout = _ratio(np.einsum("kdn,kdnc->kdc", member, neurons.readout), count)
    for index, name in enumerate(task.class_names):
        where = f"{of} for class {name}"
        yield Quantity("activity", where, f"activity {where}", activity[..., index], float(group.activity[index]))
    for index, name in enumerate(task.target_names):
        where = f"{of} to {name}"
        yield Quantity("readout", where, f"readout {where}", readout[..., index], float(group.readout[index]))


def _ratio(total: Float[np.ndarray, "chain draw K"], count: np.ndarray) -> Float[np.ndarray, "chain draw K"]:
    """A series whose mean is that of all totals over that of all counts, and whose error is that of the ratio (the
    delta method); draws without any neuron are no exception."""
    ratio = total.mean(axis=(0, 1)) / count.mean()
    return ratio + (total - ratio * count) / count.mean()


def _bulk_and_outliers(run: Run, prediction: Prediction, neurons: ClassMeans) -> Iterator[Quantity]:
    """The bulk's means, and for every predicted direction the joint strength sqrt(sum of squared activities) of the
    outliers that answer to its class most: how it is divided among them is left open by theory."""
    neurons = neurons.thin(_SEARCHED)
    bulk = np.ones(neurons.norm.shape, bool)
    strength = {group.name: np.zeros(neurons.draws) for group in prediction.outliers}
    names = run.posterior.task.class_names
    for draw in np.ndindex(*neurons.draws):
        found = find_outliers(neurons[draw])
        bulk[(*draw, found.neurons)] = False
        for neuron, label in zip(found.neurons, found.classes, strict=True):
            if names[label] in strength:
                strength[names[label]][draw] += neurons.activity[(*draw, neuron, label)] ** 2
    if prediction.bulk is not None:
        yield from _profile(run, "of the bulk", neurons, bulk, prediction.bulk)
    for group in prediction.outliers:
        label = names.index(group.name)
        yield Quantity(
            "activity",
            f"of outliers for class {group.name}",
            f"activity of outliers for class {group.name}",
            np.sqrt(strength[group.name]),
            float(np.sqrt(group.count) * group.activity[label]),
        )
