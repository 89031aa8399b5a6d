"""Values as JSON has them."""

import math
from collections.abc import Callable, Mapping
from typing import Any


def plain(value: Any, words: Callable[[str], str] = str) -> Any:
    """The value as JSON has it: numbers that do not exist (NaN, infinite) are None.

    Args:
        words: what becomes of text.
    """
    if isinstance(value, Mapping):
        return {key: plain(item, words) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, words) for item in value]
    if isinstance(value, str):
        return words(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
