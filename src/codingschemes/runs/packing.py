"""Records as two vectors, one of each precision.

Whatever a compiled loop does with a recorded variable is compiled for every variable: inside it they lie side by side,
and the host takes them apart.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from codingschemes.runs.observables import Record

#: By dtype.
type ByDtype = dict[str, Array]


class Variable(NamedTuple):
    """A recorded variable of one draw: its group, its name, its shape and its dtype."""

    group: str
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def vector(self) -> str:
        """The dtype of the vector it is part of: doubles hold truth values, and integers below 2^53, exactly."""
        return "float32" if self.dtype == np.float32 else "float64"


class Layout(tuple[Variable, ...]):
    """What is recorded, in the order of its place in the vectors."""

    __slots__ = ()

    @classmethod
    def of(cls, record: Mapping[str, Mapping[str, Any]]) -> "Layout":
        """The layout of one draw of one chain, or of its shapes."""
        return cls(
            Variable(group, name, tuple(values.shape), np.dtype(values.dtype))
            for group, variables in record.items()
            for name, values in variables.items()
        )

    def pack(self, record: Record) -> ByDtype:
        """One draw of one chain."""
        return {
            vector: jnp.concatenate([jnp.ravel(record[each.group][each.name]).astype(vector) for each in variables])
            for vector, variables in self._parts().items()
        }

    def blank(self, *leading: int) -> ByDtype:
        """Zeros, with these leading dimensions."""
        return {
            vector: jnp.zeros((*leading, sum(math.prod(each.shape) for each in variables)), vector)
            for vector, variables in self._parts().items()
        }

    def unpack(self, vectors: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """The variables in vectors, with whatever leading dimensions these have."""
        record: dict[str, dict[str, np.ndarray]] = {each.group: {} for each in self}
        for vector, variables in self._parts().items():
            ends = np.cumsum([math.prod(each.shape) for each in variables])
            for each, part in zip(variables, np.split(vectors[vector], ends[:-1], axis=-1), strict=True):
                record[each.group][each.name] = part.reshape(*part.shape[:-1], *each.shape).astype(each.dtype)
        return record

    def _parts(self) -> dict[str, list[Variable]]:
        vectors = dict.fromkeys(each.vector for each in self)
        return {vector: [each for each in self if each.vector == vector] for vector in vectors}


class Rows(eqx.Module):
    """The records of a chunk.

    Attributes:
        observed, stats: vectors (row, chain, entry), of what is observed and of what steps tell about themselves.
        first: row of the first step.
        observed_layout, stats_layout: what is where in them.
    """

    observed: ByDtype
    stats: ByDtype
    first: Array
    observed_layout: Layout = eqx.field(static=True)
    stats_layout: Layout = eqx.field(static=True)

    def to_host(self, count: int) -> dict[str, dict[str, np.ndarray]]:
        """The first `count` steps, as numpy arrays (chain, draw, ...)."""
        first = int(self.first)

        def steps(rows: Array) -> np.ndarray:
            # One device after the other: all rows together would be a copy of what is mostly empty.
            parts = {part.index[1].start or 0: part.data for part in rows.addressable_shards}
            chains = [np.asarray(parts[start])[first : first + count] for start in sorted(parts)]
            return np.swapaxes(np.concatenate(chains, axis=1), 0, 1)

        observed, stats = jax.tree.map(steps, (self.observed, self.stats))
        return {**self.observed_layout.unpack(observed), **self.stats_layout.unpack(stats)}
