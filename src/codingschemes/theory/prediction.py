"""What a theory says of a posterior, and how far that can be trusted."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.representation.kernels import block_means
from codingschemes.schemes import Label
from codingschemes.tables import html_table


class UnstableCodes(InvalidInput):
    """Fractions of codes were given to a theory in which no neurons can have some of these codes.

    Attributes:
        codes: those that neurons cannot have.
    """

    def __init__(self, message: str, codes: tuple[str, ...] = ()):
        super().__init__(message)
        self.codes = codes


@dataclass(frozen=True)
class Assumption:
    """A condition under which a theory holds.

    Attributes:
        statement: one sentence.
        holds: whether this posterior fulfils it.
    """

    statement: str
    holds: bool


@dataclass(frozen=True)
class Certificate:
    """How far a prediction can be trusted, from numbers computed with it.

    Attributes:
        gap: how far it can be from the exact solution of the theory's own problem, in the unit that `meaning` names.
        tolerance: the largest gap that is accepted.
        meaning: what the gap is, in words.
        bounds: further numbers by name, e.g. a rigorous beside an estimated bound.
    """

    gap: float
    tolerance: float
    meaning: str
    bounds: dict[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether the gap is a number below the tolerance."""
        return bool(self.gap <= self.tolerance)

    @property
    def words(self) -> str:
        """What the gap is, its size, and whether it is accepted."""
        return f"{self.meaning}: {self.gap:.2g}, {'below' if self.holds else 'NOT below'} {self.tolerance:.2g}"


@dataclass(frozen=True)
class NeuronGroup:
    """Neurons that do the same: those of one code, the bulk, or the outliers of one direction.

    Attributes:
        name: the code, one bit a class; "bulk"; or the class that the outliers answer to most.
        count: how many neurons; for outliers the number if each direction is one neuron.
        activity: mean activity for each class, (class,).
        readout: mean readout a, (output,).
        preactivation: mean preactivation for each class, (class,).
    """

    name: str
    count: float
    activity: Float[np.ndarray, " G"]
    readout: Float[np.ndarray, " C"]
    preactivation: Float[np.ndarray, " G"]


@dataclass(frozen=True)
class NeuronSample:
    """Neurons drawn from a theory's posterior of single neurons.

    Attributes:
        activity: mean activity of each for each class, (neuron, class).
        readout: a, (neuron, output).
        weight: how many neurons of the network each stands for, (neuron,).
        response: activity of each at every training input, (neuron, sample); None where only class means are known.
    """

    activity: Float[np.ndarray, "S G"]
    readout: Float[np.ndarray, "S C"]
    weight: Float[np.ndarray, " S"]
    response: Float[np.ndarray, "S P"] | None = None


@dataclass(frozen=True)
class PredictedScheme:
    """The scheme of a measure over neurons.

    Attributes:
        label: undecided where the measure is none of the three.
        reason: one sentence.
        selective: share of the variance of class-specific activity that is not chance.
        carried: share of the class-specific output that condensed neurons carry.
        effective: how many neurons carry the class-specific output, 1 / sum of their squared shares.
        binary: share of the variance of class means between the two sides of bits; None without bits.
    """

    label: Label
    reason: str
    selective: float
    carried: float
    effective: float
    binary: float | None


@dataclass(frozen=True)
class Details:
    """Further numbers of a theory, which has a dataclass of its own for them; what is None it does not have here."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values by name."""
        plain = {each.name: _plain(getattr(self, each.name)) for each in fields(self)}
        return {name: value for name, value in plain.items() if value is not None}


