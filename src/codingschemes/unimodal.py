"""How much of its variance a cut in two explains of a law with one mode: what exceeds it is at two levels."""

import numpy as np

GAUSSIAN = 2 / np.pi
"""Of a Gaussian, by its two halves."""
SYMMETRIC_MODE = 3 / 4
"""The largest such share of a symmetric law with one mode: |x| = u y with u uniform in 0..1, so
(E|x|)^2 <= 3/4 E x^2."""
SINGLE_MODE = 8 / 9
"""The largest such share of any law with one mode, wherever it is cut: by Khinchin's theorem it is a mixture of uniform
laws with one end at the mode, and the extreme one, cut at a third, puts almost all of its weight on the mode."""
