"""Settings of JAX for all tests, made before it is imported, and where image files are."""

import gc
import importlib
import os
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Nearly all the time is compilation, nearly half of it LLVM's optimisation of programs that run for less than a second.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")
# Chains on two devices everywhere, on machines with one core, too.
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")

sys.path.insert(0, str(Path(__file__).parent))

#: A picture of one pixel.
PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
IMAGES = Path(os.environ.get("CODINGSCHEMES_DATA", Path(__file__).parents[2] / "shared" / "data"))


#: What modules of the package import: an import within one that jaxtyping changes compiles all source anew.
DEPENDENCIES = (
    "arviz", "blackjax", "equinox", "matplotlib.pyplot", "numpyro.infer.hmc", "optax", "pandas", "pooch",
    "rich.progress", "scipy.stats", "sklearn.linear_model", "sklearn.neural_network", "sklearn.svm", "xarray", "zarr",
)  # fmt: skip


def pytest_sessionstart(session: pytest.Session) -> None:
    """Tests around densities and kernels are loops of their own; those of a host process say so."""
    if session.config.getoption("numprocesses", None):
        return  # tests run in other processes
    for name in DEPENDENCIES:
        importlib.import_module(name)
    import codingschemes

    codingschemes.set_up_jax()
    # Modules are there for good: whoever collects garbage need not look at them again and again.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session", autouse=True)
def _outlines_for_fonts() -> Iterator[None]:
    """Most of the time of a report is cutting whole fonts to size for its PDFs."""
    import matplotlib
    from matplotlib.figure import Figure

    savefig = Figure.savefig

    def quickly(figure: Figure, *arguments: Any, **options: Any) -> None:
        with matplotlib.rc_context({"pdf.fonttype": 3}):
            savefig(figure, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", quickly)
        yield


@pytest.fixture
def image_folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with real images, named by CODINGSCHEMES_DATA; tests that need it are skipped where there is none."""
    if not IMAGES.is_dir():
        pytest.skip(f"there are no image files at {IMAGES}")
    monkeypatch.setenv("CODINGSCHEMES_DATA", str(IMAGES))
    return IMAGES


@pytest.fixture
def without_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are built but neither laid out, as tests/reports do, nor rendered three times: it takes longer than the
    rest of a run."""
    from matplotlib.figure import Figure

    def save(figure: Figure, target: Any, **_: Any) -> None:
        assert figure.axes
        if hasattr(target, "write"):
            target.write(PIXEL)
        else:
            Path(target).write_bytes(PIXEL)

    monkeypatch.setattr(Figure, "savefig", save)


@pytest.fixture
def without_type_checks() -> Iterator[None]:
    """As in ordinary use, where wrong shapes are found by the package's own checks."""
    import jaxtyping

    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
