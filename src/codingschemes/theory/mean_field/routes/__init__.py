"""The ways to a mean-field prediction, one module a solver."""
