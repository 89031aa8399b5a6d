"""Files of somebody else: nothing in them is run, and nothing outside of their folder is read or written for them."""

import json
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import codingschemes as cs
from codingschemes import compiled
from codingschemes.populations.files import read_population
from codingschemes.runs import checkpoint, folder
from codingschemes.runs.checking import check, repair
from codingschemes.runs.configuration import Sampling, describe, made_by
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.lock import LOCK
from codingschemes.runs.run import CHECKPOINT, CONFIG, DRAWS, write_json
from codingschemes.runs.store import DrawStore
from codingschemes.sweeps import read_plan
from codingschemes.tasks.archives import read_arrays

PACKAGE = Path(cs.__file__).parent
SPRUNG = "sprung"


class Trap:
    """Leaves a file where it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path(SPRUNG),)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """A run with five draws that nobody sampled."""
    posterior = cs.Posterior(cs.tasks.orthogonal(samples=6), cs.Network("relu", width=4), temperature=1e-2)
    path = tmp_path_factory.mktemp("runs") / "run"
    folder.create(path, posterior, describe(posterior, Sampling()), made_by(Sampling()))
    (path / LOCK).unlink()
    sizes = {"chain": 2, "draw": 5}
    DrawStore(path / DRAWS).append(
        {
            group: {name: np.zeros((*sizes.values(), *(2 for _ in rest))) for name, rest in variables.items()}
            for group, variables in DIMENSIONS.items()
        }
    )
    assert cs.Run.open(path).draw_count == 5
    return path


@pytest.fixture
def run_folder(kept, tmp_path, monkeypatch) -> Path:
    """A copy of it, as from elsewhere."""
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(kept, tmp_path / "run")


def edit(file: Path, change) -> None:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def _archive(_: Path) -> None:
    np.savez("data.npz", x=np.array([Trap()]))
    read_arrays(Path("data.npz"))


def _activities(_: Path) -> None:
    np.save("data.npy", np.array([Trap()]))
    read_population(Path("data.npy"), labels="data.npy")


def _states(path: Path) -> None:
    header = dict.fromkeys(checkpoint._NUMBERS, 0)
    with Path("states").open("wb") as file:
        np.save(file, np.array([Trap()]))
    header |= {"format": checkpoint._FORMAT, "made_of": checkpoint.digest(cs.Run.open(path).made_of), "judged": False}
    checkpoint._write(path / CHECKPOINT, header, Path("states").read_bytes())
    like = checkpoint.Checkpoint(0, 0, 0, 0, 0.0, 0.0, None, np.zeros(1))
    checkpoint.read_checkpoint(path / CHECKPOINT, like, cs.Run.open(path).made_of)


def _draws(path: Path) -> None:
    """An array of an older zarr, whose filter unpickles."""
    array = path / DRAWS / "posterior" / "energy"
    shutil.rmtree(array)
    array.mkdir()
    said = {"zarr_format": 2, "shape": [2, 5], "chunks": [2, 5], "dtype": "<f8", "compressor": None, "fill_value": None}
    said |= {"order": "C", "filters": [{"id": "pickle", "protocol": 5}], "dimension_separator": "."}
    (array / ".zarray").write_text(json.dumps(said))
    (array / "0.0").write_bytes(pickle.dumps(Trap()))
    edit(
        path / DRAWS / "zarr.json",
        lambda root: root["consolidated_metadata"]["metadata"].update({"posterior/energy": said}),
    )
    cs.Run.open(path).values("posterior", "energy")


@pytest.mark.parametrize("read", [_archive, _activities, _states, _draws])
def test_no_reader_unpickles(run_folder, read):
    pickle.loads(pickle.dumps(Trap()))
    Path(SPRUNG).unlink()
    with pytest.raises(cs.InvalidInput):
        read(run_folder)
    assert not Path(SPRUNG).exists()


def test_the_package_neither_unpickles_nor_evaluates_text():
    forbidden = re.compile(
        r"^\s*(import|from) (cloudpickle|pickle|dill|joblib|marshal|shelve)|(?<![\w.])(eval|exec)\(", re.MULTILINE
    )
    assert [path.name for path in PACKAGE.rglob("*.py") if forbidden.search(path.read_text())] == []


@pytest.mark.parametrize("inside", ["", "linked"])
def test_nothing_is_written_outside_of_a_store(run_folder, inside):
    outside = run_folder.parent / "elsewhere"
    outside.mkdir()

    def name_it(root):
        listed = root["consolidated_metadata"]["metadata"]
        group = {"attributes": {}, "zarr_format": 3, "node_type": "group"}
        way = [inside] if inside else ["..", "../..", "../../elsewhere"]
        listed.update(dict.fromkeys(way, group))
        listed[f"{way[-1]}/array"] = listed["posterior/energy"]

    edit(run_folder / DRAWS / "zarr.json", name_it)
    if inside:
        (run_folder / DRAWS / inside).symlink_to(outside)
    for look in (check, repair):
        with pytest.raises(cs.InvalidInput, match="outside of it: sampling wrote no such run"):
            look(run_folder)
    assert not list(outside.iterdir())


def test_a_file_is_not_written_through_a_link_that_lies_where_it_is_begun(run_folder):
    outside = run_folder.parent / "elsewhere"
    outside.write_text("mine")
    (run_folder / "summary.json.partial").symlink_to(outside)
    write_json(run_folder / "summary.json", {})
    assert (outside.read_text(), (run_folder / "summary.json").read_text().strip()) == ("mine", "{}")


@pytest.mark.parametrize(
    ("where", "source"),
    [
        (("activation",), {"name": "mine", "source": "os:abort"}),
        (("activation",), {"name": "mine", "source": "trap:f", "family": "smooth"}),
        (("network", "activation"), "trap:f"),
        (("sampling", "sampler"), "trap:f"),
        (("sampler",), {"name": "mine", "source": "trap:f"}),
    ],
)
def test_no_module_that_a_run_brings_along_is_imported(run_folder, monkeypatch, where, source):
    (run_folder / "trap.py").write_text(f"from pathlib import Path\nPath({SPRUNG!r}).touch()\n")
    monkeypatch.syspath_prepend(run_folder)  # as for who types a command there

    def name_it(config):
        for name in where[:-1]:
            config = config[name]
        config[where[-1]] = source

    edit(run_folder / CONFIG, name_it)
    with pytest.raises(cs.InvalidInput, match=r"which lies in it|of Python's own library"):
        cs.Run.open(run_folder)
    assert not (run_folder.parent / SPRUNG).exists()


def test_names_of_runs_cannot_leave_the_folder_of_their_sweep(tmp_path):
    file = tmp_path / "sweep.toml"
    file.write_text('task = "npz"\n[grid]\ndata = ["../../a.npz", "/etc/passwd", "..", "a\\\\..\\\\b"]\n')
    for run in read_plan(file).runs:
        assert (tmp_path / run.name).resolve().parent == tmp_path


def test_compiled_programs_are_read_from_a_folder_of_this_user_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "user_cache_path", lambda _: tmp_path)
    monkeypatch.setattr(compiled.jax.config, "update", lambda name, value: told.update({name: value}))
    monkeypatch.setattr(type(compiled.jax.config), "jax_compilation_cache_dir", None, raising=False)
    told: dict[str, object] = {}
    (tmp_path / "compiled").mkdir(mode=0o755)
    compiled.keep_compiled()
    assert (tmp_path / "compiled").stat().st_mode & 0o777 == 0o700
    assert Path(told["jax_compilation_cache_dir"]).parent == tmp_path / "compiled"

    def not_ours(*_):
        raise PermissionError

    told.clear()
    monkeypatch.setattr(Path, "chmod", not_ours)
    compiled.keep_compiled()
    assert told == {}
