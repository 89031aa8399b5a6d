"""Posteriors and planted solutions that the tests of theories share."""

import numpy as np

import codingschemes as cs
from codingschemes.theory.mean_field.quadrature import ClassProblem
from codingschemes.theory.mean_field.single_input import single_input

TOY = (0.5, 0.25, 0.25)


def toy_posterior(activation="sigmoid", *, samples=100, width=100, temperature=1e-4, test=0, **options):
    task = cs.tasks.orthogonal(samples=samples, ratios=TOY, test=test)
    return cs.Posterior(task, cs.Network(activation, width=width), temperature=temperature, **options)


def class_problem(activation="sigmoid", *, counts=(50.0, 25.0, 25.0), tau=0.01, variance=None, kappa=1.0):
    counts = np.array(counts)
    single = single_input(activation, kappa)
    family = cs.Network(activation).activation.family
    return ClassProblem(single, family, counts, np.eye(len(counts)), variance or 1 / counts.sum(), tau)


def fractions_of(prediction):
    return {group.name: group.count / prediction.posterior.network.width for group in prediction.codes}
