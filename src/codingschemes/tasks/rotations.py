"""Random orthogonal matrices, for inputs with a prescribed Gram matrix in no particular basis."""

import numpy as np
from jaxtyping import Float

from codingschemes.errors import InvalidInput

LARGEST = 10_000  # kernels are dense matrices between all samples


def random_orthogonal(size: int, generator: np.random.Generator) -> Float[np.ndarray, "size size"]:
    """A matrix drawn uniformly from the orthogonal group (Mezzadri, Notices of the AMS 54, 592, 2007).

    Raises:
        InvalidInput: the matrix would be too large to be worked with.
    """
    if size > LARGEST:
        raise InvalidInput(f"{size} samples are too many for a dense kernel: ask for at most {LARGEST}")
    orthogonal, triangular = np.linalg.qr(generator.standard_normal((size, size)))
    # The decomposition is unique, and then uniformly distributed, only with a positive diagonal.
    return orthogonal * np.sign(np.diag(triangular))
