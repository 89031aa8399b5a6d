"""Double precision: for the whole process, or for the calls of this package alone.

Posteriors at low temperature are ill-conditioned, so that everything is computed in double precision, with products of
full precision. By default JAX is set so once and for all (`settings`). A process with JAX code of its own keeps its
settings by `keep_jax_settings`: each public function then opens `double_precision` for as long as it runs.
"""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

from codingschemes.errors import InvalidInput

_scoped = False


def keep_jax_settings() -> None:
    """Leave JAX in this process as it is: precision, devices and disk cache. Call it before anything else of the
    package.

    Public functions compute in double precision all the same. What is computed with a density or a kernel in a loop of
    your own goes inside `double_precision`.

    Raises:
        InvalidInput: the package has set JAX already.
    """
    global _scoped
    if "codingschemes.settings" in sys.modules and not _scoped:
        raise InvalidInput("JAX is set for codingschemes already: call keep_jax_settings() before anything else of it")
    _scoped = True


def settings_are_kept() -> bool:
    """Whether this process keeps JAX as it is."""
    return _scoped


@contextlib.contextmanager
def double_precision() -> Iterator[None]:
    """Inside, JAX computes in double precision, with products of full precision."""
    import jax

    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


def in_double_precision[F: Callable[..., Any]](function: F) -> F:
    """The function, which runs in double precision where the process keeps its own settings."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not _scoped:
            return function(*args, **kwargs)
        with double_precision():
            return function(*args, **kwargs)

    return cast(F, call)


def require_double_precision(what: str) -> None:
    """Refuse to go on in single precision.

    Raises:
        InvalidInput: the process keeps its own settings, and this is not inside `double_precision`.
    """
    import jax

    if _scoped and not jax.config.jax_enable_x64:
        raise InvalidInput(f"{what} in double precision: use it inside `with cs.double_precision():`")
