import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from planted_reports import planted_report

import codingschemes as cs
from codingschemes.coding.summary import Estimate, Summary
from codingschemes.reports import report, words
from codingschemes.reports.page import render


class References(HTMLParser):
    """Collects what a page loads, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]


@pytest.fixture(scope="module")
def page(small_run: cs.Run, small_summary: Summary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report(small_run, tmp_path_factory.mktemp("report") / "deep" / "page.html", small_summary)


def test_the_page_is_self_contained_and_small(page: Path) -> None:
    text = page.read_text()
    found = References()
    found.feed(text)
    assert found.loaded
    assert all(reference.startswith("data:image/png;base64,") for reference in found.loaded)
    assert "script" not in found.tags
    assert "link" not in found.tags
    assert not re.search(r"url\(|@import|https?://", text)
    assert page.stat().st_size < 5e6


def test_the_page_says_what_was_found_and_how(page: Path, small_run: cs.Run, small_summary: Summary) -> None:
    text = page.read_text()
    assert small_summary.scheme.label in text.lower()
    for share in small_summary.codes:
        assert f"<code>{share.code}</code>" in text
    for word in ("Can it be trusted?", "temperature", "readout variance", "seed", "jaxlib", "R-hat", "orthogonal"):
        assert word in text
    assert text.index("<h1>") < text.index("Can it be trusted?") < text.index("<figure") < text.index("Configuration")


def test_figures_are_saved_beside_the_page(page: Path) -> None:
    folder = page.parent / "figures"
    names = {path.stem for path in folder.glob("*.png")}
    assert {"activity", "neurons", "distributions", "contributions", "kernel", "predictions"} <= names
    assert {"traces", "convergence"} <= names
    assert {path.stem for path in folder.glob("*.pdf")} == names
    assert not list(page.parent.glob("*.partial"))


def test_names_given_by_users_are_escaped(small_run: cs.Run, small_summary: Summary) -> None:
    names = ("<script>alert(1)</script>", "a & b", "'c'")
    text = render(small_run, replace(small_summary, class_names=names), {})
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "a &amp; b" in text


def test_a_run_in_memory_needs_a_place(small_run: cs.Run, small_summary: Summary, tmp_path: Path) -> None:
    with pytest.raises(cs.InvalidInput, match="out='FILE"):
        report(small_run, summary=small_summary)
    with pytest.raises(cs.InvalidInput, match="replace a folder"):
        report(small_run, tmp_path, small_summary)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(cs.InvalidInput, match="cannot be written"):
        report(small_run, tmp_path / "file" / "page.html", small_summary)


def test_headlines(small_run: cs.Run) -> None:
    redundant, sparse, analog = (planted_report(kind).summary for kind in ("sigmoid", "relu", "linear"))
    assert re.match(
        r"Redundant coding, probability 0.98: 12 sigmoid neurons share \d codes \([01, ]+…?\)",
        words.headline(redundant, small_run),
    )
    assert "3 outliers among 12 sigmoid neurons carry 90%" in words.headline(sparse, small_run)
    assert "graded strength" in words.headline(analog, small_run)
    undecided = replace(analog, scheme=replace(analog.scheme, label="undecided"))
    assert words.headline(undecided, small_run).startswith("Undecided")


def test_the_verdict_follows_the_diagnostics() -> None:
    good = planted_report("sigmoid").summary
    assert words.verdict(good).level == "good"
    warned = planted_report("sigmoid", warnings=("3 transitions diverged",)).summary
    assert words.verdict(warned).level == "care"
    assert words.verdict(warned).reasons == ("3 transitions diverged",)
    found = good.diagnostics
    broken = replace(good, diagnostics=replace(found, identities=replace(found.identities, virial=1.2)))
    assert words.verdict(broken).level == "bad"


def test_chains_in_different_codes_are_no_failure(small_run: cs.Run) -> None:
    frozen = replace(planted_report("sigmoid").summary, code_rhat=float("inf"))
    assert {check.level for check in words.checks(frozen)} == {"good", "note"}
    text = render(small_run, frozen, {})
    assert "metastable" in text
    assert "∞" in text
    assert "metastable" not in render(small_run, replace(frozen, code_rhat=1.0), {})


def test_undefined_scores_say_why() -> None:
    summary = planted_report("sigmoid", classes=3).summary
    undefined = replace(summary, abstraction_by_layer=(replace(summary.abstraction_by_layer[-1], spread={}),))
    cards = {card.label: card for card in words.cards(undefined)}
    assert cards["abstraction scores"].value == "undefined"
    assert "3 classes" in cards["abstraction scores"].remark
    defined = {card.label: card for card in words.cards(planted_report("sigmoid", classes=4, factors=True).summary)}
    assert {"parallelism", "CCGP", "shattering"} <= set(defined)


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (10.34567, 0.0089, "10.3457 ± 0.0089"),
        (-0.5, 0.02, "−0.500 ± 0.020"),
        (0.5, float("nan"), "0.5"),
        (1234.5, 250.0, "1,234 ± 2.5×10²"),
        (0.00017771, 5.7e-7, "(1.7771 ± 0.0057)×10⁻⁴"),
        (float("nan"), 0.1, "–"),
    ],
)
def test_values_with_errors(value: float, error: float, said: str) -> None:
    assert words.estimate(Estimate(value, error)) == said
