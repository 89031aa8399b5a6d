"""The bench: rows with the promised keys, ratios by hand, and a planted wrong sampler that its z-scores show."""

import json
import math

import pytest

from codingschemes.benchmark import SUITES, TARGETS, Bench, bench
from codingschemes.benchmark.figure import draw_ratios
from codingschemes.benchmark.table import columns, lines, markdown, read_references
from codingschemes.errors import InvalidInput

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


def test_an_unknown_suite_is_refused_in_one_sentence():
    with pytest.raises(InvalidInput, match="no suite or target 'tiny-sigmiod'"):
        bench("tiny-sigmiod")
