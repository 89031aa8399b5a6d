"""The one place that turns penalties into prior variances, and knows the literature's values."""

import math
from typing import NamedTuple

from codingschemes.errors import InvalidInput
from codingschemes.networks import Network


class Prior(NamedTuple):
    """Variances of the Gaussian priors of a W_ij and an a_i as they stand, and the temperature.

    `source` says in words where the values came from.
    """

    temperature: float
    weight_variance: float
    readout_variance: float
    source: str

    @property
    def penalties(self) -> tuple[float, float]:
        """(penalty1, penalty2) of the equivalent loss ||Y-f||^2 + penalty1 ||W||^2 + penalty2 ||a||^2."""
        return self.temperature / self.weight_variance, self.temperature / self.readout_variance


def check_prior(prior: Prior) -> None:
    """Refuse a prior that is none: it may come from a file.

    Raises:
        InvalidInput: a temperature or variance that is no positive finite number, a source that is no text.
    """
    for name in ("temperature", "weight_variance", "readout_variance"):
        value = getattr(prior, name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and value > 0):
            raise InvalidInput(f"`{name}` of the prior is {value!r}: give a positive finite number")
    if not isinstance(prior.source, str):
        raise InvalidInput(f"the source of the prior is {prior.source!r}: give a text")


def literature_readout_variance(network: Network, samples: int) -> float:
    """1/P for nonlinear networks (van Meegen & Sompolinsky 2025) and P^{-1/L} for linear ones.

    The linear exponent is derived, not printed: with it readouts stay of one order of magnitude at any depth. In a
    recurrent network the input reaches the last step directly, as it does with one layer.
    """
    layers = 1 if network.recurrent else network.depth
    exponent = 1 / layers if network.activation.family == "linear" else 1
    return samples**-exponent


def resolve_prior(
    network: Network,
    samples: int,
    *,
    temperature: float,
    weight_variance: float | None = None,
    readout_variance: float | None = None,
    penalty1: float | None = None,
    penalty2: float | None = None,
) -> Prior:
    """The prior said either as variances or as penalties of E, sampled as exp(-E/(2T)).

    A penalty lambda is the variance T/lambda. Variances left out take the literature's values.

    Raises:
        InvalidInput: both forms at once, one penalty without the other, or a value that is not positive and finite.
    """
    given = {
        "temperature": temperature,
        "weight variance": weight_variance,
        "readout variance": readout_variance,
        "penalty1": penalty1,
        "penalty2": penalty2,
    }
    for name, value in given.items():
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InvalidInput(f"`{name.replace(' ', '_')}` is {value}: give a positive finite number")
    penalties = penalty1 is not None or penalty2 is not None
    variances = weight_variance is not None or readout_variance is not None
    if penalties and variances:
        raise InvalidInput(
            "penalties and variances say the same thing twice: give `penalty1` and `penalty2`, or "
            "`weight_variance` and `readout_variance`"
        )
    if penalties:
        if penalty1 is None or penalty2 is None:
            missing = "`penalty1`" if penalty1 is None else "`penalty2`"
            raise InvalidInput(f"a regularised loss has two penalties: give {missing} too")
        weight, readout = temperature / penalty1, temperature / penalty2
        for name, variance in (("penalty1", weight), ("penalty2", readout)):
            if not (math.isfinite(variance) and variance > 0):
                raise InvalidInput(
                    f"`{name}` = {given[name]} at `temperature` = {temperature} is a prior variance of {variance}: "
                    "give numbers that are less far apart"
                )
        return Prior(temperature, weight, readout, "penalties given")
    defaults = [
        name
        for name, value in (("weight variance", weight_variance), ("readout variance", readout_variance))
        if value is None
    ]
    source = "variances given" if not defaults else f"{' and '.join(defaults)} from the literature"
    return Prior(
        temperature,
        1.0 if weight_variance is None else weight_variance,
        literature_readout_variance(network, samples) if readout_variance is None else readout_variance,
        source,
    )
