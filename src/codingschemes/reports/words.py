"""Numbers into words: the headline, the verdict, and what every diagnostic means."""

import math
import shlex
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from codingschemes.coding.layers import Layer
from codingschemes.coding.predictions import Estimate, Predictions
from codingschemes.coding.scheme import Scheme, probability_words
from codingschemes.coding.summary import Summary
from codingschemes.comparison import Comparison
from codingschemes.convergence import ESS_LIMIT, RHAT_LIMIT, SAME_NEURONS
from codingschemes.representation import SCORES
from codingschemes.runs import Run

type Level = Literal["good", "note", "care", "bad"]

ACTIVATIONS = {"relu": "ReLU", "gelu": "GELU"}
NAMED_CODES = 6
LONGEST_LIST = 12
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

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


class Check(NamedTuple):
    """One diagnostic: its level, name, value, and what it means."""

    level: Level
    name: str
    value: str
    meaning: str


class Verdict(NamedTuple):
    """Whether to trust the run: level, answer, and the sentences behind it."""

    level: Level
    answer: str
    reasons: tuple[str, ...]


def number(value: float, digits: int = 3) -> str:
    """A number with a few significant digits; a dash where it does not exist."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if 1000 <= abs(value) < 1e6:
        return f"{value:,.0f}".replace("-", "−")
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    power = f"×10{str(int(exponent)).translate(SUPERSCRIPTS)}" if exponent else ""
    return mantissa.replace("-", "−") + power


def with_error(value: float, error: float) -> str:
    """A value to the precision that its error allows, and the error to one digit, or two where the first is a 1."""
    if math.isnan(error) or not math.isfinite(value):
        return number(value, 4)
    if error == 0:
        return number(value, 4)
    leading = math.floor(math.log10(error))
    decimals = (1 if f"{error:e}"[0] == "1" else 0) - leading
    if decimals > 6 and value != 0:
        exponent = math.floor(math.log10(abs(value)))
        scaled = with_error(value / 10.0**exponent, error / 10.0**exponent)
        return f"({scaled})×10{str(exponent).translate(SUPERSCRIPTS)}"
    if decimals > 6 or error >= 1e6:
        return f"{number(value, 4)} ± {number(error, 2)}"
    if decimals < 0:
        return f"{round(value, decimals):,.0f} ± {round(error, decimals):,.0f}".replace("-", "−")
    return f"{value:z.{decimals}f} ± {error:.{decimals}f}".replace("-", "−")


def beside(value: float, error: float) -> str:
    """A value without an error, to the precision of one with this error."""
    told, error_told, _ = with_error(value, error).partition(" ± ")
    return told if error_told and not told.startswith("(") else number(value, 4)


def estimate(value: Estimate) -> str:
    return with_error(value.mean, value.mcse)


def rhat(value: float) -> str:
    """Two decimals, so that 1.00 is seen to be a measurement; fewer where it is far from its limit."""
    return f"{value:.2f}" if value < 10 else number(value)


def percent(value: float) -> str:
    return f"{value:.1%}" if 0 < value < 0.0995 else f"{value:.0%}"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def headline(summary: Summary, run: Run) -> str:
    """The answer, with what it is worth in front where that is little."""
    doubt = {"not converged": "Not converged. So far: ", "no": "Not to be trusted. So far: "}
    found = _answer(summary, run)
    prefix = doubt.get(summary.diagnostics.trust, "")
    return prefix + (found[0].lower() + found[1:] if prefix else found)


def _answer(summary: Summary, run: Run) -> str:
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


def verdict(summary: Summary) -> Verdict:
    """Whether the run can be trusted, from its diagnostics."""
    found = summary.diagnostics
    match found.trust:
        case "no":
            return Verdict("bad", "No: the chains do not sample the posterior yet.", summary.warnings)
        case "not converged":
            if found.convergence.converged:
                where = listed([str(layer) for layer in found.neurons_apart])
                of_layers = f" of {summary.layer_name} {where}" if len(summary.layers) > 1 else ""
                answer = f"Not converged: chains differ in the codes or outliers{of_layers}, though in nothing else."
                return Verdict("bad", answer, summary.warnings)
            answer = (
                f"Not converged: R-hat up to {rhat(found.convergence.rhat_max)} (at most {RHAT_LIMIT:g} is asked "
                f"for), {found.convergence.ess_min:.0f} effective draws (at least {ESS_LIMIT})."
            )
            return Verdict("bad", answer, summary.warnings)
        case "with care":
            return Verdict("care", "With care: the chains agree, but something stands against them.", summary.warnings)
    return Verdict("good", "Yes: exact identities hold, and the chains agree.", summary.warnings)


def checks(summary: Summary) -> list[Check]:
    """Every diagnostic with what it means."""
    found, converged = summary.diagnostics, summary.diagnostics.convergence
    exact = found.identities
    settled = converged.rhat_within <= 1.2
    exactly: Level = "good" if exact.hold else "bad" if exact.known else "care"
    rows = [
        Check(
            exactly,
            "exact identity ⟨θ·∇U⟩ / dimension\u00a0=\u00a01",
            with_error(exact.virial, exact.virial_mcse),
            f"{number(exact.virial_z, 2)} standard errors from 1, whatever the posterior",
        ),
        Check(
            exactly,
            "exact identity ⟨∇U⟩\u00a0=\u00a00",
            f"|z| ≤ {number(exact.gradient_z, 2)}",
            f"largest of {exact.directions} directions, in standard errors",
        ),
        Check(
            "good" if settled else "care",
            "R-hat within a chain",
            rhat(converged.rhat_within),
            "largest over invariants, first half of a chain against its second; near 1: chains have settled",
        ),
        Check(
            "good" if converged.rhat_max <= RHAT_LIMIT else "bad",
            "R-hat over chains",
            rhat(converged.rhat_max),
            f"largest over invariants, at most {RHAT_LIMIT:g}: all chains sample the same region"
            + (" (here they are settled in different ones)" if converged.chains_differ else ""),
        ),
        Check(
            "good" if converged.ess_min >= ESS_LIMIT else "bad",
            "effective draws over all chains",
            f"{converged.ess_min:.0f}",
            f"of the slowest invariant; at least {ESS_LIMIT}, small where chains keep apart",
        ),
        Check(
            "good" if converged.ess_within >= ESS_LIMIT else "care",
            "effective draws of chains on their own",
            f"{converged.ess_within:.0f}",
            f"of the slowest invariant, added up; Monte Carlo errors are rough below {ESS_LIMIT}",
        ),
        Check(
            "good" if found.divergences == 0 else "care",
            "divergent transitions",
            str(found.divergences),
            "of the sampler's integrator; each one hints at a region it could not enter",
        ),
        Check(
            "bad" if found.faults else "good",
            "chains that went wrong",
            listed([str(chain) for chain in found.faults.chains]) or "none",
            "stuck in one place, at far higher energies, with a collapsed step, or rejecting most proposals",
        ),
    ]
    rows.append(
        Check(
            "bad" if found.neurons_apart else "good",
            "R-hat of code counts and outlier norms",
            listed([rhat(value) for value in found.neuron_rhat]) or "–",
            f"largest of each {summary.layer_name}, below {SAME_NEURONS:g}; ∞ where chains keep different codes and no "
            "neuron changes its own",
        )
    )
    rows.append(
        Check(
            "good" if found.saturated <= 0.2 else "care",
            "gradients a draw",
            number(found.gradients_per_draw),
            f"acceptance {percent(found.acceptance_rate)}, {percent(found.saturated)} of trajectories cut at their "
            f"longest; chains move together, and waiting for the slowest costs ×{found.waste:.1f}",
        )
    )
    return rows


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
            shown.append(Card(label, f"{value:.2f}".replace("-", "−"), remark))
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


def _errors(side: str, predictions: Predictions) -> Card:
    """Misclassified inputs, of held-out ones with their binomial error; R² where classes cannot be told apart."""
    loss = f"mean squared error {estimate(predictions.loss)}"
    if not predictions.classified:
        return Card(f"{side} R²", number(predictions.r2), f"no error of classification: classes share targets; {loss}")
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
    return listed(active) if active else "no class"


def plain_value(value: Any) -> str:
    """A value of the configuration as it is read."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        shown = [plain_value(item) for item in value[:LONGEST_LIST]]
        rest = f", … ({len(value)} values)" if len(value) > LONGEST_LIST else ""
        return ", ".join(shown) + rest or "–"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {plain_value(item)}" for name, item in value.items()) or "–"
    return str(value)
