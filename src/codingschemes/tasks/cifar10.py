"""CIFAR-10, from its official binary files or from a file with its first 4,000 training images."""

import tarfile
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from codingschemes.reading import reading
from codingschemes.tasks.archives import read_arrays, require
from codingschemes.tasks.downloads import DataFile, download, find
from codingschemes.tasks.images import image_task
from codingschemes.tasks.options import ClassChoice, reads_options
from codingschemes.tasks.selection import LabelledSamples
from codingschemes.tasks.task import Task

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

BINARY = DataFile(
    "cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
)
FIRST_4000 = DataFile(
    "cifar10_first4000_exact.npz", "5a3a42d44290a419b420982b8bebee85690907a7a4ec2535b9ce037d0c54d8cb", ()
)

type ImagesAndLabels = tuple[UInt8[np.ndarray, "n 32 32 3"], Int[np.ndarray, " n"]]


@reads_options
def cifar10(
    samples: int = 100,
    classes: ClassChoice | None = None,
    test: int = 0,
    preprocess: str = "center,scale",
    seed: int = 0,
) -> Task:
    """CIFAR-10, colour images of 32 x 32 pixels (A. Krizhevsky, "Learning Multiple Layers of Features", 2009).

    Where the folder CODINGSCHEMES_DATA holds cifar10_first4000_exact.npz and not the official binary archive, both
    training and test images are drawn from those 4,000, and the task's provenance says so. Labels are classes only:
    CIFAR-10 has no pair of balanced binary factors.

    Args:
        samples: training images, balanced over the classes.
        classes: names such as cat,dog or numbers 0 to 9, or how many of them; airplane, automobile, bird if left out.
        test: test images; the official ones where the archive is at hand.
        preprocess: steps applied to the inputs; see `preprocessing`.
        seed: fixes which images are drawn.

    Raises:
        InvalidInput: unknown classes, more images than there are, or files that are damaged or out of reach.

    Example:
        >>> task = cs.tasks.cifar10(samples=30, classes=["airplane", "bird"])  # doctest: +SKIP
    """
    archive = find(BINARY)
    subset = None if archive else find(FIRST_4000)
    if subset:
        arrays = read_arrays(subset)
        images, labels = (require(arrays, (name,), subset) for name in "xy")
        train = LabelledSamples(images, labels.astype(np.int64), "CIFAR-10, first 4,000 training images")
        held_out, file = None, FIRST_4000
    else:
        archive = archive or download(BINARY)
        train = LabelledSamples(*read_binary(archive, "data_batch_"), source="CIFAR-10 training images")
        held_out = LabelledSamples(*read_binary(archive, "test_batch"), source="CIFAR-10 test images") if test else None
        file = BINARY
    return image_task(
        "cifar10",
        train,
        held_out,
        NAMES,
        samples=samples,
        classes=classes,
        test=test,
        labels="classes",
        preprocess=preprocess,
        seed=seed,
        files={file.name: file.sha256},
    )


def read_binary(archive: Path, prefix: str) -> ImagesAndLabels:
    """Images and labels of the files in `archive` whose names begin with `prefix`, in the order of their names.

    Rows have 3,073 bytes: the label, then 32 x 32 pixels of red, of green and of blue.
    """
    remedy = "it is not the binary version of CIFAR-10, remove it to have it downloaded"
    with reading(archive, remedy), tarfile.open(archive) as tar:
        members = sorted((m for m in tar if Path(m.name).name.startswith(prefix)), key=lambda member: member.name)
        contents = [file.read() for member in members if (file := tar.extractfile(member))]
        rows = np.frombuffer(b"".join(contents), dtype=np.uint8).reshape(-1, 3073)
    return rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, 0].astype(np.int64)
