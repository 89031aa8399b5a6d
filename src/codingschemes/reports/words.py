"""A run in words: the headline, key numbers, layers, and what to do next."""

import math
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from codingschemes.coding.layers import Layer
from codingschemes.coding.predictions import Predictions
from codingschemes.coding.scheme import Scheme, probability_words
from codingschemes.coding.summary import Summary
from codingschemes.comparison import Comparison
from codingschemes.reports.numbers import enumeration, estimate, number, percent, with_error
from codingschemes.representation import SCORES
from codingschemes.runs import Run

ACTIVATIONS = {"relu": "ReLU", "gelu": "GELU"}
NAMED_CODES = 6

METASTABLE = (
    "The chains are stuck in the codes of their starts. The barriers between codes grow with the number of inputs: "
    "codes are metastable, more draws of the same kind do not cross them, and every chain keeps the shares of its "
    "start. Read the shares of codes as those of the starting points, not of the posterior."
)
SLOW_CODES = (
    "Neurons change their codes, but too slowly for the chains to agree on the shares: read them as estimates whose "
    "error is the distance between chains."
)


class Card(NamedTuple):
    """One key number: what it is, the number, and a remark."""

    label: str
    value: str
    remark: str


def headline(summary: Summary, run: Run) -> str:
    """The answer, with what it is worth in front where that is little."""
    doubt = {"not converged": "Not converged. So far: ", "no": "Not to be trusted. So far: "}
    found = _scheme_sentence(summary, run)
    prefix = doubt.get(summary.diagnostics.trust, "")
    return prefix + (found[0].lower() + found[1:] if prefix else found)


def _scheme_sentence(summary: Summary, run: Run) -> str:
    """The coding scheme in one sentence."""
    network = run.config["network"]
    neurons = f"{network['width']} {activation_name(network['activation'])} neurons"
    scheme = summary.scheme
    sure = f"probability {probability_words(scheme.probability)}"
    match scheme.label:
        case "redundant":
            common = [share.code for share in summary.codes if share.fraction >= 0.005]
            named = ", ".join(common[:NAMED_CODES]) + (", …" if len(common) > NAMED_CODES else "")
            codes = f"{len(common)} codes" if len(common) != 1 else "1 code"
            return f"Redundant coding, {sure}: {neurons} share {codes} ({named})"
        case "sparse":
            return (
                f"Sparse coding, {sure}: {outlier_count(summary)} among {neurons} carry "
                f"{percent(summary.outlier_share)} of the class-specific output"
            )
        case "analog":
            return (
                f"Analog coding, {sure}: all {neurons} answer in graded strength to the "
                f"{len(summary.class_names)} classes, without codes or outliers"
            )
    return f"Undecided: the {neurons} fit no single coding scheme with confidence ({scheme.reason})"


def activation_name(registered: str) -> str:
    """The activation as it is written in papers."""
    return ACTIVATIONS.get(registered, registered)


def outlier_count(summary: Summary) -> str:
    """How many outliers a chain has: `3 outliers`, or `2 to 4 outliers` where chains differ."""
    counts = [len(portrait.outliers) for portrait in summary.portraits]
    low, high = min(counts), max(counts)
    if low == high:
        return "no outliers" if high == 0 else "1 outlier" if high == 1 else f"{high} outliers"
    return f"{low} to {high} outliers"


def scheme_card(scheme: Scheme) -> Card:
    """The verdict, with its probability or why there is none."""
    if scheme.label == "undecided":
        return Card("scheme", scheme.label, scheme.reason)
    return Card("scheme", scheme.label, f"probability {probability_words(scheme.probability)}")


def cards(summary: Summary) -> list[Card]:
    """The row of key numbers."""
    scores, spread = summary.abstraction, summary.abstraction_spread
    shown = [
        scheme_card(summary.scheme),
        Card(
            "neurons with a code",
            percent(summary.coded),
            f"in {summary.code_count:,} codes; the sampler changes a neuron's code in a draw with probability "
            f"{number(summary.code_changes, 2)}"
            if summary.codes
            else "no code fits",
        ),
        Card(
            "outlier neurons",
            outlier_count(summary).replace("no outliers", "none").removesuffix(" outliers").removesuffix(" outlier"),
            f"a chain, with {percent(summary.outlier_share)} of the class-specific output"
            if summary.outliers
            else "no neuron stands far above the others",
        ),
        *_drift(summary),
        _errors("training", summary.training),
    ]
    if summary.test is not None:
        shown.append(_errors("test", summary.test))
    error = "" if math.isnan(summary.energy.mcse) else f"± {number(summary.energy.mcse, 2)}; "
    shown.append(Card("energy", number(summary.energy.mean, 5), f"{error}mean regularised loss"))
    values = {"parallelism": scores.parallelism, "ccgp": scores.ccgp, "shattering": scores.shattering}
    if not spread and len(set(scores.reasons.values())) == 1:
        return [*shown, Card("abstraction scores", "undefined", scores.reasons["parallelism"])]
    for name, value in values.items():
        label = {"ccgp": "CCGP"}.get(name, name)
        if value is None:
            shown.append(Card(label, "undefined", scores.reasons.get(name, "")))
        else:
            remark = f"± {number(spread[name], 2)} between networks" if name in spread else ""
            shown.append(Card(label, score(value), remark))
    return shown


