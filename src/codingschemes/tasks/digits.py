"""Handwritten digits of 8 x 8 pixels that come with scikit-learn: the image task that needs no download."""

import numpy as np

from codingschemes.tasks.images import DIGITS, image_task
from codingschemes.tasks.options import ClassChoice, reads_options
from codingschemes.tasks.selection import LabelledSamples
from codingschemes.tasks.task import Task


@reads_options
def digits(
    samples: int = 100,
    classes: ClassChoice | None = None,
    test: int = 0,
    labels: str = "classes",
    preprocess: str = "center,scale",
    seed: int = 0,
) -> Task:
    """Handwritten digits, 1,797 images of 8 x 8 pixels with values 0 to 16 (E. Alpaydin and C. Kaynak, UCI, 1998).

    Args:
        samples: training images, balanced over the classes.
        classes: digits, or how many of them; 0,1,2 if left out, all ten for "parity-magnitude".
        test: test images, drawn from those not trained on.
        labels: "classes" (one output a digit) or "parity-magnitude" (outputs -1/+1 for odd and for 5 or more).
        preprocess: steps applied to the inputs; see `preprocessing`.
        seed: fixes which images are drawn.

    Raises:
        InvalidInput: unknown digits, or more images than there are.

    Example:
        >>> cs.tasks.digits(samples=30, classes=[3, 5, 8], test=60)
        Task(digits, 30 samples of 64 features in 3 classes, 60 held out)
    """
    from sklearn.datasets import load_digits  # a slow import, needed by this task alone

    bunch = load_digits()
    images = LabelledSamples(bunch.images, bunch.target.astype(np.int64), "handwritten digits of scikit-learn (8 x 8)")
    return image_task(
        "digits",
        images,
        None,
        DIGITS,
        samples=samples,
        classes=classes,
        test=test,
        labels=labels,
        preprocess=preprocess,
        seed=seed,
    )
