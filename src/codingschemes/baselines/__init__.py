"""What sampled networks are compared with: Gaussian processes at any ridge, a network trained by gradient descent."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.baselines.gaussian_process import GaussianProcess
from codingschemes.baselines.gradient_descent import Trained, train

__all__ = ["GaussianProcess", "Trained", "train"]
