"""The exponent of a planted power law, and its error, with and without Monte Carlo noise."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from known_answers import small_posterior

from codingschemes.runs import Sampling
from codingschemes.sweeps import Job, Outcome, Outcomes, Result, power_law, trends

WIDTHS = np.array([50, 100, 200])


def test_a_power_law_without_noise_is_found_to_round_off():
    law = power_law(WIDTHS, 3 * WIDTHS**-1.25, np.zeros(3))
    assert law.exponent == pytest.approx(1.25, rel=1e-10)
    assert law.error < 1e-10
    assert law.used == 3


def test_noise_adds_its_mean_square_which_is_taken_off():
    deltas, errors = np.array([0.04, 0.02, 0.01]), np.array([0.004, 0.004, 0.004])
    law = power_law(WIDTHS, np.sqrt(deltas**2 + errors**2), errors)
    assert law.exponent == pytest.approx(1, rel=1e-10)
    assert power_law(WIDTHS, deltas, errors).error == pytest.approx(law.error, rel=0.2)


def test_the_error_is_the_spread_of_fits_to_noisy_deviations():
    rng = np.random.default_rng(0)
    deltas, errors = np.array([0.04, 0.02, 0.01]), np.array([0.001, 0.001, 0.0008])
    # one quantity: the noise lies along the deviation, as the error assumes
    laws = [power_law(WIDTHS, np.abs(deltas + errors * rng.standard_normal(3)), errors) for _ in range(2000)]
    z = np.array([(law.exponent - 1) / law.error for law in laws])
    # second-order terms of the logarithm shift the mean by about error/size
    assert abs(z.mean()) < 0.15
    assert z.std() == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize("errors", [[0.03, 0.03, 0.03], [np.nan] * 3])
def test_unresolved_deviations_have_no_exponent(errors):
    law = power_law(WIDTHS, np.array([0.05, 0.03, 0.01]), np.array(errors))
    assert np.isnan(law.exponent)
    assert law.used == 0


def outcome(width: int, temperature: float, **varied) -> Outcome:
    posterior = small_posterior(width=width, temperature=temperature)
    job = Job("run", {"width": width, **varied}, posterior, Sampling(), Path("run"))
    deviations = {"output": (2 / width, 1e-4), "kernel": (3 / width**2, 1e-5)}
    result = Result(10, "lazy", "analog", 1.0, {}, 1.0, 1.0, 100.0, "yes", deviations)
    return Outcome(job, "complete", result)


def test_a_table_has_a_row_for_every_run_that_failed_ones_leave_open():
    made = outcome(50, 1e-3)
    table = Outcomes([made, Outcome(made.job, "failed", message="no")]).to_dataframe()
    assert table["status"].tolist() == ["complete", "failed"]
    assert table["output_deviation"].tolist()[0] == made.result.deviations["output"][0]
    assert table[["scheme", "kernel_error"]].isna().all(axis=1).tolist() == [False, True]
    assert table["width"].tolist() == [50, 50]


def test_the_table_is_kept_with_lists_and_mixed_options_as_text(tmp_path):
    made = [outcome(50, 1e-3, ratios=[0.5, 0.5], classes=3), outcome(100, 1e-3, ratios=[1], classes="cat,dog")]
    Outcomes(made).save(tmp_path)
    kept = pd.read_csv(tmp_path / "sweep.csv", keep_default_na=False)  # no message is an empty one
    assert kept["ratios"].tolist() == ["0.5,0.5", "1"]
    assert kept["classes"].tolist() == ["3", "cat,dog"]
    assert kept["output_deviation"].tolist() == [each.result.deviations["output"][0] for each in made]
    if (tmp_path / "sweep.parquet").exists():
        pd.testing.assert_frame_equal(
            pd.read_parquet(tmp_path / "sweep.parquet").reset_index(), kept, check_dtype=False, check_exact=True
        )
    assert not list(tmp_path.glob("*.partial"))


def test_trends_need_runs_that_differ_in_width_alone_at_fixed_heat():
    linear, relu = (
        [outcome(width, 0.1 / width, activation=name) for width in WIDTHS.tolist()] for name in ("linear", "relu")
    )
    found = trends([*linear, *relu])
    assert [(each.kind, each.options["activation"]) for each in found] == [
        ("output", "linear"), ("kernel", "linear"), ("output", "relu"), ("kernel", "relu")
    ]  # fmt: skip
    assert found[0].law.exponent == pytest.approx(1, abs=0.01)
    assert found[1].sentence == f"shrinks like N^-2.00 ± {found[1].law.error:.2f}"
    assert trends([outcome(width, 0.01) for width in WIDTHS.tolist()]) == []
    assert trends(linear[:1]) == []
    failed = Outcome(linear[0].job, "failed", message="no")
    assert trends([failed, *linear[1:]])[0].widths == (100, 200)
