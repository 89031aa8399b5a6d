"""Error rates of the scheme classifier on planted populations, written to benchmarks/scheme_classifier.md.

    python experiments/scheme_classifier.py

Takes about 3 minutes on one core. Thresholds were set on populations of other seeds (`--seed 0`).
"""

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.stats import beta

from codingschemes.coding import classify
from codingschemes.coding.planted import NOISE_LEVELS, TRUTHS, plant
from codingschemes.networks.activations import Family

SIZES = {20: 200, 50: 200, 100: 300, 300: 60, 1000: 20}
"""Number of neurons: number of populations a cell."""
FAMILIES: dict[str, Family] = {"sigmoidal": "sigmoidal", "odd": "odd", "unbounded": "threshold"}
