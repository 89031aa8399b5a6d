"""Mean-field theory at finite temperature: the limit of wide networks with learned features."""

from codingschemes.theory.mean_field.annealing import Annealing
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.theory import mean_field, route_to

__all__ = ["Annealing", "MeanFieldProblem", "mean_field", "route_to"]
