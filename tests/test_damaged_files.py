"""Every reader makes one sentence of a damaged file: bytes are changed at random, and each must be read or refused."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import sound_files

from codingschemes import InvalidInput, Network, Posterior, Run, tasks
from codingschemes.reading import reading
from codingschemes.runs import folder
from codingschemes.runs.configuration import Sampling, describe, made_by
from codingschemes.runs.run import CONFIG, TASK, read_json
from codingschemes.sweeps import read_plan
from codingschemes.sweeps.jobs import Result
from codingschemes.tasks.archives import read_arrays
from codingschemes.tasks.cifar10 import read_binary
from codingschemes.tasks.mnist import read_idx
from codingschemes.tasks.task import Task

pytestmark = pytest.mark.usefixtures("without_type_checks")

CASES = 40


def _npz(path: Path) -> None:
    np.savez(path, x=np.arange(12.0).reshape(6, 2), y=np.repeat([0, 1], 3))


def _result(path: Path) -> None:
    values = {"draws": 20, "theory": "lazy", "scheme": "analog", "probability": 0.9, "codes": {"10": 0.5}}
    values |= {"rhat_max": 1.0, "code_rhat": 1.0, "ess_min": 10.0, "trust": "good"}
    path.write_text(json.dumps(values | {"deviations": {"output": [0.1, 0.01]}, "notes": ["a"]}))


READERS = {
    "npz": (_npz, read_arrays),
    "npz task": (_npz, lambda path: tasks.npz(data=path)),
    "idx": (sound_files.idx, read_idx),
    "tar": (sound_files.tar, lambda path: read_binary(path, "data_batch_")),
    "toml": (lambda path: path.write_text('task = "orthogonal"\n[grid]\nwidth = [1, 2]\n'), read_plan),
    "json": (lambda path: path.write_text('{"a": [1, 2.5, null], "b": {"c": "d"}}'), read_json),
    "saved task": (lambda path: tasks.orthogonal(samples=6).save(path), Task.load),
    "result": (_result, Result.read),
}


@pytest.mark.parametrize("name", READERS)
def test_damaged_bytes_are_read_or_refused(name, tmp_path):
    write, read = READERS[name]
    path = tmp_path / "file.npz"
    write(path)
    whole = path.read_bytes()
    read(path)
    rng = np.random.default_rng(0)
    refused = []
    for case in range(CASES):
        damaged = bytearray(whole)
        if case % 4 == 0:
            damaged = damaged[: rng.integers(len(whole))]
        else:
            for place in rng.integers(0, len(whole), size=1 + case % 3):
                damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read(path)
        except InvalidInput as error:
            refused.append(str(error))
    assert all(len(sentence.splitlines()) == 1 for sentence in refused)
    assert len(refused) >= CASES // 4


def test_a_header_with_a_damaged_shape_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    _npz(path)
    with zipfile.ZipFile(path) as archive:
        entries = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in entries.items():
            archive.writestr(each, content.replace(b"(6, 2)", b"(6,'')"))
    with pytest.raises(InvalidInput, match=r"cannot be read .*: it is damaged"):
        read_arrays(path)


def test_pickled_objects_are_never_loaded(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, x=np.array([{}, []], dtype=object))
    with pytest.raises(InvalidInput, match="never loaded"):
        read_arrays(path)


@pytest.fixture
def run_folder(tmp_path):
    """A run folder as sampling makes it, before its first draw."""
    posterior = Posterior(tasks.orthogonal(samples=6), Network("relu", width=4), temperature=1e-2)
    path = tmp_path / "run"
    folder.create(path, posterior, describe(posterior, Sampling()), made_by(Sampling()))
    assert Run.open(path).posterior.network.width == 4
    return path


def _edited(section: str, name: str, value: object):
    def edit(config):
        config[section][name] = value
        return config

    return edit


def _without(section: str, name: str | None = None):
    def edit(config):
        del (config if name is None else config[section])[section if name is None else name]
        return config

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        *(_edited("prior", "temperature", value) for value in ("hot", [1], None, -1, True, {}, float("nan"))),
        *(_edited("network", "width", value) for value in ("8", [8], None, 0, 2.5)),
        *(_edited("network", "activation", value) for value in (3, None, ["relu"], "rellu")),
        *(_edited("network", "scaling", value) for value in (3, "lasy")),
        _edited("network", "colour", 3),
        _edited("prior", "source", 3),
        *(_without("network", name) for name in ("activation", "width")),
        *(_without("prior", name) for name in (None, "weight_variance")),
        _without("network"),
        _without("sampling"),
        lambda _: [],
        lambda _: None,
        lambda config: {**config, "network": [1]},
        lambda config: {**config, "prior": "x"},
        lambda config: {**config, "sampling": 3},
        lambda config: {**config, "activation": {"name": "mine"}},
    ],
)
def test_an_edited_configuration_is_refused(run_folder, edit):
    path = run_folder / CONFIG
    changed = edit(json.loads(path.read_text()))
    path.write_text(json.dumps(changed))
    with pytest.raises(InvalidInput) as refused:
        Run.open(run_folder)
    assert len(str(refused.value).splitlines()) == 1


def test_files_of_a_run_that_are_no_text_or_gone(run_folder):
    (run_folder / CONFIG).write_bytes(b"\xff\xfe{")
    with pytest.raises(InvalidInput, match=r"config\.json cannot be read"):
        Run.open(run_folder)
    (run_folder / TASK).unlink()
    with pytest.raises(InvalidInput):
        Run.open(run_folder)


@pytest.mark.parametrize(
    "change",
    [
        {"notes": None}, {"codes": None}, {"deviations": {"output": 3}}, {"deviations": {"output": [1]}},
        {"rhat_max": [1]}, {"probability": "x"}, {"draws": None}, {"theory": 3}, {"scheme": None}, {"extra": 1},
        {"scores": None}, {"scores": {"analog": "x"}}, {"scores": [1]},
    ],
)  # fmt: skip
def test_altered_results_are_refused(tmp_path, change):
    path = tmp_path / "result.json"
    _result(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InvalidInput, match="the result is made again from the run"):
        Result.read(path)


def test_a_result_that_is_gone_is_made_again(tmp_path):
    with pytest.raises(InvalidInput, match=r"there is no file .*result\.json: the result is made again from the run"):
        Result.read(tmp_path / "result.json")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(InvalidInput, match=r"there is no file .*: look"), reading(tmp_path / "x", "look"):
        (tmp_path / "x").read_text()


@pytest.mark.parametrize("content", ["{}", '{"versions": 3, "started": "today"}'])
def test_a_provenance_that_says_nothing_is_refused(run_folder, content):
    (run_folder / "provenance.json").write_text(content)
    with pytest.raises(InvalidInput, match=r"provenance\.json cannot be read .*: restore what sampling wrote"):
        Run.open(run_folder)
