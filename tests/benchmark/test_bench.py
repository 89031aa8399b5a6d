"""The bench: rows with the promised keys, ratios by hand, and a planted wrong sampler that its z-scores show."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from codingschemes.benchmark import SUITES, TARGETS, Bench, bench
from codingschemes.benchmark.figure import draw_ratios, ratios_by_target
from codingschemes.benchmark.measure import over_seeds
from codingschemes.benchmark.rivals import RIVALS
from codingschemes.benchmark.table import CONTENDERS, columns, lines, markdown, read_references
from codingschemes.errors import InvalidInput
from codingschemes.samplers import Settings

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PROMISED = {
    "target", "sampler", "space", "gradients_per_draw", "ess_min", "ess_median", "seconds", "ess_min_per_second",
    "code_switches", "device",
}  # fmt: skip


@pytest.fixture(scope="module")
def found() -> Bench:
    return bench("tiny-sigmoid", contenders=[("nuts", "weights"), ("hmc", "reduced")], warmup=100, seconds=0.5, seeds=2)


@pytest.mark.slow
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


@pytest.mark.slow
def test_samplers_agree_with_the_recorded_quadrature(found):
    assert all(row.reference_z < 4.9 for row in found.rows)
    assert all(row.means["kernel_diagonal"][1] < 0.02 for row in found.rows)


@pytest.mark.slow
def test_several_seeds_are_one_row_of_medians_and_their_spread(found):
    row = replace(found.rows[1], seeds=1, spread={})
    rates = (3.0, 50.0, 7.0)
    rows = [replace(row, ess_min_per_second=rate, draws=index) for index, rate in enumerate(rates)]
    together = over_seeds(rows)
    assert together.ess_min_per_second == 7.0
    assert together.spread["ess_min_per_second"] == (3.0, 50.0)
    assert (together.draws, together.seeds) == (1, 3)
    cells = next(lines(Bench((together,))))
    assert "7 (3 to 50)" in cells
    assert over_seeds([row]) == row
    values = json.loads(json.dumps(Bench((together,)).to_json()))
    assert Bench.from_json(values).rows[0].spread == together.spread


@pytest.mark.slow
def test_seeds_differ(found):
    for row in found.rows:
        low, high = row.spread["ess_min_per_second"]
        assert low < row.ess_min_per_second < high
        assert row.seeds == 2


def test_rivals_are_in_every_bench():
    assert set(RIVALS) <= {sampler for sampler, _ in CONTENDERS}


@pytest.mark.slow
@pytest.mark.parametrize("rival", RIVALS)
def test_rivals_agree_with_the_recorded_quadrature(rival):
    (row,) = bench("tiny-sigmoid", contenders=[(rival, "weights")], warmup=60, seconds=0.3).rows
    assert row.chains == RIVALS[rival](Settings()).chains
    assert row.reference_z < 4.9
    assert row.means["kernel_diagonal"][1] < 0.02


@pytest.mark.slow
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


@pytest.mark.slow
def test_table_and_figure(found, tmp_path):
    rows = list(lines(found))
    assert all(len(row) == len(columns()) for row in rows)
    assert all(f"| {row[0]} | {row[1]} |" in markdown(found, "codingschemes bench") for row in rows)
    draw_ratios(found, tmp_path / "ratios.png")
    assert (tmp_path / "ratios.png").stat().st_size > 10_000


@pytest.mark.slow
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


def test_no_seeds_are_refused_in_one_sentence():
    with pytest.raises(InvalidInput, match="`seeds` is 0: give an integer of at least 1"):
        bench("tiny-sigmoid", seeds=0)


def test_an_unknown_suite_is_refused_in_one_sentence():
    with pytest.raises(InvalidInput, match="no suite or target 'tiny-sigmiod'"):
        bench("tiny-sigmiod")


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    ("contenders", "said"),
    [
        ([("hmcc", "reduced")], "no sampler 'hmcc': did you mean 'hmc'"),
        ([("blackjax-che", "reduced")], "did you mean 'blackjax-chees'"),
        ([("hmc", "wieghts")], "no space 'wieghts': did you mean 'weights'"),
        ([], "`contenders` is empty"),
    ],
)
def test_contenders_that_are_none_are_refused(contenders, said):
    with pytest.raises(InvalidInput, match=said):
        bench("tiny-sigmoid", contenders=contenders)


def test_a_bench_that_measures_nothing_says_why(monkeypatch):
    def missing():
        raise InvalidInput("the files are not there")

    monkeypatch.setitem(TARGETS._entries, "tiny-sigmoid", SimpleNamespace(posterior=missing))
    with pytest.raises(InvalidInput, match=r"nothing was measured: tiny-sigmoid: left out \(the files are not there\)"):
        bench("tiny-sigmoid")


def test_warm_ups_of_rivals_do_not_end_by_themselves():
    with pytest.raises(InvalidInput, match="of blackjax-laps does not end by itself"):
        bench("tiny-sigmoid", contenders=[("blackjax-laps", "weights")], warmup=None)
