"""Sound content altered in its bytes or in what it says, and whether it is refused."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from codingschemes import InvalidInput

WORDS = st.text(alphabet="abxy019.-_/ \né\udcff", max_size=6)
NUMBERS = st.one_of(st.integers(-3, 12), st.integers(), st.floats(), st.sampled_from([10**30, 1e308, -0.0]))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, WORDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=5,
)


def refuses(read: Callable[[], object]) -> bool:
    """Whether what is read is refused, in one sentence; whatever else is raised fails the test."""
    try:
        read()
    except InvalidInput as error:
        return is_one_sentence(error)
    return False


def is_one_sentence(error: InvalidInput) -> bool:
    """It is: anything else fails the test."""
    assert len(str(error).splitlines()) == 1, str(error)
    return True


@st.composite
def altered_bytes(draw: st.DrawFn, whole: bytes) -> bytes:
    """Cut off, with bytes changed, put in or left out; or nothing that was there."""
    kind = draw(st.sampled_from(["cut", "change", "change", "insert", "leave out", "other"]))
    if kind == "other":
        return draw(st.binary(max_size=60))
    place = draw(st.integers(0, len(whole)))
    if kind == "cut":
        return whole[:place]
    if kind == "leave out":
        return whole[:place] + whole[place + draw(st.integers(1, 40)) :]
    new = draw(st.binary(min_size=1, max_size=4))
    return whole[:place] + new + whole[place + (len(new) if kind == "change" else 0) :]


@st.composite
def altered_json(draw: st.DrawFn, whole: Any) -> Any:
    """With one of its values changed, left out or put in, at any depth."""
    changed = inside = copy.deepcopy({"all": whole})
    key: Any = "all"
    while isinstance(inside[key], dict | list) and inside[key] and draw(st.integers(0, 3)):
        inside = inside[key]
        key = draw(st.sampled_from(sorted(inside)) if isinstance(inside, dict) else st.integers(0, len(inside) - 1))
    kind = draw(st.sampled_from(["change", "change", "leave out", "put in"]))
    if kind == "leave out" and inside is not changed:
        del inside[key]
    elif kind == "put in" and isinstance(inside, dict) and inside is not changed:
        inside[draw(WORDS)] = draw(VALUES)
    else:
        inside[key] = draw(VALUES)
    return changed["all"]


def altered_text_file(path: Path) -> st.SearchStrategy[bytes]:
    """A JSON file altered in its bytes or in what it says."""
    said = altered_json(json.loads(path.read_text()))
    return st.one_of(altered_bytes(path.read_bytes()), *[said.map(lambda value: json.dumps(value).encode())] * 3)