@dataclass(frozen=True)
class Prediction:
    """The answers of one theory to one posterior.

    Attributes:
        theory: its registered name.
        posterior: what it is about.
        outputs: mean of f at the training inputs, (sample, output).
        kernel: mean of K = Phi^T Phi / N of the last hidden layer at the training inputs, (sample, sample); None where
            the theory has none.
        lower_kernels: the same of the hidden layers below, first to last; empty where there are none or the theory has
            none.
        certificate: how far to trust the numbers.
        assumptions: what they rest on, those that this posterior breaks included.
        energy: of the regularised loss, E; None where the theory has none.
        codes: one group a code, the most frequent first.
        bulk: the neurons that are no outliers, where there are outliers.
        outliers: one group a direction.
        neurons: a sample of single neurons, to be drawn over sampled ones; None where the theory has none.
        scheme: that of the measure over neurons, see `scheme`; None where the theory does not say.
        parallelism: the parallelism score of the kernel; None where it is not defined.
        test_outputs: mean of f at the test inputs, (test sample, output).
        test_variance: its posterior variance, one number a test sample or one an output.
        conditional: whether the shares of codes were given to the theory, which then predicts all else at these shares.
        details: further numbers of this theory.

    Example:
        >>> prediction.outputs.shape, prediction.kernel.shape
        ((24, 3), (24, 24))
        >>> prediction.to_json()['certificate']['holds']
        True
    """

    theory: str
    posterior: Posterior
    outputs: Float[np.ndarray, "P C"]
    kernel: Float[np.ndarray, "P P"] | None
    certificate: Certificate
    assumptions: tuple[Assumption, ...] = ()
    energy: float | None = None
    codes: tuple[NeuronGroup, ...] = ()
    bulk: NeuronGroup | None = None
    outliers: tuple[NeuronGroup, ...] = ()
    neurons: NeuronSample | None = None
    scheme: PredictedScheme | None = None
    parallelism: float | None = None
    test_outputs: Float[np.ndarray, "Q C"] | None = None
    test_variance: Float[np.ndarray, "Q *C"] | None = None
    lower_kernels: tuple[Float[np.ndarray, "P P"], ...] = ()
    conditional: bool = False
    details: Details = Details()

    def __repr__(self) -> str:
        scheme = "" if self.scheme is None else f"{self.scheme.label}, "
        return f"Prediction({self.theory}, {scheme}certificate {self.certificate.words})"

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {"posterior": self.posterior, "certificate": self.certificate.words}
        if self.scheme is not None:
            facts["scheme"] = f"{self.scheme.label}: {self.scheme.reason}"
        if self.codes:
            facts["neurons by code"] = ", ".join(f"{group.name} {group.count:.1f}" for group in self.codes[:8])
        broken = [each.statement for each in self.assumptions if not each.holds]
        facts["assumptions broken here"] = "; ".join(broken) or "none"
        return html_table(f"Prediction by {self.theory}", facts)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; absent where the theory has no such number."""
        task, width, further = self.posterior.task, self.posterior.network.width, self.details.to_json()
        form = further.pop("kernel", {})
        values: dict[str, Any] = {
            "theory": self.theory,
            "classes": list(task.class_names),
            "outputs": self.outputs.tolist(),
            "certificate": {
                "gap": self.certificate.gap,
                "holds": self.certificate.holds,
                "tolerance": self.certificate.tolerance,
                "meaning": self.certificate.meaning,
                **self.certificate.bounds,
            },
            "assumptions": [{"statement": each.statement, "holds": each.holds} for each in self.assumptions],
        }
        if self.kernel is not None:
            values["kernel"] = {**_blocks(self.kernel, task.labels), **form}
        if self.lower_kernels:
            values["lower_kernels"] = [_blocks(kernel, task.labels) for kernel in self.lower_kernels]
        if self.scheme is not None:
            values["scheme"] = asdict(self.scheme)
        if self.codes:
            values["codes"] = [
                {"code": group.name, "fraction": group.count / width, "given": self.conditional, **_profile(group)}
                for group in self.codes
            ]
        if self.bulk is not None:
            values["bulk"] = {"fraction": self.bulk.count / width, **_profile(self.bulk)}
        if self.outliers:
            values["outliers"] = [
                {"class": group.name, "count": group.count, **_profile(group)} for group in self.outliers
            ]
        for name in ("energy", "parallelism"):
            if getattr(self, name) is not None:
                values[name] = getattr(self, name)
        for name in ("test_outputs", "test_variance"):
            if getattr(self, name) is not None:
                values[name] = getattr(self, name).tolist()
        return {**values, "conditional": self.conditional, **further}


def _plain(value: Any) -> Any:
    """Details, arrays and tuples as JSON has them."""
    if isinstance(value, Details):
        return value.to_json()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def _blocks(kernel: Float[np.ndarray, "P P"], labels: Int[np.ndarray, " P"]) -> dict[str, Any]:
    blocks = block_means(kernel, labels)
    return {
        "within": blocks.within.tolist(),
        "between": blocks.between.tolist(),
        "diagonal": blocks.diagonal.tolist(),
    }


def _profile(group: NeuronGroup) -> dict[str, list[float]]:
    return {
        "activity": group.activity.tolist(),
        "readout": group.readout.tolist(),
        "preactivation": group.preactivation.tolist(),
    }
