"""Double precision: for the calls of this package alone, or, where it is asked for, for the whole process.

Posteriors at low temperature are ill-conditioned, so that everything is computed in double precision, with products of
full precision. A process keeps its own settings: each public function opens `double_precision` for as long as it runs.
What is used in loops of one's own, a density or a kernel, refuses single precision with the first thing it computes.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, cast

from codingschemes.errors import InvalidInput

#: What double precision is, as settings of JAX.
DOUBLE: dict[str, Any] = {"jax_enable_x64": True, "jax_default_matmul_precision": "highest"}


@contextlib.contextmanager
def double_precision() -> Iterator[None]:
    """Inside, JAX computes in double precision, with products of full precision: for loops of your own around a density
    or a kernel. `set_up_jax` says the same for the whole process.

    Example:
        >>> with cs.double_precision():
        ...     density = posterior.density()
        >>> density.shapes
        {'input': (12, 24)}
    """
    import jax

    with jax.enable_x64(True), jax.default_matmul_precision(DOUBLE["jax_default_matmul_precision"]):
        yield


def in_double_precision[F: Callable[..., Any]](function: F) -> F:
    """The function, which runs in double precision wherever it is called."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _is_double():
            return function(*args, **kwargs)
        with double_precision():
            return function(*args, **kwargs)

    return cast(F, call)


def require_double_precision(what: str) -> None:
    """Refuse to go on in single precision. Inside what JAX compiles, this is asked while it is traced and costs nothing
    after that; what was traced in double precision is traced again outside.

    Raises:
        InvalidInput: JAX computes in single precision here.
    """
    import jax

    if not jax.config.jax_enable_x64:
        raise InvalidInput(
            f"{what} in double precision: use it inside `with cs.double_precision():`, or call `cs.set_up_jax()` first"
        )


def _is_double() -> bool:
    import jax

    config = jax.config
    return config.jax_enable_x64 and config.jax_default_matmul_precision == DOUBLE["jax_default_matmul_precision"]
