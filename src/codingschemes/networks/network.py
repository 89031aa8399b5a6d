"""Fully connected and recurrent networks: how many neurons, how they are scaled, how activity propagates."""

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple, get_args

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from codingschemes.calls import checked
from codingschemes.errors import InvalidInput
from codingschemes.networks.activations import Activation
from codingschemes.networks.own import activation_named
from codingschemes.precision import in_double_precision
from codingschemes.tables import html_table

#: Beyond, not even their number can be worked with.
_MOST_WEIGHTS = 10**15

type Scaling = Literal["mean-field", "lazy", "none"]


class Weights(NamedTuple):
    """The weights of one network as they stand (not whitened).

    With a bias every layer but the readout has one more column, the weight on a constant input. A recurrent network has
    one hidden matrix, W_rec, without that column: its bias is a column of the input weights.
    """

    input: Float[Array, "*draws N F0"]
    hidden: Float[Array, "*draws H N F"]
    readout: Float[Array, "*draws N C"]


class Network(eqx.Module):
    """L >= 1 hidden layers of one width and one activation, and a linear readout.

        z^1 = s_0 W^1 x + b^1,   z^{l+1} = s_l W^{l+1} phi(z^l) + b^{l+1},   f = gamma sum_i a_i phi(z_i^L)

    | scaling | s_0 | s_l | gamma |
    | --- | --- | --- | --- |
    | `mean-field` | 1/sqrt(N0) | 1/sqrt(N) | 1/N |
    | `lazy` | 1/sqrt(N0) | 1/sqrt(N) | 1/sqrt(N) |
    | `none` (as in the L2-regularised loss) | 1 | 1 | 1 |

    The bias is a weight on a constant input 1 and shares the prior (the penalty) of its layer; readouts have none.

    A `recurrent` network is one layer over L >= 2 time steps, with the same weights and the same input at every step:

        z^1 = s_0 W x + b,   z^{t+1} = z^1 + s_l W_rec phi(z^t),   f = gamma sum_i a_i phi(z_i^L)

    Its time steps are what hidden layers are elsewhere: `depth` counts them.

    Sources: van Meegen & Sompolinsky 2025, Methods (scalings); Wang, Johnston & Fusi 2025 (bias, `none`); Elman 1990
    (the recurrent network, here with constant input, from rest).

    Attributes:
        activation_name: a registered name; `activation` is what is known of it.
        width: neurons N of every hidden layer.
        depth: hidden layers, or time steps, L.
        bias: whether layers have one.
        scaling: of the table above.
        recurrent: whether all layers are one, over time.

    Raises:
        InvalidInput: unknown activation or scaling, width or depth below one or beyond all machines, a recurrent
            network of one time step.

    Example:
        >>> cs.Network("relu", width=50, depth=2)
        Network(relu, width 50, 2 layers, scaling mean-field)
    """

    activation_name: str = eqx.field(static=True)
    width: int = eqx.field(static=True)
    depth: int = eqx.field(static=True)
    bias: bool = eqx.field(static=True)
    scaling: Scaling = eqx.field(static=True)
    recurrent: bool = eqx.field(static=True)

    @checked
    def __init__(
        self,
        activation: Annotated[
            str, "the name of an activation (cs.register_activation gives one to a function of your own)"
        ] = "sigmoid",
        *,
        width: int = 100,
        depth: int = 1,
        bias: bool = False,
        scaling: Scaling = "mean-field",
        recurrent: bool = False,
    ):
        activation_named(activation)
        if width < 1:
            raise InvalidInput(f"`width` is {width}: give at least one neuron")
        if depth < 1:
            raise InvalidInput(f"`depth` is {depth}: give at least one hidden layer")
        if width * (depth + (1 if recurrent else depth - 1) * width) > _MOST_WEIGHTS:
            raise InvalidInput(
                f"a network of depth {depth} and width {width} has more weights than any machine holds: lower `width` "
                "or `depth`"
            )
        if recurrent and depth == 1:
            raise InvalidInput("a recurrent network of one time step has no recurrence: give a depth of at least 2")
        if scaling not in get_args(Scaling.__value__):
            raise InvalidInput(f"there is no scaling {scaling!r}: choose one of mean-field, lazy, none")
        self.activation_name = activation
        self.width = width
        self.depth = depth
        self.bias = bias
        self.scaling = scaling
        self.recurrent = recurrent

    def __repr__(self) -> str:
        further = [name for name in ("bias", "recurrent") if getattr(self, name)]
        scaling = f"scaling {self.scaling}"
        return f"Network({', '.join([self.activation_name, f'width {self.width}', self._layers, scaling, *further])})"

    def _repr_html_(self) -> str:
        facts = {"activation": f"{self.activation_name} ({self.activation.family})", "width": self.width}
        facts |= {f"{self.layer_name}s": self.depth, "bias": "yes" if self.bias else "no", "scaling": self.scaling}
        return html_table("Recurrent network" if self.recurrent else "Network", facts)

    @property
    def _layers(self) -> str:
        return f"{self.depth} {self.layer_name}{'' if self.depth == 1 else 's'}"

    @property
    def activation(self) -> Activation:
        """What is known of the activation function."""
        return activation_named(self.activation_name)

    @property
    def layer_name(self) -> str:
        """What a layer of preactivations is, in words."""
        return "time step" if self.recurrent else "layer"

    @property
    def readout_scale(self) -> float:
        """gamma, by which the sum over neurons is multiplied."""
        return {"mean-field": 1 / self.width, "lazy": self.width**-0.5, "none": 1.0}[self.scaling]

    @property
    def hidden_feature_count(self) -> int:
        """Columns of a hidden weight matrix: the width, and one for the bias unless it is recurrent."""
        return self.width + (self.bias and not self.recurrent)

    @property
    def hidden_matrix_count(self) -> int:
        """Weight matrices between hidden layers: one for all steps of a recurrent network."""
        return 1 if self.recurrent else self.depth - 1

    def features(self, units: Float[Array, "F P"]) -> Float[Array, "F1 P"]:
        """What the first layer's weights multiply, (feature, sample): the inputs, scaled by fan-in, and a row of ones
        for the bias.

        Args:
            units: the inputs, (feature, sample).
        """
        return self._with_bias(self._scaled(units))

    def hidden_features(self, activity: Float[Array, "N P"]) -> Float[Array, "F1 P"]:
        """What the weights between hidden layers multiply, (feature, sample); the bias of a recurrent network comes
        with its input.

        Args:
            activity: of the layer below, (neuron, sample).
        """
        units = self._scaled(activity)
        return units if self.recurrent else self._with_bias(units)

    def _scaled(self, units: Float[Array, "F P"]) -> Float[Array, "F P"]:
        return units if self.scaling == "none" else units / jnp.sqrt(units.shape[0])

    def _with_bias(self, units: Float[Array, "F P"]) -> Float[Array, "F1 P"]:
        return jnp.concatenate([units, jnp.ones((1, units.shape[1]), units.dtype)]) if self.bias else units

    def propagate(
        self,
        first: Float[Array, "N P"],
        hidden: Float[Array, "H N K"],
        combine: Callable[[Array, Array], Array] = jnp.matmul,
    ) -> tuple[Float[Array, "L N P"], Float[Array, "N P"]]:
        """Preactivations of every hidden layer, and the last layer's activity, from the first preactivations.

        Args:
            first: z^1.
            hidden: weights between hidden layers, or other coordinates of the neurons; W_rec alone where recurrent.
            combine: (a layer's coordinates (neuron, coordinate), features below (feature, sample)) -> preactivations;
                weights are multiplied with features.
        """
        if self.depth == 1:
            return first[None], self.activation(first)

        def next_layer(
            z: Float[Array, "N P"], coordinates: Float[Array, "N K"]
        ) -> tuple[Float[Array, "N P"], Float[Array, "N P"]]:
            z = combine(coordinates, self.hidden_features(self.activation(z)))
            return z, z

        def next_step(z: Float[Array, "N P"], _: None) -> tuple[Float[Array, "N P"], Float[Array, "N P"]]:
            z = first + next_layer(z, hidden[0])[0]
            return z, z

        if self.recurrent:
            last, above = lax.scan(next_step, first, None, length=self.depth - 1)
        else:
            last, above = lax.scan(next_layer, first, hidden)
        return jnp.concatenate([first[None], above]), self.activation(last)

    def outputs(self, activity: Float[Array, "N P"], readout: Float[Array, "N C"]) -> Float[Array, "P C"]:
        """f = gamma phi^T a of the last layer's `activity` phi and the `readout` a."""
        return self.readout_scale * activity.T @ readout

    @in_double_precision
    def apply(self, weights: Weights, inputs: Float[Array, "P D"]) -> tuple[Float[Array, "L N P"], Float[Array, "P C"]]:
        """Preactivations of every hidden layer and outputs at any `inputs`, (sample, feature), of the network with
        these `weights`."""
        first = weights.input @ self.features(inputs.T)
        preactivations, activity = self.propagate(first, weights.hidden)
        return preactivations, self.outputs(activity, weights.readout)
