"""Summaries of planted populations: what a report draws, without sampling."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from codingschemes.coding.collapse import collapse_of
from codingschemes.coding.layers import CodeShare, Kernels, Layer, LayerAbstraction, OutlierNeuron, Portrait
from codingschemes.coding.outliers import output_parts
from codingschemes.coding.planted import Planted, plant_analog, plant_redundant, plant_sparse
from codingschemes.coding.population import ClassMeans, join
from codingschemes.coding.predictions import Estimate, Predictions
from codingschemes.coding.scheme import LABELS, Scheme, classify
from codingschemes.coding.summary import Summary
from codingschemes.diagnostics import Convergence, Diagnostics, Faults, Identities
from codingschemes.networks import ACTIVATIONS
from codingschemes.representation import abstraction_scores
from codingschemes.schemes import Label
from codingschemes.tasks import Task


@dataclass(frozen=True)
class PlantedReport:
    """A summary, its task, and neurons pooled over draws."""

    summary: Summary
    task: Task
    pooled: ClassMeans


def planted_report(
    kind: str,
    classes: int = 3,
    *,
    chains: int = 4,
    depth: int = 1,
    test: bool = False,
    factors: bool = False,
    size: int = 100,
    warnings: tuple[str, ...] = (),
) -> PlantedReport:
    """What a run of a sigmoid, relu or linear network would give.

    Args:
        factors: targets are the -1/+1 factors of 4 classes.
    """
    rng = np.random.default_rng(0)
    plants = {
        "sigmoid": lambda: plant_redundant(rng, size, classes=classes, code_count=min(4, 2**classes - 1)),
        "relu": lambda: plant_sparse(rng, size, classes=classes, outlier_count=3),
        "linear": lambda: plant_analog(rng, size, classes=classes),
    }
    populations = [plants[kind]() for _ in range(chains)]
    labels = populations[0].labels
    task = _task(labels, classes, factors, test)
    return PlantedReport(_summary(kind, populations, task, depth, warnings), task, _pooled(populations, task))


def _task(labels: np.ndarray, classes: int, factors: bool, test: bool) -> Task:
    names = tuple(f"class {index}" if classes < 5 else str(index) for index in range(classes))
    codes = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])[:classes] if factors else None
    table = np.eye(classes) if codes is None else codes
    shuffled = np.random.default_rng(1).permutation(len(labels))
    held_out = labels if test else labels[:0]
    return Task(
        name="planted",
        inputs=np.eye(len(labels)),
        targets=table[labels[shuffled]],
        labels=labels[shuffled].astype(np.int64),
        class_names=names,
        target_names=names if codes is None else ("first", "second"),
        factors=codes,
        test_inputs=np.ones((len(held_out), len(labels))),
        test_targets=table[held_out],
        test_labels=held_out.astype(np.int64),
    )


def _arranged(planted: Planted, task: Task) -> np.ndarray:
    """Planted activity, whose samples are sorted by class, in the order of the task's samples."""
    activity = np.empty_like(planted.activity)
    activity[:, np.argsort(task.labels, kind="stable")] = planted.activity
    return activity


def _readout(planted: Planted, task: Task) -> np.ndarray:
    return planted.readout[:, : len(task.target_names)]


def _portrait(planted: Planted, task: Task) -> Portrait:
    strength = planted.population.norm
    outlier = np.isin(np.arange(len(strength)), planted.outliers)
    rank = {code: index for index, code in enumerate(sorted(set(planted.codes), reverse=True))}
    keys = [(not out, rank[code], -norm) for out, code, norm in zip(outlier, planted.codes, strength, strict=True)]
    return Portrait(
        activity=_arranged(planted, task),
        class_activity=planted.population.activity,
        readout=_readout(planted, task),
        codes=planted.codes,
        output_part=output_parts(planted.population),
        outliers=planted.outliers,
        order=np.array(sorted(range(len(keys)), key=keys.__getitem__)),
    )


def _pooled(populations: list[Planted], task: Task) -> ClassMeans:
    return ClassMeans(
        activity=np.concatenate([planted.population.activity for planted in populations]),
        activity_error=np.concatenate([planted.population.activity_error for planted in populations]),
        norm=np.concatenate([planted.population.norm for planted in populations]),
        readout=np.concatenate([_readout(planted, task) for planted in populations]),
    )


