"""A trained network beside what theory says of its task: does the task ask for this representation?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.calls import checked
from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.populations.geometry import parallelism_of
from codingschemes.populations.population import SYNONYMS, Population
from codingschemes.posterior import Posterior
from codingschemes.precision import in_double_precision
from codingschemes.representation import balanced_dichotomies, class_kernel, linear_cka_from_kernel
from codingschemes.tables import html_table
from codingschemes.tasks import Task
from codingschemes.theory import Prediction, predict

_ROUNDING = 1e-3
"""How far activities may be from those of the weights, relative: networks are trained in single precision."""


@dataclass(frozen=True)
class Stationarity:
    """How far weights are from a point where the regularised loss is stationary (its KKT conditions).

    Attributes:
        energy: E = ||Y - f||^2 + penalty1 ||W||^2 + penalty2 ||a||^2.
        residual: |sum| over the sum of the absolute values of what pulls at all weights, the gradient of the error and
            that of the penalties: 0 at a stationary point, 1 where one of them is alone.
        neurons: the same for the weights of each neuron, (neuron,); 0 for neurons without weights.

    Example:
        >>> found = cs.compare_population(trained, activity, penalty1=0.1, penalty2=0.1, weights=weights)
        >>> bool(0 <= found.stationarity.residual <= 1)
        True
    """

    energy: float
    residual: float
    neurons: Float[np.ndarray, " N"]


@dataclass(frozen=True)
class Geometry:
    """One representation beside the population's.

    Attributes:
        kernel: over pairs of classes, means of K = Phi^T Phi / N, (class, class).
        alignment: of the centred kernel of all samples with the population's (CKA): 1 for the same but for its size.
        scale: its size over the population's, traces of the centred kernels.
        parallelism: of its class means; None where it is undefined.

    Example:
        >>> found = cs.compare_population(trained, activity, penalty1=0.1, penalty2=0.1)
        >>> round(found.geometries["population"].alignment, 6)
        1.0
    """

    kernel: Float[np.ndarray, "G G"]
    alignment: float
    scale: float
    parallelism: float | None


@dataclass(frozen=True)
class PopulationComparison:
    """A population, its inputs, and theories of its task.

    Attributes:
        population: what was compared.
        geometries: by name: `population`, `inputs`, and each theory.
        predictions: of each theory, with certificates.
        stationarity: of the weights, where they were given.

    Example:
        >>> found = cs.compare_population(trained, activity, penalty1=0.1, penalty2=0.1)
        >>> list(found.geometries)
        ['population', 'inputs', 'global-minimum']
    """

    population: Population
    geometries: dict[str, Geometry]
    predictions: dict[str, Prediction]
    stationarity: Stationarity | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        found: dict[str, Any] = {
            "geometries": {
                name: {
                    "kernel": each.kernel.tolist(),
                    "alignment": each.alignment,
                    "scale": each.scale,
                    "parallelism": each.parallelism,
                }
                for name, each in self.geometries.items()
            },
            "certificates": {
                name: {"gap": each.certificate.gap, "holds": each.certificate.holds, "energy": each.energy}
                for name, each in self.predictions.items()
            },
        }
        if self.stationarity is not None:
            found["stationarity"] = {
                "energy": self.stationarity.energy,
                "residual": self.stationarity.residual,
                "neurons": self.stationarity.neurons.tolist(),
            }
        return found

    @property
    def facts(self) -> dict[str, str]:
        """One sentence a representation, and one about the weights."""
        found = {}
        for name, each in self.geometries.items():
            parallelism = "undefined" if each.parallelism is None else f"{each.parallelism:.3f}"
            found[name] = f"alignment {each.alignment:.3f}, scale {each.scale:.3g}, parallelism {parallelism}"
        for name, prediction in self.predictions.items():
            found[f"certificate of {name}"] = prediction.certificate.words
        if self.stationarity is not None:
            found["weights"] = (
                f"loss {self.stationarity.energy:.4g}, residual of stationarity {self.stationarity.residual:.2g}"
            )
            lowest = self.predictions.get("global-minimum")
            if lowest is not None and lowest.energy is not None:
                found["weights"] += f", {self.stationarity.energy / lowest.energy - 1:.1%} above the global minimum"
        return found

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self.facts.items())

    def _repr_html_(self) -> str:
        return html_table(f"{self.population!r}", self.facts)


@checked
def compare_population(
    population: Population,
    inputs: Any,
    *,
    penalty1: float,
    penalty2: float,
    targets: Any = None,
    bias: bool = False,
    weights: Any = None,
    temperature: float | None = None,
    theories: Sequence[str] = ("global-minimum",),
) -> PopulationComparison:
    """A trained layer's kernel beside those of its inputs, of the global minimum and of the mean field.

    The network is f = sum_i a_i phi(w_i . x), trained on E = ||Y - f||^2 + penalty1 ||W||^2 + penalty2 ||a||^2 (sums
    over all samples and outputs, no readout bias), or sampled from exp(-E/(2T)). A representation that is abstract
    because the task asks for it is that of the global minimum; one that only keeps what inputs have is that of the
    inputs.

    Args:
        population: the hidden layer, with its `activation`, at the training inputs; `Population.thin` it first where
            there are more than a few hundred.
        inputs: of the rows that the population was made of, in their order, (sample, feature).
        penalty1, penalty2: of E.
        targets: Y, likewise, (sample, output); one output a class if left out.
        bias: whether neurons have one, penalised as a weight.
        weights: (W, a) of the network, (neuron, feature) with a column more for a bias, and (neuron, output): asks how
            far they are from a stationary point of E.
        temperature: T of the mean field.
        theories: any of "global-minimum", "mean-field", "proportional", "lazy".

    Raises:
        InvalidInput: arrays do not belong together, the activation is not known, the weights do not give these
            activities, a theory needs a temperature or does not cover this network.

    Example:
        >>> found = cs.compare_population(trained, activity, penalty1=0.1, penalty2=0.1, weights=weights)
        >>> bool(found.geometries["global-minimum"].alignment > 0.9)
        True
    """
    if population.activation is None:
        raise InvalidInput("theory needs the activation of the neurons: name it in `Population`")
    if isinstance(theories, str):
        raise InvalidInput(f"`theories` is {theories!r}: give a tuple of names, such as ({theories!r},)")
    if temperature is None and set(theories) - {"global-minimum"}:
        raise InvalidInput("a theory of finite temperature needs a `temperature`: give T of exp(-E/(2T))")
    task = _task(population, inputs, targets)
    name = SYNONYMS.get(population.activation, population.activation)
    network = Network(name, width=population.size, bias=bias, scaling="none")
    # at the global minimum T is only a unit: this one gives weights a prior variance of one
    unit = penalty1 if temperature is None else temperature
    posterior = Posterior(task, network, temperature=unit, penalty1=penalty1, penalty2=penalty2)
    stationarity = None if weights is None else _stationarity(population, posterior, weights)
    predictions = {each: predict(posterior, each) for each in theories}
    own = population.activity @ population.activity.T / population.size
    features = np.asarray(network.features(jnp.asarray(task.inputs.T)))
    kernels = {"population": own, "inputs": features.T @ features / len(features)}
    for theory, prediction in predictions.items():
        if prediction.kernel is None:
            raise InvalidInput(f"the {theory} theory has no kernel here: leave it out of `theories`")
        kernels[theory] = prediction.kernel
    geometries = {each: _geometry(kernel, own, population) for each, kernel in kernels.items()}
    return PopulationComparison(population, geometries, predictions, stationarity)


def _task(population: Population, inputs: Any, targets: Any) -> Task:
    """What the network learned, samples in the population's order.

    Raises:
        InvalidInput: there is not a row for each sample.
    """
    rows = np.asarray(inputs, float)
    rows = rows.reshape(len(rows), -1) if rows.ndim > 1 else rows
    if rows.ndim != 2 or len(rows) != population.given:
        raise InvalidInput(
            f"the population was made of {population.given} samples and came with inputs of shape {rows.shape}: give "
            "the inputs of the same rows"
        )
    learned = np.eye(population.class_count)[population.labels] if targets is None else np.asarray(targets, float)
    if targets is not None:
        learned = learned[:, None] if learned.ndim == 1 else learned
        if learned.ndim != 2 or len(learned) != population.given:
            raise InvalidInput(
                f"the population was made of {population.given} samples and came with targets of shape "
                f"{learned.shape}: give one row a sample"
            )
        learned = learned[population.order]
    one_hot = learned.shape[1] == population.class_count
    return Task(
        name="population",
        inputs=rows[population.order],
        targets=learned,
        labels=population.labels,
        class_names=population.class_names,
        target_names=population.class_names if one_hot else tuple(f"output {k}" for k in range(learned.shape[1])),
        factors=population.factors,
        test_inputs=np.zeros((0, rows.shape[1])),
        test_targets=np.zeros((0, learned.shape[1])),
        test_labels=np.zeros(0, np.int64),
    )


@in_double_precision
def _stationarity(population: Population, posterior: Posterior, weights: Any) -> Stationarity:
    """From the gradients of both parts of E.

    Raises:
        InvalidInput: weights of other shapes, or whose activities are not those of the population.
    """
    task, network = posterior.task, posterior.network
    features = network.features(jnp.asarray(task.inputs.T))
    shapes = (population.size, len(features)), (population.size, task.targets.shape[1])
    given = tuple(weights) if isinstance(weights, tuple | list) else ()
    found = tuple(np.asarray(each, float) for each in given)
    if tuple(each.shape for each in found) != shapes:
        raise InvalidInput(
            f"`weights` are (W, a) of shapes {shapes[0]} and {shapes[1]}, neurons first, not "
            f"{tuple(each.shape for each in found)}: transpose them, or set `bias`"
        )
    first, readout = (jnp.asarray(each) for each in found)
    activity = np.asarray(network.activation(first @ features)).T
    if np.max(np.abs(activity - population.activity)) > _ROUNDING * max(1.0, float(np.abs(activity).max())):
        raise InvalidInput(
            "these `weights` do not give the activities of the population at these `inputs`: give those of the same "
            "layer, and set `bias` if it has one"
        )

    def error(first: Float[Array, "N D"], readout: Float[Array, "N C"]) -> Float[Array, ""]:
        return jnp.sum((task.targets - network.activation(first @ features).T @ readout) ** 2)

    value, gradients = jax.value_and_grad(error, (0, 1))(first, readout)
    penalties = posterior.prior.penalties
    pull = np.hstack([np.asarray(each) for each in gradients])
    decay = np.hstack([2 * penalty * each for penalty, each in zip(penalties, found, strict=True)])
    sizes = np.linalg.norm(pull, axis=1) + np.linalg.norm(decay, axis=1)
    left = np.linalg.norm(pull + decay, axis=1)
    energy = float(value) + sum(
        penalty * float(np.sum(each**2)) for penalty, each in zip(penalties, found, strict=True)
    )
    total = float(np.linalg.norm(pull) + np.linalg.norm(decay))
    return Stationarity(
        energy,
        float(np.linalg.norm(pull + decay)) / total if total > 0 else 0.0,
        np.divide(left, sizes, out=np.zeros_like(left), where=sizes > 0),
    )


def _geometry(kernel: Float[np.ndarray, "P P"], own: Float[np.ndarray, "P P"], population: Population) -> Geometry:
    classes = population.class_count
    by_class = class_kernel(kernel, population.labels)
    dichotomous = population.factors is None and classes >= 4 and classes % 2 == 0
    sides = balanced_dichotomies(classes) if dichotomous else np.zeros((0, classes))
    parallelism = parallelism_of(by_class, population.factors, sides)
    sizes = [float(np.trace(each) - each.sum() / len(each)) for each in (kernel, own)]
    return Geometry(
        kernel=by_class,
        alignment=float(linear_cka_from_kernel(kernel, own)),
        scale=sizes[0] / sizes[1],
        parallelism=parallelism if np.isfinite(parallelism) else None,
    )
