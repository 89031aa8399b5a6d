"""The one type that says what is learned."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Int

from codingschemes.errors import InvalidInput

type Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Task:
    """Inputs, targets and labels to learn, and a test set.

    Attributes:
        name: the task's registered name.
        inputs: training inputs after preprocessing, (sample, feature).
        targets: what the network's outputs are regressed on, (sample, output): one-hot rows of `labels`, or the
            factors as -1/+1.
        labels: the class of each sample, integers 0..G-1, (sample,). For factorised tasks the class is the
            combination of factors.
        class_names: one name a class, in label order.
        target_names: one name a column of `targets`.
        factors: binary factors -1/+1 of each **class**, (class, factor), or None where classes have no factorised
            structure. Abstraction scores are defined on them.
        test_inputs, test_targets, test_labels: the same for held-out samples; zero rows where there are none.
        provenance: how the task was made: options, source, checksums, preprocessing steps; plain JSON values.
    """

    name: str
    inputs: Float[Array, "P D"]
    targets: Float[Array, "P C"]
    labels: Int[Array, " P"]
    class_names: tuple[str, ...]
    target_names: tuple[str, ...]
    factors: Float[Array, "G F"] | None
    test_inputs: Float[Array, "Q D"]
    test_targets: Float[Array, "Q C"]
    test_labels: Int[Array, " Q"]
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, rows in (("inputs", self.inputs), ("test inputs", self.test_inputs)):
            if not np.all(np.isfinite(rows)):
                raise InvalidInput(f"the {what} hold NaN or infinite values: remove or replace those samples first")
        if not np.all(np.isfinite(self.targets)):
            raise InvalidInput("the targets hold NaN or infinite values: give finite targets for every sample")
        samples = len(self.inputs)
        if len(self.labels) != samples or len(self.targets) != samples:
            raise InvalidInput(
                f"{samples} inputs came with {len(self.labels)} labels and {len(self.targets)} targets: "
                "give exactly one label for every input"
            )
        if samples < len(self.class_names):
            raise InvalidInput(
                f"{samples} samples cannot cover {len(self.class_names)} classes: raise the number of samples"
            )
        if self.inputs.size == 0 or np.ptp(self.inputs) == 0:
            raise InvalidInput("the inputs are constant: give inputs that differ between samples")
        missing = sorted(set(range(len(self.class_names))) - set(self.labels.tolist()))
        if missing:
            names = ", ".join(self.class_names[index] for index in missing)
            raise InvalidInput(f"no training sample belongs to the class {names}: add samples or leave the class out")

    @property
    def class_count(self) -> int:
        return len(self.class_names)

    @property
    def sample_count(self) -> int:
        return len(self.inputs)

    @property
    def one_hot(self) -> bool:
        """Whether the targets are one column a class (rather than -1/+1 factors)."""
        return self.target_names == self.class_names

    def with_inputs(self, inputs: Array, test_inputs: Array, step: str) -> Self:
        """A copy with transformed inputs, and `step` added to the recorded preprocessing."""
        steps = [*self.provenance.get("preprocessing", []), step]
        provenance = {**self.provenance, "preprocessing": steps}
        return replace(self, inputs=inputs, test_inputs=test_inputs, provenance=provenance)


def one_hot_targets(labels: Int[Array, " P"], class_count: int) -> Float[Array, "P G"]:
    """Rows of the identity matrix, one a label."""
    return np.eye(class_count)[labels]


def no_test_samples(features: int, outputs: int) -> dict[str, Array]:
    """The test fields of a task without held-out samples."""
    return {
        "test_inputs": np.zeros((0, features)),
        "test_targets": np.zeros((0, outputs)),
        "test_labels": np.zeros(0, dtype=np.int64),
    }
