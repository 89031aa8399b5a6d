"""What is typed wrong in Python is answered in words of Python, and on the command line in flags."""

import importlib
import inspect

import jax.numpy as jnp
import numpy as np
import pytest

import codingschemes as cs
from codingschemes.cli.output import in_flags
from codingschemes.errors import InvalidInput
from codingschemes.samplers import Kernel, Settings
from codingschemes.theory import Annealing

pytestmark = pytest.mark.usefixtures("without_type_checks")


@pytest.fixture(scope="module")
def posterior():
    return cs.Posterior(cs.tasks.orthogonal(samples=6), cs.Network("relu", width=4))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: cs.sample(p, draw=50), "unknown keyword 'draw' of sample: did you mean 'draws'"),
        (lambda p: cs.evidence(p, particle=3), "unknown keyword 'particle' of evidence: did you mean 'particles'"),
        (lambda _: cs.Network(widht=3), "unknown keyword 'widht' of Network: did you mean 'width'"),
        (lambda p: cs.Posterior(p.task, p.network, temprature=1), "did you mean 'temperature'"),
        (lambda _: cs.tasks.orthogonal(sample=4), "unknown keyword 'sample' of orthogonal: did you mean 'samples'"),
        (lambda p: cs.predict(p, theory="lazy", foo=1), "unknown keyword 'foo' of the lazy theory"),
        (lambda p: cs.predict(p, theroy="lazy"), "unknown keyword 'theroy' of the mean-field theory"),
        (lambda p: cs.summarize(p, runs=1), "unknown keyword 'runs' of summarize: did you mean 'run'"),
        (lambda p: cs.compare(p, teory="lazy"), "did you mean 'theory'"),
        (lambda p: cs.report(p, output="x"), "unknown keyword 'output' of report: did you mean 'out'"),
        (lambda _: cs.sample(), "missing a required argument: 'posterior'"),
        (lambda p: cs.Posterior(p.task, p.network, 1e-3), "too many positional"),
        (lambda _: cs.Network(jnp.tanh), "name of an activation .*register_activation.* not a function"),
        (lambda _: cs.Network(width="8"), "`width` of Network takes a whole number, not '8'"),
        (lambda _: cs.Network(width=8.5), "whole number, not 8.5"),
        (lambda _: cs.Network(bias=3), "True or False, not 3"),
        (lambda p: cs.Posterior(p.task, p.network, temperature="1"), "`temperature` of Posterior takes a number"),
        (lambda p: cs.Posterior(1, p.network), "`task` of Posterior takes a Task, not 1"),
        (lambda p: cs.Posterior(p.task, "relu"), "`network` of Posterior takes a Network, not 'relu'"),
        (lambda p: cs.sample(p.task), "`posterior` of sample takes a Posterior, not a Task"),
        (lambda p: cs.sample(p, chains=None), "`chains` of sample takes a whole number, not None"),
        (lambda _: cs.evidence(3), "`posterior` of evidence takes a Posterior, not 3"),
        (lambda p: cs.predict([p]), "`posterior` of predict takes a Posterior, not a list"),
        (lambda _: cs.summarize(np.ones(3)), "`run` of summarize takes a Run, not a ndarray"),
        (lambda p: cs.compare(p), "`run` of compare takes a Run, not a Posterior"),
        (lambda _: cs.report({}), "`run` of report takes a Run, not a dict"),
        (lambda _: cs.tasks.orthogonal(seed="x"), "`seed` of the task takes a whole number of at least 0, not 'x'"),
        (lambda p: cs.sample(p, draws=0), "`draws` is 0"),
        (lambda p: cs.sample(p, sampler=print), "takes the name of a sampler .*not a function"),
        (lambda _: cs.register_sampler("x", biuld=1), "did you mean 'build'"),
        (lambda p: cs.sample(p, resume=True), "give `out`"),
        (lambda _: cs.Network(width=0), "`width` is 0: give at least one neuron"),
        (lambda p: cs.Posterior(p.task, p.network, temperature=-1), "`temperature` is -1: give a positive"),
        (lambda p: cs.predict(p, particles=-5), "`particles` is -5"),
        (lambda _: cs.manifolds.count("od", 3), "there is no symmetry 'od': did you mean 'odd'"),
        (lambda _: cs.coding.find_codes(3, (-1.0, 1.0)), "`neurons` of find_codes takes a ClassMeans, not 3"),
        (lambda _: cs.coding.population(np.ones((3, 4)), np.ones((3, 2)), np.arange(5)), "`labels` .5,. do not fit"),
        (lambda _: cs.representation.shape_distance(np.eye(2), np.eye(2), alpha=3.0), "`alpha` is 3.0"),
    ],
)
def test_one_sentence_in_words_of_python(posterior, call, words):
    with pytest.raises(InvalidInput, match=words) as refused:
        call(posterior)
    assert "--" not in str(refused.value)


@pytest.mark.parametrize(
    "room",
    ["", ".baselines", ".coding", ".manifolds", ".plot", ".populations", ".representation", ".studies", ".tasks"],
)
def test_every_public_function_answers_an_unknown_keyword(room):
    module = importlib.import_module(f"codingschemes{room}")
    functions = {name: getattr(module, name) for name in module.__all__ if inspect.isroutine(getattr(module, name))}
    # these hand options on
    takes_options = {"predict", "make_task", "from_sklearn", "from_torch", "from_equinox", "from_flax"}
    takes_nothing = {name for name, each in functions.items() if not inspect.signature(each).parameters}
    for name in sorted(functions.keys() - takes_options - takes_nothing):
        with pytest.raises(InvalidInput, match=f"unknown keyword 'wrnog' of {name}: "):
            functions[name](wrnog=1)
    assert functions


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cs.Task(input=1), "'input' of Task: did you mean 'inputs'"),
        (lambda: cs.Run.open(paht="x"), "'paht' of Run.open: did you mean 'path'"),
        (lambda: Settings(warmpu=3), "'warmpu' of Settings: did you mean 'warmup'"),
        (lambda: Kernel(intit=1), "'intit' of Kernel: did you mean 'init'"),
        (lambda: Annealing(tolerence=1), "'tolerence' of Annealing: did you mean 'tolerance'"),
        (lambda: cs.manifolds.Problem.of(losss=1), "'losss' of Problem.of: did you mean 'loss'"),
    ],
)
def test_constructors_answer_an_unknown_keyword(call, words):
    with pytest.raises(InvalidInput, match=words):
        call()


def test_a_cell_that_is_run_again(posterior, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InvalidInput, match="another run: continue it with `resume=True` or choose a new `out`"):
        cs.sample(posterior, out=tmp_path)


def test_numbers_of_numpy_and_jax_are_numbers(posterior):
    network = cs.Network("relu", width=np.int64(4), bias=np.bool_(True))
    assert (type(network.width), type(network.bias)) == (int, bool)
    assert cs.Posterior(posterior.task, network, temperature=jnp.asarray(0.5)).prior.temperature == 0.5


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("lower `draws`, `chains` or `width`", "lower --draws, --chains or --width"),
        ("continue it with `resume=True`", "continue it with --resume"),
        ("try `start='annealed'` or `depth=1`", "try --start annealed or --depth 1"),
        ("raise `target_acceptance`", "raise --target-acceptance"),
        ("`seed` of the task takes", "--task-seed takes"),
        ("another started from it with `parent`", "another started from it with --from"),
        ("a `Posterior`, 'x' and ``", "a `Posterior`, 'x' and ``"),
    ],
)
def test_the_command_line_turns_arguments_into_flags(said, typed):
    assert in_flags(said) == typed
