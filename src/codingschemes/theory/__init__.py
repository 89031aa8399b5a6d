"""What theory predicts of a posterior: global minimum, mean field, lazy limit, each with a certificate."""

from codingschemes.theory.lazy import lazy
from codingschemes.theory.mean_field import mean_field
from codingschemes.theory.prediction import Assumption, Certificate, NeuronGroup, Prediction
from codingschemes.theory.theories import THEORIES, predict

__all__ = ["THEORIES", "Assumption", "Certificate", "NeuronGroup", "Prediction", "lazy", "mean_field", "predict"]
