"""`codingschemes summarize`."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

import codingschemes as cs
from codingschemes.cli.options import drift_option, json_option
from codingschemes.cli.output import keep_json, print_json, print_table

if TYPE_CHECKING:
    from codingschemes.coding import Summary

#: Codes that are listed.
_MOST_CODES = 20


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@drift_option
@json_option
def summarize(run: Path, drift: bool, as_json: bool) -> None:
    """Say which coding scheme a sampled run shows in each layer, with codes, abstraction scores and diagnostics.

    The same values are written to summary.json in the run folder.
    """
    from codingschemes.progress import watched

    with watched(shown=True):
        summary = cs.summarize(cs.Run.open(run), drift=drift)
    values = summary.to_json()
    keep_json(run / "summary.json", values)
    if as_json:
        print_json(values)
        return
    print_table(f"summary of {run}", ["quantity", "value"], summary_rows(summary))
    if len(summary.layers) > 1:
        print_table(f"every {summary.layer_name}", LAYER_COLUMNS, layer_rows(summary))
    if summary.codes:
        print_table(
            _codes_title(summary.code_count),
            ["code", "share of neurons", "95 % interval", "by chain"],
            [
                [
                    code.code,
                    f"{code.fraction:.3f}",
                    f"{code.interval[0]:.3f} - {code.interval[1]:.3f}",
                    "  ".join(f"{share:.3f}" for share in code.by_chain),
                ]
                for code in summary.codes[:_MOST_CODES]
            ],
        )


def _codes_title(count: int) -> str:
    if count <= _MOST_CODES:
        return "codes of the last hidden layer"
    return f"codes of the last hidden layer, the {_MOST_CODES} largest of {count:,} (`--json` has more)"


LAYER_COLUMNS = [
    "",
    "scheme",
    "neurons with a code",
    "neurons that carry the output",
    "outliers a chain (share of the output)",
    "variance within classes",
    "NC1",
    "code changes a unit time",
    "correlation, first to last",
]


def layer_rows(summary: "Summary") -> list[list[str]]:
    """One line a layer."""
    from codingschemes.reports.words import layers

    return [[f"{summary.layer_name} {number}", *row] for number, row in enumerate(layers(summary), start=1)]


def summary_rows(summary: "Summary") -> list[list[str]]:
    """What a person reads first."""
    from codingschemes.representation import SCORES

    found, scores = summary.diagnostics, summary.abstraction
    jumps = "" if summary.jumps is None else f" ({summary.jumps:.2g} accepted jumps a neuron and draw)"
    drift = (
        "not measured: the draws are no local dynamics, `drift=True` follows one"
        if summary.drift is None
        else f"{summary.drift.words}, along {summary.drift.dynamics}"
    )
    rows = [
        ["can it be trusted?", found.trust],
        ["scheme", summary.scheme.words],
        ["neurons with a code", f"{summary.coded:.1%}, of which {summary.code_changes:.2%} change code a draw{jumps}"],
        ["drift", drift],
        [
            "outlier neurons",
            f"{len(summary.outliers)} in {len(summary.portraits)} chains, carrying {summary.outlier_share:.0%} of the "
            f"class-specific output; classes {_classes_of_outliers(summary)}",
        ],
        ["energy", f"{summary.energy.mean:.5g} +- {summary.energy.mcse:.1g}"],
        ["training", summary.training.words()],
    ]
    if summary.levels:
        rows.insert(1, ["classes", f"none: {', '.join(summary.class_names)} targets stand in for them"])
    if summary.test is not None:
        rows.append(["test", summary.test.words(held_out=True)])
    for name in SCORES:
        score = getattr(scores, name)
        rows.append(
            [
                name,
                f"{score:.3f} +- {summary.abstraction_spread[name]:.3f}" if score is not None else "not defined here",
            ]
        )
        layers = [getattr(layer.scores, name) for layer in summary.abstraction_by_layer]
        if len(layers) > 1 and score is not None:
            values = "  ".join("-" if value is None else f"{value:.3f}" for value in layers)
            rows.append([f"{name}, every {summary.layer_name}", values])
    if len(summary.factor_names) > 1:
        by_factor = {"parallelism": scores.parallelism_by_factor, "ccgp": scores.ccgp_by_factor}
        rows += [[f"{name} by factor", _by_factor(summary.factor_names, parts)] for name, parts in by_factor.items()]
    rows += [
        ["R-hat, all chains", f"{found.convergence.rhat_max:.2f} (within a chain {found.convergence.rhat_within:.2f})"],
        ["R-hat of code counts", _by_layer(layer.code_rhat for layer in summary.layers)],
        ["R-hat of outlier norms", _by_layer(layer.outlier_rhat for layer in summary.layers)],
        [
            "effective draws",
            f"{found.convergence.ess_min:.0f} at least (chains taken separately {found.convergence.ess_within:.0f})",
        ],
        ["virial (exactly 1)", f"{found.identities.virial:.5g} +- {found.identities.virial_mcse:.2g}"],
        ["gradient (exactly 0)", f"largest z {found.identities.gradient_z:.1f} of {found.identities.directions}"],
        ["divergences", f"{found.divergences}, {found.gradients_per_draw:.0f} gradients a draw"],
    ]
    rows += [["warning", warning] for warning in summary.warnings]
    return rows


def _by_layer(values: Iterable[float]) -> str:
    return "  ".join("-" if math.isnan(value) else f"{value:.2f}" for value in values)


def _by_factor(names: Iterable[str], parts: Iterable[float | None]) -> str:
    values = ("-" if part is None else f"{part:.3f}" for part in parts)
    return ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))


def _classes_of_outliers(summary: "Summary") -> str:
    present = sorted({each.class_index for each in summary.outliers})
    return ", ".join(summary.class_names[index] for index in present) or "-"
