"""Reading files that others wrote: whatever a format's library makes of a damaged one becomes one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codingschemes.errors import InvalidInput


@contextmanager
def reading(path: str | Path, remedy: str) -> Iterator[None]:
    """Inside, every exception is about the content of the file, which is wrong input.

    What may be inside is the format's library and the taking apart of what it gave, nothing that has a fault of its
    own: an exception says what is wrong with the file, not with the program.

    Args:
        path: of the file or folder that is read.
        remedy: what to do about a damaged one, to end the sentence.

    Raises:
        InvalidInput: in place of any exception but itself.
    """
    try:
        yield
    except InvalidInput:
        raise
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {path}: {remedy}") from None
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise InvalidInput(f"{path} cannot be read ({said[:200]}): {remedy}") from error


def number(value: object) -> float:
    """A number of a JSON file; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    return value
