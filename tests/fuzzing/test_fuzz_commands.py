"""Every command with options that nobody thought of: what sampling, solving and measuring would do is left out."""

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typed import is_refused

from codingschemes.cli.main import COMMANDS, commands
from codingschemes.cli.names import SUITES, TARGETS, TASK_OPTIONS, TASKS
from codingschemes.cli.options import Destination, Named

pytestmark = pytest.mark.usefixtures("without_type_checks", "computing")

#: Sizes in between would be possible, and take long.
INTEGERS = ["0", "1", "2", "3", "6", "7", "12", "300", "-1", "007", "²", "１２", "1_0", "1e3", "2.5"]
INTEGERS += [f"{10**15}", f"{10**20}"]
NUMBERS = ["0", "0.5", "1", "1e-3", "1.01", "20", "-1", "nan", "inf", "-inf", "1e400", "1e-320", "0x1p3", "1e308"]
LISTS = ["0,1,2", "0,0", ".5,.5", ".5,.25,.25", "cat,dog", ",", "1,", "nan,1", "center,scale", "parity-magnitude"]
PATHS = [
    "run", "empty", "[b]x", "taken", "nowhere", "mine.npz", "weights.npz", "table.csv", "activity.npy", "labels.npy",
    "sweep.toml", "new", "new/deep", "new.png", "new.html", "mine.npz/below", "", ".", "..", "x" * 300, "\udcff", "~",
]  # fmt: skip
TEXT = st.text(alphabet="ab01.-_/,:[]{}=%'\" \n\té∑\udcff", max_size=8).map(lambda text: text.lstrip("/"))
OWN = ["os:getcwd", "math:sin", "nothing:here", ":", "a:b:c", "json:loads", "numpy:tanh", "no.such.module:f"]


#: By name of the parameter, what it can be; elsewhere this follows from its type.
SOUND = {
    "task_name": ["orthogonal", "hypercube", "digits", "npz"],
    "subject": ["run", "orthogonal", "hypercube"],
    "run": ["run"],
    "run_folder": ["run"],
    "folder": ["run"],
    "parent": ["run"],
    "file": ["mine.npz", "table.csv", "sweep.toml"],
    "files": ["mine.npz"],
    "weights": ["weights.npz"],
    "out": ["new", "new.png", "new.html", "run"],
    "figure": ["new.png"],
    "data": ["mine.npz"],
    "samples": ["6", "12"],
    "classes": ["2", "3"],
    "ratios": [".5,.25,.25"],
    "labels": ["labels", "classes"],
    "inputs": ["aligned", "clustered", "3"],
    "alignment": ["0.5"],
    "preprocess": ["center,scale"],
    "activity": ["activity", "x"],
    "suite": ["tiny-relu", "quick"],
    "samplers": ["hmc", "nuts/weights"],
    "loss": ["squared", "logistic"],
    "scheduler": ["tcp://here:1"],
}


def _values(parameter: click.Parameter) -> st.SearchStrategy[str]:
    """What can be typed for it: mostly something sound, else something of the right kind, or anything."""
    kind = parameter.type
    if isinstance(kind, Named):
        sound = odd = [*kind.names, *(OWN if kind.or_else(":") else [])]
    elif isinstance(kind, click.Choice):
        sound = odd = list(kind.choices)
    elif isinstance(kind, Destination | click.Path):
        sound, odd = PATHS, PATHS
    elif kind.name.startswith("integer"):
        sound, odd = ["1", "2", "3", "6", "12"], INTEGERS
    elif kind.name.startswith("float"):
        sound, odd = ["0.5", "1e-3", "1.01", "20"], NUMBERS
    else:
        odd = [*INTEGERS, *NUMBERS, *LISTS, *PATHS, *TASKS, *SUITES, *TARGETS[:2], "hmc", "nuts/weights", "x", "y"]
        sound = ["1", "2", "3"]
    sound = SOUND.get(parameter.name or "", sound)
    return st.one_of(*[st.sampled_from(sound)] * 10, st.sampled_from(odd), TEXT)


@st.composite
def _words(draw: st.DrawFn, command: click.Command) -> list[str]:
    """The words after the name of a command."""
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    words = [
        draw(_values(each))
        for each in arguments
        for _ in range(draw(st.sampled_from([0, 2, 2, 3] if each.nargs < 0 else [0, 1, 1, 1, 1])))
    ]
    if not arguments and draw(st.booleans()):
        words.append(draw(TEXT))
    options = [each for each in command.params if isinstance(each, click.Option)]
    # Options that a task does not take are refused before anything else is looked at: seldom.
    if words and words[0] in TASKS and draw(st.integers(0, 3)):
        taken = {name for name, (_, takers) in TASK_OPTIONS.items() if words[0] in takers}
        options = [each for each in options if each.name not in TASK_OPTIONS or each.name in taken]
    needed = [each for each in options if each.name == "out" and draw(st.integers(0, 7))]
    for option in [*needed, *draw(st.lists(st.sampled_from(options), max_size=5))]:
        words.append(draw(st.sampled_from(option.opts)))
        if not option.is_flag:
            words.append(draw(_values(option)))
    if draw(st.integers(0, 9)) == 0:
        words.append(draw(st.one_of(TEXT, st.sampled_from(["--", "-h", "--nonsense", "--json=1"]))))
    return words


def _leaves() -> dict[tuple[str, ...], click.Command]:
    """All commands and those of groups, by the words that name them."""
    context, found = click.Context(commands), {}
    for name in COMMANDS:
        command = commands.get_command(context, name)
        if isinstance(command, click.Group):
            found |= {(name, below): each for below, each in command.commands.items()}
        else:
            found[name,] = command
    return found


LEAVES = _leaves()


_TOY, _HUGE = ["orthogonal", "--samples", "6", "--out", "new"], f"{10**20}"
#: Words after the name of a command that were once answered by something else than a sentence.
FOUND: dict[tuple[str, ...], list[list[str]]] = {
    ("sample",): [
        [*_TOY, "--width", _HUGE],
        [*_TOY, "--depth", _HUGE],
        [*_TOY, "--warmup", _HUGE],
        [*_TOY, "--seed", _HUGE],
        [*_TOY, "--sampler", "nuts", "--max-tree-depth", _HUGE],
        [*_TOY, "--penalty1", "1e-320", "--penalty2", "1e308"],
        [*_TOY, "--weight-variance", "1e308"],
        [*_TOY, "--samples", f"{10**15 + 1}", "--classes", f"{10**15}"],
    ],
    ("evidence",): [[*_TOY[:3], "--seed", _HUGE], [*_TOY[:3], "--sweeps", _HUGE]],
    ("distances",): [["mine.npz", "mine.npz", "--out", "new/new.png"]],
    ("manifolds", "enumerate"): [["--width", "300"], ["--width", _HUGE]],
    ("manifolds", "check"): [["--seed", "-1"], ["--inputs", _HUGE], ["--samples", "²"], ["--width", _HUGE]],
}


@pytest.mark.parametrize("name", LEAVES, ids=" ".join)
def test_a_command_refuses_in_one_sentence_or_can_be_done(name, place, tried):
    @given(_words(LEAVES[name]))
    def any_words(words: list[str]) -> None:
        tried(lambda: is_refused(place, [*name, *words]))

    for words in FOUND.get(name, ()):
        any_words = example(words)(any_words)
    any_words()
