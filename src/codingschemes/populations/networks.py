"""Layers of trained networks as populations."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from codingschemes.errors import InvalidInput
from codingschemes.networks.activations import ACTIVATIONS
from codingschemes.populations.population import Population

_SKLEARN = {"identity": "linear", "logistic": "logistic", "tanh": "tanh", "relu": "relu"}
_TORCH = {"ReLU": "relu", "Sigmoid": "logistic", "Tanh": "tanh", "Hardtanh": "hardtanh", "GELU": "gelu", "SiLU": "silu"}
_JAX = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "silu": "silu", "softplus": "softplus"}


def from_sklearn(model: Any, inputs: Any, labels: Any, **options: Any) -> dict[str, Population]:
    """Hidden layers of a trained `MLPClassifier` or `MLPRegressor` of scikit-learn.

    Args:
        model: fitted.
        inputs: as `model.predict` takes them, (sample, feature).
        labels: one a sample.
        options: `factors` and `names` of `Population`.

    Returns:
        A population a hidden layer, `layer 1` and on. The last has the weights of the outputs as its readout, unless
        two classes share one output.

    Raises:
        InvalidInput: the model is not fitted, or no multi-layer perceptron.

    Example:
        >>> from sklearn.neural_network import MLPClassifier
        >>> model = MLPClassifier((5,), solver="lbfgs", random_state=0).fit(activity, labels)
        >>> list(cs.populations.from_sklearn(model, activity, labels))
        ['layer 1']
    """
    if not hasattr(model, "coefs_") or not hasattr(model, "intercepts_"):
        raise InvalidInput("from_sklearn takes a fitted MLPClassifier or MLPRegressor: call its fit first")
    if model.activation not in _SKLEARN:
        raise InvalidInput(f"the activation {model.activation!r} of the model is not known: give `Population` arrays")
    name = _SKLEARN[model.activation]
    activity, found = np.asarray(inputs, float), {}
    for layer, (weights, bias) in enumerate(zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True), 1):
        activity = np.asarray(ACTIVATIONS[name](jnp.asarray(activity @ weights + bias)))
        last = layer == len(model.coefs_) - 1
        found[f"layer {layer}"] = Population(
            activity, labels, readout=model.coefs_[-1] if last else None, activation=name, name=f"layer {layer}",
            **options,
        )  # fmt: skip
    return found


def from_torch(
    model: Any, inputs: Any, labels: Any, layers: Sequence[str] | None = None, **options: Any
) -> dict[str, Population]:
    """Outputs of modules of a trained PyTorch network, by forward hooks.

    Args:
        model: a `torch.nn.Module`; it is put in evaluation mode for the call, and back.
        inputs: what the model is called with, samples first: a tensor or an array.
        labels: one a sample.
        layers: names of modules as `model.named_modules()` has them; all activation modules if left out. Feature maps
            are averaged over space: a channel is a neuron.
        options: `factors` and `names` of `Population`.

    Returns:
        A population a module, by its name. One that a last `torch.nn.Linear` reads the outputs from has its weights as
        readout.

    Raises:
        InvalidInput: PyTorch is not installed, a name is no module's, or a module did not run.

    Example:
        >>> found = cs.populations.from_torch(model, inputs, labels)  # doctest: +SKIP
    """
    try:
        import torch
    except ImportError:
        raise InvalidInput(
            "from_torch needs PyTorch, which is not installed: pip install torch, or give `Population` arrays"
        ) from None
    modules: Mapping[str, Any] = dict(model.named_modules())
    chosen = [name for name, module in modules.items() if type(module).__name__ in _TORCH] if layers is None else layers
    for name in chosen:
        if name not in modules:
            raise InvalidInput(f"the model has no module {name!r}: it has {', '.join(filter(None, modules))}")
    if not chosen:
        raise InvalidInput("the model has no module that is an activation: name modules with `layers`")
    outputs: dict[str, Any] = {}
    read: list[tuple[Any, Any, Any]] = []  # what linear modules were given, their weights, and what they gave
    hooks = [
        module.register_forward_hook(lambda module, given, output: read.append((given[0], module.weight, output)))
        for module in modules.values()
        if isinstance(module, torch.nn.Linear)
    ] + [
        modules[name].register_forward_hook(lambda _module, _given, output, name=name: outputs.update({name: output}))
        for name in chosen
    ]
    training = model.training
    try:
        model.eval()
        with torch.no_grad():
            given = inputs if isinstance(inputs, torch.Tensor) else torch.as_tensor(np.asarray(inputs, np.float32))
            last = model(given)
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    found = {}
    for name in chosen:
        if name not in outputs:
            raise InvalidInput(f"the module {name!r} did not run for these inputs: leave it out of `layers`")
        readers = [weight for seen, weight, output in read if seen is outputs[name] and output is last]
        readout = readers[0].detach().cpu().double().numpy().T if readers else None
        activity = outputs[name].detach().cpu().double().numpy()
        activity = activity.reshape(*activity.shape[:2], -1).mean(2) if activity.ndim > 2 else activity
        kind = _TORCH.get(type(modules[name]).__name__)
        found[name] = Population(activity, labels, readout=readout, activation=kind, name=name, **options)
    return found


def from_equinox(model: Any, inputs: Any, labels: Any, **options: Any) -> dict[str, Population]:
    """Hidden layers of an `equinox.nn.MLP`.

    Args:
        model: the network; it takes one sample, as Equinox has it.
        inputs: (sample, feature).
        labels: one a sample.
        options: `factors` and `names` of `Population`.

    Returns:
        A population a hidden layer, `layer 1` and on. The last has the weights of the outputs as its readout.

    Raises:
        InvalidInput: the model is no multi-layer perceptron, or has no hidden layer.

    Example:
        >>> import equinox, jax
        >>> model = equinox.nn.MLP(12, 4, 8, depth=2, key=jax.random.PRNGKey(0))
        >>> list(cs.populations.from_equinox(model, activity, labels))
        ['layer 1', 'layer 2']
    """
    layers = getattr(model, "layers", None)
    if not isinstance(model, eqx.nn.MLP) or layers is None or len(layers) < 2:
        raise InvalidInput(
            "from_equinox takes an equinox.nn.MLP with a hidden layer: of other modules give `Population` their "
            "activities, (sample, neuron)"
        )
    name = _JAX.get(getattr(model.activation, "__name__", ""))
    activity, found = jnp.asarray(np.asarray(inputs, float)), {}
    for number, layer in enumerate(layers[:-1], 1):
        activity = jax.vmap(lambda row, layer=layer: model.activation(layer(row)))(activity)
        last = number == len(layers) - 1
        found[f"layer {number}"] = Population(
            np.asarray(activity), labels, readout=np.asarray(layers[-1].weight).T if last else None, activation=name,
            name=f"layer {number}", **options,
        )  # fmt: skip
    return found


def from_flax(model: Any, inputs: Any, labels: Any, variables: Any = None, **options: Any) -> dict[str, Population]:
    """Activations between the layers of a Flax network in sequence.

    Args:
        model: an `flax.nnx.Sequential`, or a `flax.linen.Sequential`.
        inputs: samples first.
        labels: one a sample.
        variables: parameters of a linen model, as its `init` gave them; of nnx none, which hold their own.
        options: `factors` and `names` of `Population`.

    Returns:
        A population for each function in the sequence, as `flax.nnx.relu`: `layer 1` and on. Feature maps are averaged
        over space: a channel is a neuron. One that a last `Linear` or `Dense` reads the outputs from has its weights as
        readout.

    Raises:
        InvalidInput: Flax is not installed, the model is no sequence, has no functions in it, or lacks its variables.

    Example:
        >>> found = cs.populations.from_flax(model, inputs, labels)  # doctest: +SKIP
    """
    try:
        from flax import linen, nnx
    except ImportError:
        raise InvalidInput(
            "from_flax needs Flax, which is not installed: pip install flax, or give `Population` arrays"
        ) from None
    if isinstance(model, linen.Sequential):
        if variables is None:
            raise InvalidInput("a linen model has no weights of its own: give its `variables`, as its init gave them")
        layers = list(model.bind(variables).layers)
    elif isinstance(model, nnx.Sequential):
        layers = list(model.layers)
    else:
        raise InvalidInput(
            "from_flax takes a Sequential of flax.nnx or flax.linen: of other modules give `Population` their "
            "activities, (sample, neuron)"
        )
    activity, seen = jnp.asarray(np.asarray(inputs)), []
    for place, layer in enumerate(layers):
        activity = layer(activity)
        if not isinstance(layer, linen.Module | nnx.Module):
            seen.append((place, activity))
    if not seen:
        raise InvalidInput("the model has no function between its modules: give `Population` their activities")
    found = {}
    for number, (place, values) in enumerate(seen, 1):
        reader = layers[-1] if place == len(layers) - 2 and isinstance(layers[-1], linen.Dense | nnx.Linear) else None
        if reader is not None:
            kernel = reader.variables["params"]["kernel"] if isinstance(reader, linen.Dense) else reader.kernel[...]
        found[f"layer {number}"] = Population(
            np.asarray(values, float).mean(axis=tuple(range(1, values.ndim - 1))), labels,
            readout=None if reader is None else np.asarray(kernel), name=f"layer {number}",
            activation=_JAX.get(getattr(layers[place], "__name__", "")), **options,
        )  # fmt: skip
    return found
