"""Settings of JAX for all tests, made before it is imported."""

import os
import sys
from pathlib import Path

# Nearly all the time is compilation, nearly half of it LLVM's optimisation of programs that run for less than a second.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")
# Chains on two devices everywhere, on machines with one core, too.
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")

sys.path.insert(0, str(Path(__file__).parent))
