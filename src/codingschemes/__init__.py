"""Which coding scheme does a neural network learn? Sample its posterior, look at single neurons, ask theory."""

import jax

# Posteriors at low temperature are ill-conditioned: everything is computed in double precision.
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")