def _summary(kind: str, populations: list[Planted], task: Task, depth: int, warnings: tuple[str, ...]) -> Summary:
    names = sorted({code for planted in populations for code in planted.codes if code})
    by_chain = np.array([[np.mean(np.array(planted.codes) == name) for planted in populations] for name in names])
    shares = [
        CodeShare(name, float(own.mean()), (float(own.min()), float(own.max())), tuple(map(float, own)))
        for name, own in zip(names, by_chain, strict=True)
    ]
    outliers = [
        OutlierNeuron(chain, int(neuron), int(planted.population.activity[neuron].argmax()), 8.0, 60.0 - neuron)
        for chain, planted in enumerate(populations)
        for neuron in planted.outliers
    ]
    activity = _arranged(populations[0], task)
    layer = Layer(
        scheme=_scheme(kind, populations),
        codes=tuple(sorted(shares, key=lambda share: -share.fraction)),
        coded=float(by_chain.sum(0).mean()) if names else 0.0,
        code_sizes=np.eye(task.class_count + 1)[1],
        decided=0.99,
        code_rhat=1.01,
        outlier_rhat=1.01,
        code_changes=0.0,
        outliers=tuple(sorted(outliers, key=lambda outlier: -outlier.strength)),
        outlier_share=0.9 if outliers else 0.0,
        effective_neurons=3.0 if outliers else 40.0,
        kernels=_kernels(activity, task),
        abstraction=_abstraction(populations[0], task),
        collapse=collapse_of(activity, task.labels),
        drift=None,
        portraits=tuple(_portrait(planted, task) for planted in populations),
    )
    return Summary(
        layers=(layer,) * depth,
        jumps=None,
        energy=Estimate(10.35, 0.004),
        training=_predictions(task.targets),
        test=_predictions(task.test_targets) if len(task.test_labels) else None,
        class_names=task.class_names,
        diagnostics=_diagnostics(warnings),
    )


def with_last_layer(summary: Summary, **changed: Any) -> Summary:
    """The same summary but for something about the last layer."""
    layers = (*summary.layers[:-1], replace(summary.last, **changed))
    neuron_rhat = tuple(layer.neuron_rhat for layer in layers)
    return replace(summary, layers=layers, diagnostics=replace(summary.diagnostics, neuron_rhat=neuron_rhat))


def _scheme(kind: str, populations: list[Planted]) -> Scheme:
    """Places as they are; the label as planted, whatever the number of neurons."""
    label: Label = {"sigmoid": "redundant", "relu": "sparse", "linear": "analog"}[kind]
    draws = join([planted.population[None, None] for planted in populations], axis=0)
    probabilities = {name: 0.98 if name == label else 0.02 / 3 for name in LABELS}
    seen = classify(draws, ACTIVATIONS[kind].bounds)
    return replace(seen, label=label, probability=0.98, probabilities=probabilities)


def _abstraction(planted: Planted, task: Task) -> LayerAbstraction:
    scores = abstraction_scores(_arranged(planted, task).T, task.labels, task.factors)
    return LayerAbstraction(scores, {"parallelism": 0.02, "ccgp": 0.01, "shattering": 0.01})


def _kernels(activity: np.ndarray, task: Task) -> Kernels:
    full = activity.T @ activity / len(activity)
    classes = range(task.class_count)
    between = np.array([[full[np.ix_(task.labels == i, task.labels == j)].mean() for j in classes] for i in classes])
    diagonal = np.array([np.diag(full)[task.labels == i].mean() for i in classes])
    return Kernels(full, np.diag(between).copy(), between, 0.01 * np.ones_like(between), diagonal)


def _predictions(targets: np.ndarray) -> Predictions:
    noise = np.random.default_rng(2).standard_normal(targets.shape)
    return Predictions(0.9 * targets + 0.05 * noise, 0.02 + 0 * targets, 0.01, 0.99, Estimate(0.0027, 0.00001))


def _diagnostics(warnings: tuple[str, ...]) -> Diagnostics:
    rng = np.random.default_rng(3)
    sizes = {"energy": 1, "training_loss": 1, "outputs": 300, "kernel_block": 9, "readout_norm_quantile": 6}
    return Diagnostics(
        convergence=Convergence(
            rhat={name: 1 + 0.006 * rng.exponential(size=size) for name, size in sizes.items()},
            ess={name: 10 ** rng.uniform(2, 3.2, size) for name, size in sizes.items()},
            rhat_within=1.03,
            ess_within=210.0,
        ),
        identities=Identities(0.9987, 0.001, 1.96, 16),
        divergences=0,
        gradients_per_draw=31.0,
        waste=1.1,
        saturated=0.0,
        acceptance_rate=0.85,
        step_size=(0.1, 0.1, 0.1, 0.1),
        faults=Faults(),
        warnings=warnings,
    )
