"""Faults that `mutants.py` plants, each the replacement of a text that one file of the package holds once: those of
planted_faults.toml."""

import tomllib
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "src" / "codingschemes"


class Fault(NamedTuple):
    """A mistake that somebody could make.

    Attributes:
        name: in words; what is wrong then.
        file: of the package.
        before, after: the text as it is, and as it is with the fault.
        test: that should catch it, as pytest names it from tests/: the cheapest.
    """

    name: str
    file: str
    before: str
    after: str
    test: str

    def plant(self, package: Path) -> None:
        """Write the fault into a copy of the package.

        Raises:
            ValueError: the file does not hold the text exactly once.
        """
        path = package / self.file
        text = path.read_text()
        if (count := text.count(self.before)) != 1:
            raise ValueError(f"{self.file} holds the text of the fault '{self.name}' {count} times, not once")
        path.write_text(text.replace(self.before, self.after))


FAULTS = tuple(Fault(**fault) for fault in tomllib.loads(Path(__file__).with_suffix(".toml").read_text())["fault"])
