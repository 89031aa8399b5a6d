"""The L2-regularised loss of a network on a task, read as a negative log posterior."""

import functools
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.calls import checked, known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.networks import Network, Weights
from codingschemes.posterior.conditionals import draw_weights
from codingschemes.posterior.density import Density, ReducedDensity, WeightsDensity
from codingschemes.posterior.function import FunctionDensity
from codingschemes.posterior.priors import Prior, resolve_prior
from codingschemes.precision import in_double_precision, require_double_precision
from codingschemes.tables import html_table
from codingschemes.tasks import Task

type Space = Literal["reduced", "function", "weights"]

_FORMS: dict[str, type[Density]] = {
    "reduced": ReducedDensity,
    "function": FunctionDensity,
    "weights": WeightsDensity,
}
#: Samples over temperature up to which trajectories along forces in single precision were seen to be accepted as often
#: as in double precision (benchmarks/equilibrium.md).
_SINGLE_UP_TO = 1e7


@dataclass(frozen=True, eq=False, init=False)
class Posterior:
    """p(weights | task) proportional to exp(-||Y - f||^2/(2T)) times Gaussian priors.

    Equivalently exp(-E/(2T)) with E = ||Y - f||^2 + penalty1 ||W||^2 + penalty2 ||a||^2. Give `weight_variance` and
    `readout_variance`, or both penalties, or nothing for the literature's values (`prior.source` says which).

    Sources: van Meegen & Sompolinsky 2025 (mean-field scaling and priors); Wang, Johnston & Fusi 2025 (E).

    Attributes:
        task: what is learned.
        network: the architecture.
        prior: temperature T and the variances of weights and readouts as they stand.

    Raises:
        InvalidInput: a variance, penalty or temperature that is not positive; penalties together with variances.

    Example:
        >>> cs.Posterior(task, cs.Network("tanh", width=50), temperature=1e-3)
        Posterior(orthogonal, tanh, width 50, depth 1, T = 0.001)
        >>> posterior.input_kernel().shape
        (24, 24)
    """

    task: Task
    network: Network
    prior: Prior

    @checked
    def __init__(
        self,
        task: Task,
        network: Network,
        *,
        temperature: float = 1e-4,
        weight_variance: float | None = None,
        readout_variance: float | None = None,
        penalty1: float | None = None,
        penalty2: float | None = None,
    ):
        prior = resolve_prior(
            network,
            task.sample_count,
            temperature=temperature,
            weight_variance=weight_variance,
            readout_variance=readout_variance,
            penalty1=penalty1,
            penalty2=penalty2,
        )
        self._set(task, network, prior)

    @classmethod
    @known_keywords
    def with_prior(cls, task: Task, network: Network, prior: Prior) -> "Posterior":
        """The posterior of a `task` and a `network` with a `prior` that is resolved already, as a run recorded it."""
        posterior = cls.__new__(cls)
        posterior._set(task, network, prior)
        return posterior

    def _set(self, task: Task, network: Network, prior: Prior) -> None:
        for name, value in (("task", task), ("network", network), ("prior", prior)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        network = self.network
        return (
            f"Posterior({self.task.name}, {network.activation_name}, width {network.width}, depth {network.depth}, "
            f"T = {self.prior.temperature:g})"
        )

    def _repr_html_(self) -> str:
        prior = self.prior
        facts = {"task": self.task, "network": self.network, "temperature": f"{prior.temperature:g}"}
        facts["variances of weights, readouts"] = f"{prior.weight_variance:g}, {prior.readout_variance:g}"
        facts["penalties of the same loss"] = ", ".join(f"{each:g}" for each in prior.penalties)
        return html_table("Posterior", facts)

    @in_double_precision
    def input_kernel(self, *, test: bool = False) -> Float[np.ndarray, "P P"]:
        """K0, the prior covariance of a first-layer neuron's preactivations at the training inputs.

        Args:
            test: at the test inputs, too, after the others.

        Raises:
            InvalidInput: it is beyond double precision.
        """
        inputs = np.concatenate([self.task.inputs, self.task.test_inputs]) if test else self.task.inputs
        features = np.asarray(self.network.features(jnp.asarray(inputs.T)))
        with np.errstate(over="ignore", invalid="ignore"):
            kernel = self.prior.weight_variance * features.T @ features
        if not np.isfinite(kernel).all():
            raise InvalidInput(
                f"at a weight variance of {self.prior.weight_variance:g} preactivations are beyond all numbers: lower "
                "`weight_variance`, or scale the inputs with `preprocess`"
            )
        return kernel

    def density(self, space: Space = "reduced") -> Density:
        """The log density in one of its forms.

        Args:
            space: `reduced` (readouts integrated out, inputs through their kernel), `function` (all layers through
                their preactivations) or `weights`.

        Raises:
            InvalidInput: a form that does not exist, or `function` for a recurrent network, whose steps share their
                weights and so are not independent given those below; or JAX in single precision: `double_precision`
                and `set_up_jax` help.
        """
        self._check_space(space)
        eigenvalues, eigenvectors = np.linalg.eigh(self.input_kernel())
        order = np.argsort(eigenvalues)[::-1]
        eigenvalues, eigenvectors = eigenvalues[order], eigenvectors[:, order]
        resolved = eigenvalues > eigenvalues[0] * (len(eigenvalues) * 10 * np.finfo(float).eps)
        return self._with_basis(space, jnp.asarray(eigenvectors[:, resolved] * np.sqrt(eigenvalues[resolved])))

    def density_shapes(self, space: Space = "reduced") -> Density:
        """`density` with the shapes and dtypes of its arrays in their place (`jax.ShapeDtypeStruct`): what it takes is
        known before anything is computed. Inputs count as linearly independent, so far as there are features.

        Args:
            space: as in `density`.

        Raises:
            InvalidInput: see `density`.
        """
        self._check_space(space)
        samples, features = self.task.inputs.shape
        rank = min(samples, features + self.network.bias)
        basis = jax.ShapeDtypeStruct((samples, rank), float)
        return jax.eval_shape(functools.partial(self._with_basis, space), basis)

    def single_forces(self, space: Space = "reduced") -> bool:
        """Whether trajectories along forces in single precision are accepted as often as in double: not in the function
        form, which takes roots of singular kernels, nor at very low temperature for so many samples.

        Args:
            space: as in `density`.
        """
        return space != "function" and self.task.sample_count <= _SINGLE_UP_TO * self.prior.temperature

    def _check_space(self, space: Space) -> None:
        require_double_precision("a density computes")
        if space not in _FORMS:
            raise InvalidInput(f"there is no space {space!r}: choose one of {', '.join(_FORMS)}")
        if space == "function" and self.network.recurrent:
            raise InvalidInput(
                "the function form needs layers with weights of their own, which a recurrent network does not have: "
                "use `space` reduced or weights"
            )

    def _with_basis(self, space: Space, basis: Float[Array, "P R"]) -> Density:
        membership = np.eye(self.task.class_count)[self.task.labels]
        return _FORMS[space](
            network=self.network,
            features=self.network.features(jnp.asarray(self.task.inputs.T)),
            targets=jnp.asarray(self.task.targets),
            basis=basis,
            class_average=jnp.asarray(membership / membership.sum(axis=0)),
            temperature=jnp.asarray(self.prior.temperature),
            weight_variance=jnp.asarray(self.prior.weight_variance),
            readout_variance=jnp.asarray(self.prior.readout_variance),
            single_forces=self.single_forces(space),
        )

    @in_double_precision
    def draw_weights(self, key: Array, preactivations: Float[Array, "L N P"], readout: Float[Array, "N C"]) -> Weights:
        """An exact draw of all weights given one draw's preactivations at the training inputs and its readout.

        Apply the network to them for preactivations and outputs at any inputs, jointly distributed as they should be.

        Args:
            key: of the draw.
            preactivations: z of every layer, (layer, neuron, sample).
            readout: a, (neuron, output).

        Returns:
            Weights as they stand (not whitened).
        """
        network, variance = self.network, jnp.asarray(self.prior.weight_variance)
        keys = jax.random.split(key, network.depth)
        preactivations = jnp.asarray(preactivations, float)
        features = network.features(jnp.asarray(self.task.inputs.T))
        first = draw_weights(keys[0], preactivations[0], features, variance)
        above = preactivations[1:]
        below = [network.hidden_features(network.activation(z)) for z in preactivations[:-1]]
        if network.recurrent:
            # one regression on the activity of all steps and samples
            recurred = jnp.concatenate(list(above - preactivations[0]), axis=1)
            hidden = [draw_weights(keys[1], recurred, jnp.concatenate(below, axis=1), variance)]
        else:
            hidden = [draw_weights(*layer, variance) for layer in zip(keys[1:], above, below, strict=True)]
        shape = (network.hidden_matrix_count, network.width, network.hidden_feature_count)
        return Weights(first, jnp.asarray(hidden).reshape(shape), jnp.asarray(readout, float))
