"""What `--help` says is taken if an option is left out is what the package takes."""

import dataclasses
import inspect

import pytest

import codingschemes as cs
from codingschemes.benchmark import bench
from codingschemes.cli import options
from codingschemes.cli.bench import bench as bench_command
from codingschemes.networks import Network
from codingschemes.runs import Sampling
from codingschemes.tempering import Tempering


def defaults(of: type) -> dict:
    return {field.name: field.default for field in dataclasses.fields(of) if field.default is not dataclasses.MISSING}


@pytest.mark.parametrize(
    ("texts", "taken"),
    [
        (options._SAMPLING_OPTIONS, defaults(Sampling)),
        (options._TEMPERING_OPTIONS, defaults(Tempering)),
    ],
)
def test_help_of_samplers_says_the_defaults(texts, taken):
    assert set(texts) == set(taken) - {"sampling_limit"}  # for measurements alone
    for name, (_, text) in texts.items():
        if taken[name] is not None:
            assert f"{taken[name]} if left out" in text, name


def test_help_of_networks_and_posteriors_says_the_defaults():
    network = inspect.signature(Network).parameters
    for name in ("activation", "width", "depth"):
        assert f"{network[name].default} if left out" in options._NETWORK_OPTIONS[name][1]
    temperature = inspect.signature(cs.Posterior).parameters["temperature"].default
    said = options._POSTERIOR_OPTIONS["temperature"][1]
    assert float(said.split(", ")[1].removesuffix(" if left out")) == temperature
    prior = cs.Posterior(cs.tasks.orthogonal(samples=12), Network(), temperature=1.0).prior
    assert f"{prior.weight_variance:g} if left out" in options._POSTERIOR_OPTIONS["weight_variance"][1]
    assert prior.readout_variance == pytest.approx(1 / 12)
    assert "1/P (linear: P^(-1/L)) if left out" in options._POSTERIOR_OPTIONS["readout_variance"][1]


def test_bench_has_the_defaults_of_the_function():
    taken = inspect.signature(bench).parameters
    given = {parameter.name: parameter.default for parameter in bench_command.params}
    assert {name: given[name] for name in ("suite", "warmup", "seconds", "seeds")} == {
        name: taken[name].default for name in ("suite", "warmup", "seconds", "seeds")
    }
