"""MNIST, from its original files."""

import gzip
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from codingschemes.reading import reading
from codingschemes.tasks.downloads import DataFile, fetch
from codingschemes.tasks.images import DIGITS, image_task
from codingschemes.tasks.options import ClassChoice, reads_options
from codingschemes.tasks.selection import LabelledSamples
from codingschemes.tasks.task import Task

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)


def _mnist_file(name: str, sha256: str) -> DataFile:
    return DataFile(name, sha256, tuple(mirror + name for mirror in MIRRORS), subfolder="mnist-original")


TRAIN_IMAGES = _mnist_file(
    "train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
)
TRAIN_LABELS = _mnist_file(
    "train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
)
TEST_IMAGES = _mnist_file(
    "t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
)
TEST_LABELS = _mnist_file(
    "t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
)


@reads_options
def mnist(
    samples: int = 100,
    classes: ClassChoice | None = None,
    test: int = 0,
    labels: str = "classes",
    preprocess: str = "center,scale",
    seed: int = 0,
) -> Task:
    """MNIST, images of 28 x 28 pixels (LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86(11), 1998; CC BY-SA 3.0).

    Args:
        samples: training images, drawn from the 60,000 and balanced over the classes.
        classes: digits, or how many of them; 0,1,2 if left out, all ten for "parity-magnitude".
        test: test images, drawn from the 10,000 official test images.
        labels: "classes" (one output a digit) or "parity-magnitude" (outputs -1/+1 for odd and for 5 or more).
        preprocess: steps applied to the inputs; see `preprocessing`.
        seed: fixes which images are drawn.

    Raises:
        InvalidInput: unknown digits, more images than there are, or files that are damaged or out of reach.

    Example:
        >>> task = cs.tasks.mnist(samples=30, classes=[3, 5, 8], test=60)  # doctest: +SKIP
    """
    files = [TRAIN_IMAGES, TRAIN_LABELS, *((TEST_IMAGES, TEST_LABELS) if test else ())]
    train = read_samples(TRAIN_IMAGES, TRAIN_LABELS, "MNIST training images")
    held_out = read_samples(TEST_IMAGES, TEST_LABELS, "MNIST test images") if test else None
    return image_task(
        "mnist",
        train,
        held_out,
        DIGITS,
        samples=samples,
        classes=classes,
        test=test,
        labels=labels,
        preprocess=preprocess,
        seed=seed,
        files={file.name: file.sha256 for file in files},
    )


def read_samples(images: DataFile, labels: DataFile, source: str) -> LabelledSamples:
    """The images and labels of two files, found or downloaded."""
    return LabelledSamples(read_idx(fetch(images)), read_idx(fetch(labels)).astype(np.int64), source)


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """The array in a gzip-compressed idx file: two zero bytes, type 8 (uint8), rank, big-endian sizes, values."""
    with reading(path, "it is no gzip-compressed idx file, remove it to have it downloaded"):
        content = gzip.decompress(path.read_bytes())
        rank = content[3]
        shape = np.frombuffer(content, dtype=">u4", count=rank, offset=4)
        return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape)
