"""The bench: rows with the promised keys, ratios by hand, and a planted wrong sampler that its z-scores show."""

import json
import math
from pathlib import Path

import pytest

from codingschemes.benchmark import SUITES, TARGETS, Bench, bench
from codingschemes.benchmark.figure import draw_ratios, ratios_by_target
from codingschemes.benchmark.table import columns, lines, markdown, read_references
from codingschemes.errors import InvalidInput

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PROMISED = {
    "target", "sampler", "space", "gradients_per_draw", "ess_min", "ess_median", "seconds", "ess_min_per_second",
    "code_switches", "device",
}  # fmt: skip


@pytest.fixture(scope="module")
def found() -> Bench:
    return bench("tiny-sigmoid", contenders=[("nuts", "weights"), ("hmc", "reduced")], warmup=100, seconds=0.5)


def test_rows_and_ratios_say_what_others_rely_on(found):
    values = json.loads(json.dumps(found.to_json()))
    assert all(set(row) >= PROMISED for row in values["rows"])
    baseline, contender = found.rows
    assert (baseline.sampler, baseline.space) == ("numpyro-nuts", "weights")
    expected = contender.ess_min_per_second / baseline.ess_min_per_second
    assert values["ratios"]["tiny-sigmoid"]["hmc/reduced"] == pytest.approx(expected)
    assert found.summary(("hmc", "reduced"))["geometric_mean"] == pytest.approx(expected)
    assert math.isnan(found.summary()["smallest"])  # the default sampler was not asked for
    assert Bench.from_json(values).ratios() == found.ratios()


def test_samplers_agree_with_the_recorded_quadrature(found):
    assert all(row.reference_z < 4.9 for row in found.rows)
    assert all(row.means["kernel_diagonal"][1] < 0.02 for row in found.rows)


def test_a_wrong_reference_is_seen(found):
    reference, _ = read_references()["tiny-sigmoid"]["kernel_diagonal"]
    mean, error = found.rows[1].means["kernel_diagonal"]
    # ten per cent off is many standard errors
    assert abs(mean - 1.1 * reference) / error > 4.9


def test_every_target_that_needs_no_files_can_be_made():
    for name, target in TARGETS.items():
        if name.startswith(("mnist", "cifar10")):
            continue
        assert target.posterior().task.sample_count >= 2
    assert set(SUITES["full"]) == set(TARGETS)


def test_table_and_figure(found, tmp_path):
    rows = list(lines(found))
    assert all(len(row) == len(columns()) for row in rows)
    assert all(f"| {row[0]} | {row[1]} |" in markdown(found, "codingschemes bench") for row in rows)
    draw_ratios(found, tmp_path / "ratios.png")
    assert (tmp_path / "ratios.png").stat().st_size > 10_000


def test_the_figure_shows_every_ratio_and_where_there_is_none(found):
    kept = Bench.from_json(json.loads((BENCHMARKS / "bench.json").read_text()))
    ratios = kept.ratios()
    strip, axes = ratios_by_target(kept).axes
    drawn = {line.get_label().removesuffix(" (default)"): line for line in axes.lines}
    for row, (target, measured) in enumerate(ratios.items()):
        assert strip.get_yticklabels()[row].get_text() == target
        for name, ratio in measured.items():
            assert drawn[name].get_xdata()[row] == ratio
            assert drawn[name].get_ydata()[row] == row
    names = {name for measured in ratios.values() for name in measured}
    crosses = sum(len(line.get_ydata()) for line in strip.lines)
    assert crosses == len(names) * len(ratios) - sum(map(len, ratios.values())) > 0
    assert len(ratios_by_target(found).axes) == 1, "nothing is missing, but there is a strip"


def test_an_unknown_suite_is_refused_in_one_sentence():
    with pytest.raises(InvalidInput, match="no suite or target 'tiny-sigmiod'"):
        bench("tiny-sigmiod")
