"""Help and wrong words are answered before JAX is imported, from names that are those of the registries."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import codingschemes as cs
from codingschemes.benchmark.rivals import RIVALS
from codingschemes.benchmark.targets import SUITES, TARGETS
from codingschemes.cli import names
from codingschemes.networks.activations import BUILT_IN
from codingschemes.posterior import Space
from codingschemes.samplers import SAMPLERS, default_sampler
from codingschemes.studies import STUDIES
from codingschemes.studies.generalisation import DATASETS
from codingschemes.theory import THEORIES

PACKAGE = Path(cs.__file__).parent
#: Runs the command line and says, last, what heavy modules it has imported and the seconds of processor time spent.
PROBE = """
import sys
from codingschemes.cli.main import main
try:
    main()
except SystemExit as end:
    status = end.code
import resource
spent = resource.getrusage(resource.RUSAGE_SELF)
heavy = [name for name in ("jax", "arviz", "matplotlib", "sklearn") if name in sys.modules]
print("probe", status, spent.ru_utime + spent.ru_stime, *heavy)
"""


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("--help", 0, "summarize"),
        ("--version", 0, "version"),
        ("sample --help", 0, "--temperature"),
        ("evidence --help", 0, "hmc if left out"),
        ("sampel", 2, "did you mean 'sample'"),
        ("sample mnits --out x", 2, "did you mean 'mnist'"),
        ("sample mnist --out x --sampler nutz", 2, "did you mean 'nuts'"),
        ("sample mnist --out x --activation reluu", 2, "did you mean 'relu'"),
        ("sample mnist --out x --temprature 1", 2, "--temperature"),
        ("sample mnist --out x --draws many", 2, "--draws"),
        ("compare x --theory lasy", 2, "did you mean 'lazy'"),
        ("predict runz", 2, "no task or folder of a run 'runz'"),
        ("bench --samplers foo", 2, "there is no sampler 'foo'"),
        ("bench --samplers hmcc", 2, "did you mean 'hmc'"),
        ("bench --samplers hmc/wieghts", 2, "did you mean 'weights'"),
        ("bench --samplers ''", 2, "there is no sampler ''"),
        ("bench --suite toyy", 2, "did you mean 'toy'"),
        ("bench --out ..", 2, "--out .. is a folder"),
        ("bench --out no/where.json", 2, "does not exist"),
        ("report x --out ''", 2, "--out is empty"),
        ("report x --theory none --time-limit 5", 2, "name one with --theory"),
        ("compare x --time-limit 0", 2, "--time-limit"),
        ("predict mnist --time-limit soon", 2, "--time-limit"),
        ("sample mnist --out ''", 2, "--out is empty"),
        ("sweep x.toml --out ''", 2, "--out is empty"),
        ("study generalization --out x", 2, "did you mean 'generalisation'"),
        ("study generalisation --dataset cifar --out x", 2, "did you mean 'cifar10'"),
        ("study generalisation --out ''", 2, "--out is empty"),
        ("study --help", 0, "table of claims"),
        ("demo --out FILE", 2, "is a file"),
        ("describe --help", 0, "Nothing is sampled"),
        ("describe x.npz --activation reluu", 2, "did you mean 'relu'"),
        ("distances x.npz --out ''", 2, "--out is empty"),
        ("manifolds enumerate --figure ''", 2, "--figure is empty"),
        ("manifolds enumerate --figure .", 2, "is a folder"),
    ],
)
def test_words_are_answered_before_anything_heavy_is_imported(words, status, said, tmp_path):
    (tmp_path / "FILE").write_text("")
    typed = [word.strip("'") for word in words.split()]
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *typed], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    probe = done.stdout.splitlines()[-1].split()
    assert probe[:2] == ["probe", str(status)], done.stderr
    assert said in (done.stderr if status else done.stdout)
    assert probe[3:] == []
    assert float(probe[2]) < 0.5
    assert len(done.stderr.splitlines()) == (1 if status else 0)
    assert [each.name for each in tmp_path.iterdir()] == ["FILE"]


def test_names_are_those_of_the_registries():
    assert set(names.ACTIVATIONS) == BUILT_IN
    assert set(names.SAMPLERS) == set(SAMPLERS)
    assert default_sampler("draws") == names.DRAWS_SAMPLER
    assert default_sampler("evidence") == names.EVIDENCE_SAMPLER
    assert set(names.RIVALS) == set(RIVALS)
    assert set(names.THEORIES) == set(THEORIES)
    assert get_args(Space.__value__) == names.SPACES
    assert set(names.SUITES) == set(SUITES)
    assert set(names.TARGETS) == set(TARGETS)
    assert set(names.STUDIES) == set(STUDIES)
    assert set(names.DATASETS) == set(DATASETS)
    assert set(names.TASKS) == set(cs.tasks.TASKS)
    takers = {
        name: (option.help, tuple(task for task, entry in cs.tasks.TASKS.items() if name in entry.options))
        for name, option in cs.tasks.OPTIONS.items()
    }
    assert takers == names.TASK_OPTIONS


def test_every_room_that_uses_jax_sets_it_up_first():
    rooms = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if any(_imports(path, "jax")) and path.name not in ("settings.py", "compiled.py", "precision.py")
    }
    assert {"networks", "posterior", "samplers", "theory"} <= rooms
    for room in rooms:
        home = PACKAGE / room
        first = next(_imports(home / "__init__.py" if home.is_dir() else home, "codingschemes"))
        assert first == "codingschemes.settings", room


def _imports(path: Path, package: str):
    for node in ast.walk(ast.parse(path.read_text())):
        found = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        found += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        yield from (name for name in found if name.split(".")[0] == package)
