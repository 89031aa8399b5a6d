"""Mean-field theory at finite temperature: the limit of wide networks with learned features."""

from codingschemes.theory.mean_field.theory import mean_field, route_to

__all__ = ["mean_field", "route_to"]
