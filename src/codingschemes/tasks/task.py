"""The one type that says what is learned."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.reading import reading
from codingschemes.tables import html_table
from codingschemes.tasks.archives import read_arrays, require

type Array = np.ndarray

_STORED_ARRAYS: dict[str, tuple[type, int]] = {  # kind and rank of the arrays in a saved task
    "inputs": (np.float64, 2),
    "targets": (np.float64, 2),
    "labels": (np.int64, 1),
    "factors": (np.float64, 2),
    "test_inputs": (np.float64, 2),
    "test_targets": (np.float64, 2),
    "test_labels": (np.int64, 1),
}
_WORDS = "words"


@known_keywords
@dataclass(frozen=True, eq=False)
class Task:
    """Inputs, targets and labels to learn, and a test set.

    Attributes:
        name: the task's registered name.
        inputs: training inputs after preprocessing, (sample, feature).
        targets: what the network's outputs are regressed on, (sample, output): one-hot rows of `labels`, the
            factors as -1/+1, or a function of them that several classes may share.
        labels: the class of each sample, integers 0..G-1, (sample,). For factorised tasks the class is the
            combination of factors.
        class_names: one name a class, in label order.
        target_names: one name a column of `targets`.
        factors: binary factors -1/+1 of each **class**, (class, factor), or None where classes have no factorised
            structure. Abstraction scores are defined on them. They are the latent variables of the task, which need
            not be what is learned.
        test_inputs, test_targets, test_labels: the same for held-out samples; zero rows where there are none.
        provenance: how the task was made: options, source, checksums, preprocessing steps; plain JSON values.
        factor_names: one name a factor; none where there are no factors. Left out, they are counted.
        levels: whether the task is a regression, whose classes are only levels of the first output that inputs are
            sorted by (`low`, `middle`, `high`), not what is learned.

    Raises:
        InvalidInput: arrays that do not belong together, values that are not finite, constant inputs, or a class
            without a training sample.

    Example:
        >>> task
        Task(orthogonal, 24 samples of 24 features in 3 classes)
        >>> task.inputs.shape, task.targets.shape, task.class_names
        ((24, 24), (24, 3), ('0', '1', '2'))
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
    factor_names: tuple[str, ...] = ()
    levels: bool = False

    def __repr__(self) -> str:
        held_out = f", {len(self.test_inputs)} held out" if len(self.test_inputs) else ""
        return (
            f"Task({self.name}, {len(self.inputs)} samples of {self.inputs.shape[1]} features in "
            f"{self.class_words}{held_out})"
        )

    def _repr_html_(self) -> str:
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        classes = ", ".join(f"{name} ({count})" for name, count in zip(self.class_names, counts, strict=True))
        named = "levels of the target" if self.levels else "classes"
        facts = {
            "inputs": f"{len(self.inputs)} samples, {self.inputs.shape[1]} features",
            f"{named} (samples)": classes,
        }
        facts["outputs"] = ", ".join(self.target_names)
        if self.factors is not None:
            facts["factors"] = ", ".join(self.factor_names)
        facts["held out"] = f"{len(self.test_inputs)} samples"
        return html_table(f"Task {self.name}", facts)

    def __post_init__(self) -> None:
        if self.factors is not None and not self.factor_names:
            counted = tuple(f"factor {index + 1}" for index in range(self.factors.shape[1]))
            object.__setattr__(self, "factor_names", counted)  # the one way to fill a field of a frozen dataclass
        self._check_shapes()
        for what, rows in (("inputs", self.inputs), ("test inputs", self.test_inputs)):
            if not np.all(np.isfinite(rows)):
                raise InvalidInput(f"the {what} hold NaN or infinite values: remove or replace those samples first")
        if not (np.all(np.isfinite(self.targets)) and np.all(np.isfinite(self.test_targets))):
            raise InvalidInput("the targets hold NaN or infinite values: give finite targets for every sample")
        samples = len(self.inputs)
        if samples < len(self.class_names):
            raise InvalidInput(
                f"{samples} samples cannot cover {len(self.class_names)} classes: raise the number of samples"
            )
        if not np.any(self.inputs) or (samples > 1 and np.all(self.inputs == self.inputs[0])):
            raise InvalidInput("the inputs are constant: give inputs that differ between samples")
        missing = sorted(set(range(len(self.class_names))) - set(self.labels.tolist()))
        if missing:
            names = ", ".join(self.class_names[index] for index in missing)
            raise InvalidInput(f"no training sample belongs to the class {names}: add samples or leave the class out")

    def _check_shapes(self) -> None:
        """Raises InvalidInput unless all arrays belong to the same samples, features, outputs and classes."""
        sides = (
            ("", self.inputs, self.targets, self.labels),
            ("test ", self.test_inputs, self.test_targets, self.test_labels),
        )
        for side, inputs, targets, labels in sides:
            if not len(inputs) == len(targets) == len(labels):
                raise InvalidInput(
                    f"{len(inputs)} {side}inputs came with {len(labels)} labels and {len(targets)} targets: "
                    "give exactly one label for every input"
                )
            if inputs.shape[1:] != self.inputs.shape[1:] or targets.shape[1:] != (len(self.target_names),):
                raise InvalidInput(
                    f"{side}inputs of shape {inputs.shape} and {side}targets of shape {targets.shape} do not fit "
                    f"{self.inputs.shape[1]} features and {len(self.target_names)} outputs"
                )
            if np.any((labels < 0) | (labels >= len(self.class_names))):
                raise InvalidInput(f"{side}labels must be whole numbers from 0 to {len(self.class_names) - 1}")
        if self.factors is not None and len(self.factors) != len(self.class_names):
            raise InvalidInput(f"{len(self.factors)} rows of factors do not fit {len(self.class_names)} classes")
        factor_count = 0 if self.factors is None else self.factors.shape[1]
        if len(self.factor_names) != factor_count:
            raise InvalidInput(f"{len(self.factor_names)} names do not fit {factor_count} factors: give one a factor")

    @property
    def class_count(self) -> int:
        """Number of classes G."""
        return len(self.class_names)

    @property
    def class_words(self) -> str:
        """How many classes there are, in words that say what they are."""
        return f"{self.class_count} {'levels of the target' if self.levels else 'classes'}"

    @property
    def sample_count(self) -> int:
        """Number of training samples P."""
        return len(self.inputs)

    @property
    def one_hot(self) -> bool:
        """Whether the targets are one column a class (rather than -1/+1 factors)."""
        return self.target_names == self.class_names

    @property
    def class_targets(self) -> Float[Array, "G C"]:
        """Mean target of each class."""
        return np.stack([self.targets[self.labels == label].mean(axis=0) for label in range(self.class_count)])

    def with_inputs(self, inputs: Array, test_inputs: Array, step: str) -> "Task":
        """A copy with transformed inputs.

        Args:
            inputs, test_inputs: (sample, feature).
            step: what was done, in words: added to the recorded preprocessing.
        """
        steps = [*self.provenance.get("preprocessing", []), step]
        provenance = {**self.provenance, "preprocessing": steps}
        return replace(self, inputs=inputs, test_inputs=test_inputs, provenance=provenance)

    def save(self, path: str | Path) -> None:
        """Writes everything to one .npz file at `path`, without pickled objects; names and provenance as JSON text."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _STORED_ARRAYS}
        if self.factors is None:
            del arrays["factors"]
        words = {
            "name": self.name,
            "class_names": self.class_names,
            "target_names": self.target_names,
            "factor_names": self.factor_names,
            "levels": self.levels,
            "provenance": self.provenance,
        }
        arrays[_WORDS] = np.array(json.dumps(words))
        with Path(path).open("wb") as file:
            np.savez(file, **arrays)

    @classmethod
    @known_keywords
    def load(cls, path: str | Path) -> "Task":
        """The task that `save` wrote to `path`.

        Raises:
            InvalidInput: the file is missing, damaged, or not a task.
        """
        arrays = read_arrays(Path(path))
        required = [name for name in _STORED_ARRAYS if name != "factors"]
        stored: dict[str, Any] = {name: require(arrays, (name,), Path(path)) for name in required}
        stored["factors"] = arrays.get("factors")
        text = require(arrays, (_WORDS,), Path(path))
        with reading(path, "it is not a task that was saved here, make the task again"):
            words = json.loads(str(text))
            for name, (kind, rank) in _STORED_ARRAYS.items():
                array = stored[name]
                if array is not None and (array.dtype != kind or array.ndim != rank):
                    raise ValueError(f"{name} is not an array of {kind.__name__} with {rank} dimensions")
            return cls(
                name=words["name"],
                class_names=tuple(words["class_names"]),
                target_names=tuple(words["target_names"]),
                factor_names=tuple(words.get("factor_names", ())),  # tasks saved before there were names and levels
                levels=bool(words.get("levels", False)),
                provenance=words["provenance"],
                **stored,
            )


def one_hot_targets(labels: Int[Array, " P"], class_count: int) -> Float[Array, "P G"]:
    """Rows of the identity matrix, one a label."""
    return np.eye(class_count)[labels]


def no_test_samples(features: int, outputs: int) -> dict[str, Any]:
    """The test fields of a task without held-out samples."""
    return {
        "test_inputs": np.zeros((0, features)),
        "test_targets": np.zeros((0, outputs)),
        "test_labels": np.zeros(0, dtype=np.int64),
    }
