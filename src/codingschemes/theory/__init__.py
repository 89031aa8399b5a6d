"""What theory predicts of a posterior: global minimum, mean field, lazy limit, each with a certificate."""

from codingschemes.theory.global_minimum import global_minimum
from codingschemes.theory.prediction import Assumption, Certificate, NeuronGroup, Prediction
from codingschemes.theory.theories import THEORIES, predict

__all__ = ["THEORIES", "Assumption", "Certificate", "NeuronGroup", "Prediction", "global_minimum", "predict"]
