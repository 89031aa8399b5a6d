"""Name -> entry tables. Adding a task, activation, metric or sampler is one file and one registration."""

import difflib
from collections.abc import Iterator, Mapping, Sequence

from codingschemes.errors import InvalidInput


def unknown(kind: str, name: str, known: Sequence[str]) -> InvalidInput:
    """What to raise for a name that is none of those known: it says the nearest."""
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return InvalidInput(f"there is no {kind} {name!r}: {hint}choose one of {', '.join(known)}")


class Registry[T](Mapping[str, T]):
    """A read-only mapping from names to entries that answers an unknown name with the nearest known one."""

    def __init__(self, kind: str):
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str, entry: T) -> T:
        if name in self._entries:
            raise ValueError(f"the {self.kind} {name!r} is registered twice")
        self._entries[name] = entry
        return entry

    def __getitem__(self, name: str) -> T:
        if name in self._entries:
            return self._entries[name]
        raise unknown(self.kind, name, sorted(self._entries))

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries
