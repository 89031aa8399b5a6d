"""Solvers of the mean-field problem: each gives a `Solution`, nothing of a prediction."""
