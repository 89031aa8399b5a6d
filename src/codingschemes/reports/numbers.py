"""Numbers as they are read: digits that errors allow, percentages, lists."""

import math
from collections.abc import Sequence
from typing import Any

from codingschemes.coding.predictions import Estimate

LONGEST_LIST = 12
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 3) -> str:
    """A number with a few significant digits; a dash where it does not exist."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if 1000 <= abs(value) < 1e6:
        return f"{value:,.0f}".replace("-", "−")
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    power = f"×10{str(int(exponent)).translate(SUPERSCRIPTS)}" if exponent else ""
    return mantissa.replace("-", "−") + power


def with_error(value: float, error: float) -> str:
    """A value to the precision that its error allows, and the error to one digit, or two where the first is a 1."""
    if math.isnan(error) or not math.isfinite(value):
        return number(value, 4)
    if error == 0:
        return number(value, 4)
    leading = math.floor(math.log10(error))
    decimals = (1 if f"{error:e}"[0] == "1" else 0) - leading
    if decimals > 6 and value != 0:
        exponent = math.floor(math.log10(abs(value)))
        if exponent != 0:
            scaled = with_error(value / 10.0**exponent, error / 10.0**exponent)
            return f"({scaled})×10{str(exponent).translate(SUPERSCRIPTS)}"
    if decimals > 6 or error >= 1e6:
        return f"{number(value, 4)} ± {number(error, 2)}"
    if decimals < 0:
        return f"{round(value, decimals):,.0f} ± {round(error, decimals):,.0f}".replace("-", "−")
    return f"{value:z.{decimals}f} ± {error:.{decimals}f}".replace("-", "−")


def beside(value: float, error: float) -> str:
    """A value without an error, to the precision of one with this error."""
    text, error_text, _ = with_error(value, error).partition(" ± ")
    return text if error_text and not text.startswith("(") else number(value, 4)


def estimate(value: Estimate) -> str:
    return with_error(value.mean, value.mcse)


def rhat(value: float) -> str:
    """Two decimals, so that 1.00 is seen to be a measurement; fewer where it is far from its limit."""
    return f"{value:.2f}" if value < 10 else number(value)


def percent(value: float) -> str:
    return f"{value:.1%}" if 0 < value < 0.0995 else f"{value:.0%}"


def enumeration(words: Sequence[str]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def plain_value(value: Any) -> str:
    """A value of the configuration as it is read."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        shown = [plain_value(item) for item in value[:LONGEST_LIST]]
        rest = f", … ({len(value)} values)" if len(value) > LONGEST_LIST else ""
        return ", ".join(shown) + rest or "–"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {plain_value(item)}" for name, item in value.items()) or "–"
    return str(value)
