"""What files of all kinds hold where they are sound, and a folder with one of each."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import numpy as np

import codingschemes as cs
from codingschemes.posterior import Posterior
from codingschemes.runs import folder
from codingschemes.runs.checkpoint import Checkpoint
from codingschemes.runs.configuration import Sampling, describe, made_by
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.lock import LOCK
from codingschemes.runs.run import DRAWS, PROVENANCE, write_json
from codingschemes.runs.store import DrawStore
from codingschemes.sweeps.jobs import TEST_SCORES

DRAW_COUNT = 6
#: Of the arrays of a run.
_SIZES = {"training_sample": 6, "output": 3, "class": 3, "other_class": 3, "layer": 1, "rank": 6, "quantile": 6}
_SIZES |= {"direction": 16, "neuron": 4}
SAMPLING = Sampling(sampler="hmc", chains=2, draws=DRAW_COUNT, warmup=3)


def arrays() -> dict[str, np.ndarray]:
    """Twelve samples of three classes, by the names of a task and of a population."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(12, 4)), np.repeat([0, 1, 2], 4)
    return {"x": x, "y": labels, "activity": x, "labels": labels}


def npz(path: Path) -> None:
    np.savez(path, **arrays())


def weights(path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(path, weight=rng.normal(size=(4, 3)), readout=rng.normal(size=(4, 2)))


def csv(path: Path) -> None:
    rows = [f"{value:.3f},{label}" for value, label in zip(arrays()["x"][:, 0], arrays()["y"], strict=True)]
    path.write_text("\n".join(["one,labels", *rows]))


def idx(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3, 4])))


def tar(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("data_batch_1.bin")
        member.size = 3073
        archive.addfile(member, io.BytesIO(bytes(3073)))


def toml(path: Path) -> None:
    path.write_text('task = "orthogonal"\nsamples = 6\nwidth = 4\ntheory = "lazy"\n[grid]\nseed = [1, 2]\n')


def result(path: Path) -> None:
    values = {"draws": 20, "theory": "lazy", "scheme": "analog", "probability": 0.9, "codes": {"10": 0.5}}
    values |= {"rhat_max": 1.0, "code_rhat": 1.0, "ess_min": 10.0, "trust": "good", "scores": {"analog": 0.9}}
    values |= {"test": dict.fromkeys(TEST_SCORES, 0.1), "seconds": 2.0}
    path.write_text(json.dumps(values | {"deviations": {"output": [0.1, 0.01]}, "notes": ["a"]}))


def posterior() -> Posterior:
    return Posterior(cs.tasks.orthogonal(samples=6), cs.Network("relu", width=4), temperature=1e-2)


def checkpoint(iteration: int) -> Checkpoint:
    return Checkpoint(iteration, 0, SAMPLING.longest_warmup, 0, 1.0, 1.0, None, {"position": np.zeros((2, 4, 6))})


def run(path: Path) -> None:
    """A finished run, as sampling leaves it, whose draws are noise."""
    provenance = made_by(SAMPLING)
    folder.create(
        path, posterior(), describe(posterior(), SAMPLING), provenance, checkpoint(DRAW_COUNT + SAMPLING.longest_warmup)
    )
    (path / LOCK).unlink()
    write_json(path / PROVENANCE, {**provenance, "warmup_steps": 3, "ended": "draws", "sampling_seconds": 1.0})
    rng, kinds = np.random.default_rng(0), {"diverging": bool, "n_steps": int, "switches": int}
    records = {
        group: {
            name: (1 + rng.exponential(size=(2, DRAW_COUNT, *(_SIZES[each] for each in dimensions)))).astype(
                kinds.get(name, float)
            )
            for name, dimensions in variables.items()
        }
        for group, variables in DIMENSIONS.items()
    }
    DrawStore(path / DRAWS).append(records)


def place(path: Path) -> None:
    """A folder with one of each."""
    run(path / "run")
    (path / "empty").mkdir()
    (path / "[b]x").mkdir()
    (path / "taken").mkdir()
    (path / "taken" / "mine.txt").write_text("mine")
    (path / "nowhere").symlink_to(path / "missing")
    npz(path / "mine.npz")
    weights(path / "weights.npz")
    csv(path / "table.csv")
    np.save(path / "activity.npy", arrays()["x"])
    np.save(path / "labels.npy", arrays()["y"])
    toml(path / "sweep.toml")
