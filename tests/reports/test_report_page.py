import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from planted_reports import planted_report, with_last_layer

import codingschemes as cs
from codingschemes.cli.summarize import _codes_title, layer_rows, summary_rows
from codingschemes.coding.dynamics import LayerDrift
from codingschemes.coding.predictions import Estimate
from codingschemes.coding.scheme import SchemeEvidence
from codingschemes.coding.summary import Summary
from codingschemes.reports import numbers, report, trust, words
from codingschemes.reports.captions import EVIDENCE
from codingschemes.reports.page import render


class References(HTMLParser):
    """Collects what a page loads, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.alts: list[str] = []
        self.tables_in_boxes: list[bool] = []
        self.box = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        if tag == "img":
            self.alts.append(given.get("alt") or "")
        if tag == "table":
            self.tables_in_boxes.append(self.box)
        self.box = tag == "div" and "scroll" in (given.get("class") or "").split()
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]


@pytest.fixture(scope="module")
def page(small_run: cs.Run, small_summary: Summary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report(small_run, tmp_path_factory.mktemp("report") / "deep" / "page.html", small_summary)


def test_the_page_is_self_contained_and_small(page: Path) -> None:
    text = page.read_text()
    found = References()
    found.feed(text)
    assert found.loaded
    assert all(reference.startswith(("data:image/png;base64,", "#")) for reference in found.loaded)
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
    main = text[text.index("<main>") :]
    assert main.index("<h1>") < main.index("<figure") < main.index("Can it be trusted?") < main.index("Configuration")
    assert main.index('id="scheme"') < main.index('id="figure-map"') < main.index("Scores of the three schemes")


def test_figures_are_saved_beside_the_page(page: Path) -> None:
    folder = page.parent / "figures"
    names = {path.stem for path in folder.glob("*.png")}
    assert {"activity", "neurons", "distributions", "contributions", "kernel", "predictions"} <= names
    assert {"traces", "convergence", "map"} <= names
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
    leaning = {"analog": 0.1, "redundant": 0.06, "sparse": 0.0, "undecided": 0.84}
    undecided = with_last_layer(
        analog, scheme=replace(analog.scheme, label="undecided", probability=0.84, probabilities=leaning)
    )
    assert words.headline(undecided, small_run).startswith("Undecided")
    for said in (words.headline(undecided, small_run), undecided.scheme.words, words.cards(undecided)[0].remark):
        assert "analog .10, redundant .06, sparse .00" in said
        assert "probability" not in said
        assert "84" not in said
    assert undecided.to_json()["scheme"]["scores"] == {"analog": 0.1, "redundant": 0.06, "sparse": 0.0}
    certain = replace(analog.scheme, probability=0.9999)
    assert certain.words == "analog (probability above 0.99)"
    assert "probability above 0.99" in words.headline(with_last_layer(analog, scheme=certain), small_run)


def test_the_verdict_follows_the_diagnostics() -> None:
    good = planted_report("sigmoid").summary
    assert trust.verdict(good).level == "good"
    warned = planted_report("sigmoid", warnings=("3 transitions diverged",)).summary
    assert trust.verdict(warned).level == "care"
    assert trust.verdict(warned).reasons == ("3 transitions diverged",)
    found = good.diagnostics
    broken = replace(good, diagnostics=replace(found, identities=replace(found.identities, virial=1.2)))
    assert trust.verdict(broken).level == "bad"


def test_chains_in_different_codes_have_not_converged(small_run: cs.Run) -> None:
    frozen = with_last_layer(planted_report("sigmoid").summary, code_rhat=float("inf"))
    assert [check.name for check in trust.checks(frozen) if check.level != "good"] == [
        "R-hat of code counts and outlier norms"
    ]
    assert trust.verdict(frozen).level == "bad"
    assert "chains differ in the codes" in trust.verdict(frozen).conclusion
    assert words.headline(frozen, small_run).startswith("Not converged. So far: redundant")
    text = render(small_run, frozen, {})
    assert "metastable" in text
    assert "stuck in the codes of their starts" in frozen.warnings[-1]
    slow = with_last_layer(frozen, code_rhat=1.5, code_changes=0.02)
    assert "metastable" not in render(small_run, slow, {})
    assert "too slowly" in slow.warnings[-1]
    assert "∞" in text
    assert "metastable" not in render(small_run, with_last_layer(frozen, code_rhat=1.0), {})


def test_codes_that_are_not_listed_are_counted(small_run: cs.Run) -> None:
    summary = planted_report("sigmoid").summary
    many = with_last_layer(summary, codes=summary.codes * 30, codes_left_out=2000)
    assert many.code_count == 30 * len(summary.codes) + 2000
    assert f"in {many.code_count:,} codes" in " ".join(card.remark for card in words.cards(many))
    assert f"largest of {many.code_count:,} " in _codes_title(many.code_count)
    assert "but 2,000 still rarer codes" in " ".join(render(small_run, many, {}).split())


def test_undefined_scores_say_why() -> None:
    summary = planted_report("sigmoid", classes=3).summary
    undefined = with_last_layer(summary, abstraction=replace(summary.last.abstraction, spread={}))
    cards = {card.label: card for card in words.cards(undefined)}
    assert cards["abstraction scores"].value == "undefined"
    assert "3 classes" in cards["abstraction scores"].remark
    defined = {card.label: card for card in words.cards(planted_report("sigmoid", classes=4, factors=True).summary)}
    assert {"parallelism", "CCGP", "shattering"} <= set(defined)


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (10.34567, 0.0089, "10.346 ± 0.009"),
        (-0.5, 0.02, "−0.50 ± 0.02"),
        (-0.00001, 0.0005, "0.0000 ± 0.0005"),
        (0.5, float("nan"), "0.5"),
        (1234.5, 260.0, "1,200 ± 300"),
        (0.01305172, 0.0000084, "0.013052 ± 0.000008"),
        (2.0, 0.0012, "2.0000 ± 0.0012"),
        (0.00017771, 5.7e-7, "(1.777 ± 0.006)×10⁻⁴"),
        (float("nan"), 0.1, "–"),
        (5.0, 1e-12, "5 ± 1×10⁻¹²"),
        (-0.1, 1e-17, "(−1 ± 1×10⁻¹⁶)×10⁻¹"),
    ],
)
def test_values_with_errors(value: float, error: float, said: str) -> None:
    assert numbers.estimate(Estimate(value, error)) == said


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (0.91643, 0.00016, "0.91643"),
        (0.01, 0.0001, "0.01000"),
        (-1.84, 0.0013, "−1.8400"),
        (1234.5, 260.0, "1,200"),
        (0.00017771, 5.7e-7, "0.0001777"),
        (0.5, 0.0, "0.5"),
        (0.25, float("nan"), "0.25"),
    ],
)
def test_predictions_have_the_digits_of_what_was_sampled(value: float, error: float, said: str) -> None:
    assert numbers.beside(value, error) == said


def test_every_statistic_of_the_verdict_is_explained() -> None:
    assert list(EVIDENCE) == [field.name for field in fields(SchemeEvidence)]


def test_contents_lead_everywhere_and_everything_fits_a_narrow_page(page: Path) -> None:
    text = page.read_text()
    found = References()
    found.feed(text)
    targets = [reference[1:] for reference in found.loaded if reference.startswith("#")]
    assert {"answer", "trust", "next", "figures", "glossary", "word-invariant", "figure-activity"} <= set(targets)
    assert set(targets) <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    assert found.tables_in_boxes
    assert all(found.tables_in_boxes)
    assert found.tags.count("source") == found.tags.count("img") == found.tags.count("figure") == len(found.alts)
    assert all(len(alt) > 20 for alt in found.alts)
    assert text.count('<source media="(prefers-color-scheme: dark)"') == len(found.alts)
    assert "@media (prefers-color-scheme: dark)" in text
    contents = re.findall(r'href="#([\w-]+)"', text[text.index("<nav") : text.index("</nav>")])
    anchors = [each for each in found.ids if each in contents]
    assert contents == anchors, "contents are not in the order of the page"
    levels = [int(tag[1]) for tag in found.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_a_run_that_has_not_converged_says_so_first(small_run: cs.Run) -> None:
    good = planted_report("sigmoid").summary
    found = good.diagnostics.convergence
    bad = replace(found, rhat={**found.rhat, "energy": np.array([1.99])}, ess={**found.ess, "energy": np.array([6.0])})
    assert bad.rhat_within < 1.05  # chains that each look settled
    summary = replace(good, diagnostics=replace(good.diagnostics, convergence=bad))
    assert words.headline(summary, small_run).startswith("Not converged. So far: redundant coding")
    assert trust.verdict(summary).level == "bad"
    assert "R-hat up to 1.99" in trust.verdict(summary).conclusion
    assert summary.to_json()["diagnostics"]["trust"] == "not converged"
    assert summary.to_json()["diagnostics"]["converged"] is False
    assert dict(row for row in summary_rows(summary) if row[0] == "can it be trusted?") == {
        "can it be trusted?": "not converged"
    }
    page = render(small_run, summary, {})
    assert page.index("Not converged") < page.index("Can it be trusted?", page.index("<main>"))


def test_long_tables_are_folded(small_run: cs.Run) -> None:
    few, many = (planted_report("relu", chains=chains).summary for chains in (2, 4))
    assert len(few.outliers) == 6
    assert len(many.outliers) == 12
    assert "outlier neurons</summary>" not in render(small_run, few, {})
    assert "<details><summary>12 outlier neurons</summary>" in render(small_run, many, {})


def test_every_layer_has_a_row_with_its_drift(small_run: cs.Run) -> None:
    one, two = (planted_report("sigmoid", depth=depth).summary for depth in (1, 2))
    assert "<h3>Every layer</h3>" not in render(small_run, one, {})
    assert "Drift was not measured" in render(small_run, two, {})
    drifting = with_last_layer(two, drift=LayerDrift("hmc", time=77.0, changes=float("nan"), correlation=0.125))
    page = render(small_run, drifting, {})
    assert "integration time 77 of hmc" in page
    assert words.layers(drifting)[-1][-2:] == ["–", "0.12"]
    assert len(words.layers(drifting)) == 2
    assert len(layer_rows(two)) == 2


def test_classes_that_all_share_a_target_have_no_error_of_classification() -> None:
    summary = planted_report("sigmoid", test=True).summary
    cards = {card.label: card for card in words.cards(summary)}
    assert cards["test error"].value == "1.0%"
    assert cards["test error"].remark.startswith("± 1.1% (binomial, 100 inputs)")  # Wilson's, of 1 in 100
    assert "binomial" not in cards["training error"].remark
    shared = replace(summary, training=replace(summary.training, error=float("nan")))
    cards = {card.label: card for card in words.cards(shared)}
    assert "training error" not in cards
    assert cards["training R²"].value == "0.99"
    assert "no class has a target of its own" in dict(summary_rows(shared))["training"]
    assert "error" not in dict(summary_rows(shared))["training"].split(";")[0]
    assert "classes" not in dict(summary_rows(shared))
    assert "class 0, class 1, class 2 targets stand in" in dict(summary_rows(replace(shared, levels=True)))["classes"]
