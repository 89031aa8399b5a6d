"""What theory predicts of a posterior, with a certificate: global minimum, mean field, proportional and lazy limit."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.theory import global_minimum, lazy, mean_field, proportional  # noqa: F401  (they register)
from codingschemes.theory.choice import Choice, choose
from codingschemes.theory.mean_field import Annealing
from codingschemes.theory.prediction import (
    Assumption,
    Certificate,
    Details,
    NeuronGroup,
    NeuronSample,
    PredictedScheme,
    Prediction,
    UnstableCodes,
)
from codingschemes.theory.theories import THEORIES, predict

__all__ = [
    "THEORIES",
    "Annealing",
    "Assumption",
    "Certificate",
    "Choice",
    "Details",
    "NeuronGroup",
    "NeuronSample",
    "PredictedScheme",
    "Prediction",
    "UnstableCodes",
    "choose",
    "predict",
]
