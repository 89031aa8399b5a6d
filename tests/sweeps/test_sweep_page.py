"""The page of a sweep: schemes over what varies, trends, failures; nothing in it is markup but its own."""

import re
from dataclasses import replace

from test_trend import outcome

from codingschemes.reports.sweeps import diagrams, headline, render, report_sweep, runs_table
from codingschemes.sweeps import Outcome, Outcomes, trends


def test_schemes_are_laid_out_over_what_varies_by_itself():
    """The number of samples varies along with the width: one axis."""
    made = Outcomes(
        outcome(width, 0.1 / width, samples=2 * width, activation=activation, seed=seed)
        for activation in ("linear", "relu")
        for seed in (1, 2)
        for width in (50, 100)
    )
    made[0] = replace(made[0], result=replace(made[0].result, scheme="sparse"))
    made[-1] = Outcome(made[-1].job, "failed", message="no")
    first, second = diagrams(made)
    assert (first.title, second.title) == ("seed = 1", "seed = 2")
    assert first.heads == ["width \\ activation", "linear", "relu"]
    assert [row[0] for row in first.rows] == ["50", "100"]
    assert [[cell.split(" ")[0] for cell in row[1:]] for row in first.rows] == [["sparse", "analog"], ["analog"] * 2]
    assert [row[-1] for row in second.rows] == [first.rows[0][2], "failed"]
    assert headline(made) == "8 runs: 6 analog, 1 sparse, 1 failed"
    assert diagrams([each for each in made if each.job.varied["activation"] == "relu"][:2]) == []
    assert [len(row) for row in runs_table(made).rows] == [len(runs_table(made).heads)] * 8


def test_a_page_holds_trends_and_failures_and_no_markup_of_others(tmp_path):
    made = [outcome(width, 0.1 / width) for width in (50, 100, 200)]
    wrong = replace(made[0].job, name="<b>bad</b>", varied={"width": "<i>7</i>"})
    made = Outcomes([*made, Outcome(wrong, "failed", message="<script>alert(1)</script> use `draws`")])
    found = trends(made)
    text = report_sweep(made, found, tmp_path / "deep" / "report.html").read_text()
    assert text == render(made, found)
    assert found[0].sentence in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; use <code>draws</code>" in text
    assert not re.search(r"<script|<b>bad|<i>7|https?://", text)
    assert "4 runs: 3 analog, 1 failed" in text