def next_steps(summary: Summary, run: Run, comparison: Comparison | None) -> list[tuple[str, str]]:
    """What to run next: a reason and a command each."""
    folder = "RUN" if run.path is None else shlex.quote(str(run.path))
    sampling = run.config["sampling"]
    steps = []
    if not summary.diagnostics.converged:
        warmup = sampling["warmup"] or run.provenance["warmup_steps"]
        more = f"--warmup {2 * warmup} --draws {4 * run.draw_count}"
        steps.append(
            ("Sample longer, with all other options as before", f"codingschemes sample … {more} --out {folder}-longer")
        )
    if summary.codes_stuck:
        steps.append(
            ("Start the chains from other codes, to see how much depends on the start",
             f"codingschemes sample … --start annealed --out {folder}-annealed")
        )  # fmt: skip
    if comparison is None:
        steps.append(("Set the run against a theory", f"codingschemes compare {folder}"))
    steps.append(("Read all numbers, also those that are cut here", f"codingschemes summarize {folder} --json"))
    if run.config["network"]["depth"] == 1:
        steps.append(("See whether weights condense as codes do", f"codingschemes manifolds detect {folder}"))
    steps.append(
        ("Describe activities of your own in the same way, of a trained network or a recording",
         "codingschemes describe FILE --out DIR")
    )  # fmt: skip
    return steps


def abstraction_by_layer(summary: Summary) -> list[list[str]]:
    """Rows of the table of scores, one a layer or time step, with their spread between networks."""
    return [
        [
            with_error(value, layer.spread.get(name, math.nan)) if value is not None else "–"
            for name in SCORES
            for value in [getattr(layer.scores, name)]
        ]
        for layer in summary.abstraction_by_layer
    ]


def abstraction_by_factor(summary: Summary) -> list[list[str]]:
    """Rows of the table of scores that there are of single factors: its name, parallelism and CCGP."""
    scores = summary.abstraction
    parts = zip(summary.factor_names, scores.parallelism_by_factor, scores.ccgp_by_factor, strict=False)
    return [[name, *("–" if each is None else score(each) for each in values)] for name, *values in parts]


def score(value: float) -> str:
    """An abstraction score as it is read."""
    return f"{value:.2f}".replace("-", "−")


def _errors(side: str, predictions: Predictions) -> Card:
    """Misclassified inputs, of held-out ones with their binomial error; R² where classes cannot be told apart."""
    loss = f"mean squared error {estimate(predictions.loss)}"
    if not predictions.classified:
        return Card(
            f"{side} R²",
            number(predictions.r2),
            f"no error of classification: no class has a target of its own; {loss}",
        )
    held_out = side == "test"
    sampled = f"± {percent(predictions.error_se)} (binomial, {len(predictions.outputs):,} inputs); " if held_out else ""
    return Card(f"{side} error", percent(predictions.error), f"{sampled}misclassified; {loss}")


def _drift(summary: Summary) -> list[Card]:
    """Drift of the last layer, where it was measured."""
    drift = summary.drift
    if drift is None:
        return []
    changes = (
        "" if math.isnan(drift.changes) else f"; {number(drift.changes, 2)} code changes a neuron and unit of time"
    )
    remark = f"of class means, first to last, over time {number(drift.time, 2)} of {drift.dynamics}{changes}"
    return [Card("drift", f"correlation {_correlation(drift.correlation)}", remark)]


def _correlation(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}".replace("-", "−")


def layers(summary: Summary) -> list[list[str]]:
    """Rows of the table of layers or time steps."""
    return [
        [
            scheme_of(layer),
            percent(layer.coded),
            number(layer.effective_neurons),
            f"{number(len(layer.outliers) / len(layer.portraits))} ({percent(layer.outlier_share)})",
            number(layer.collapse.spread_within, 2),
            number(layer.collapse.nc1, 2),
            "–" if layer.drift is None else number(layer.drift.changes, 2),
            "–" if layer.drift is None else _correlation(layer.drift.correlation),
        ]
        for layer in summary.layers
    ]


def drift_remark(summary: Summary) -> str:
    """Along what drift was measured, or how to have it measured."""
    if summary.drift is None:
        return "Drift was not measured: `codingschemes report --drift` follows the networks along a local dynamics."
    return (
        f"Drift over integration time {number(summary.drift.time, 2)} of {summary.drift.dynamics}: changes of code a "
        "neuron and unit of time, and the correlation of class means, first to last (1 is no drift)."
    )


def scheme_of(layer: Layer) -> str:
    """`redundant (0.98)`, or `undecided` where no scheme is named."""
    scheme = layer.scheme
    return scheme.label if scheme.label == "undecided" else f"{scheme.label} ({probability_words(scheme.probability)})"


def answered_classes(code: str, class_names: Sequence[str]) -> str:
    """The classes that neurons of a code are active for."""
    active = [name for bit, name in zip(code, class_names, strict=True) if bit == "1"]
    if len(active) == len(class_names):
        return "every class"
    return enumeration(active) if active else "no class"
