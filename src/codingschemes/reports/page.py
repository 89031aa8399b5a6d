"""The HTML page: the answer first, then whether to trust it, figures, tables, and what made it."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from codingschemes.calls import checked
from codingschemes.coding.layers import Kernels
from codingschemes.coding.scheme import Scheme, probability_words
from codingschemes.coding.summary import Summary, summarize
from codingschemes.comparison import Comparison
from codingschemes.errors import InvalidInput
from codingschemes.reports import numbers, theory, trust, words
from codingschemes.reports.captions import CAPTIONS, EVIDENCE, GLOSSARY
from codingschemes.reports.figures import Rendering, figures, save_figures
from codingschemes.runs import Run
from codingschemes.runs.run import replacing

PAGE, FIGURES = "report.html", "figures"
MOST_ROWS = 30
"""Longest table of codes or outliers."""
UNFOLDED = 8
"""Longer tables are folded."""
KEY_FIGURES = {
    "redundant": ("codes", "activity"),
    "sparse": ("contributions", "activity"),
    "analog": ("neurons", "activity"),
    "undecided": ("activity",),
}
"""What is shown first: the figure that the answer is seen in."""


@checked
def report(
    run: Run,
    out: str | Path | None = None,
    summary: Summary | None = None,
    comparison: Comparison | None = None,
) -> Path:
    """Write the report of a run: one HTML file that needs nothing else, and its figures in `figures/` beside it.

    Args:
        run: the run.
        out: the HTML file to write; `report.html` in the run folder by default.
        summary: of the run, if it has been computed already.
        comparison: of the run with a theory, which is then drawn over the figures and tabulated.

    Returns:
        The HTML file.

    Raises:
        InvalidInput: a run held in memory without `out`, a place that cannot be written to, a run without draws.

    Example:
        >>> cs.report(run, "report.html", summary=summary).name
        'report.html'
    """
    path = _destination(run, out)
    summary = summarize(run) if summary is None else summary

    def page() -> str:
        drawn = save_figures(figures(run, summary, comparison), path.parent / FIGURES)
        return render(run, summary, drawn, comparison)

    return write_whole(path, page)


def write_whole(path: Path, page: Callable[[], str]) -> Path:
    """Write a page whole or not at all; its figures may go beside it while it is made.

    Raises:
        InvalidInput: the place cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = page()
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"the report {path} cannot be written ({error.strerror}): choose another `out`") from error
    return path


def render(run: Run, summary: Summary, images: Mapping[str, Rendering], comparison: Comparison | None = None) -> str:
    """The page as text.

    Args:
        images: renderings by the name of the figure.
        comparison: with a theory.
    """
    task, network = run.posterior.task, run.config["network"]
    apart = bool(summary.codes) and not summary.chains_share_codes
    shown = {name: embed(drawn, *CAPTIONS[name]) for name, drawn in images.items()}
    key = next((name for name in KEY_FIGURES[summary.scheme.label] if name in shown), None)
    return template("report.html.jinja").render(
        title=f"{task.name}, {network['activation']}",
        subtitle=_subtitle(run),
        headline=words.headline(summary, run),
        cards=words.cards(summary),
        abstraction=summary.abstraction.definition if summary.abstraction_spread else None,
        abstraction_by_layer=words.abstraction_by_layer(summary),
        abstraction_by_factor=words.abstraction_by_factor(summary),
        layer_name=summary.layer_name,
        layers=words.layers(summary),
        drift_remark=words.drift_remark(summary),
        verdict=trust.verdict(summary),
        metastable=(words.METASTABLE if summary.codes_stuck else words.SLOW_CODES) if apart else None,
        checks=trust.checks(summary),
        figures=shown,
        key_figure=key,
        sections=_sections(comparison),
        glossary=GLOSSARY,
        next_steps=words.next_steps(summary, run, comparison),
        folded=UNFOLDED,
        codes=_codes(summary),
        outliers=_outliers(summary),
        rows_left_out=max(len(summary.codes), len(summary.outliers)) > MOST_ROWS,
        codes_unlisted=summary.last.codes_left_out,
        chains=range(len(summary.portraits)),
        probabilities=[(name, probability_words(value)) for name, value in summary.scheme.scores.items()],
        evidence=evidence_rows(summary.scheme),
        theory=None if comparison is None else _theory(comparison),
        kernels=[_kernel_table(kernels) for kernels in summary.kernels],
        class_names=summary.class_names,
        origin=[*_configuration(run), *_provenance(run)],
    )


def template(name: str) -> Template:
    """A page of this package."""
    environment = Environment(
        loader=PackageLoader("codingschemes.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["arguments"] = arguments_as_code
    environment.filters["without_breaks"] = without_breaks
    return environment.get_template(name)


def _sections(comparison: Comparison | None) -> list[tuple[str, str]]:
    """Contents: anchors and headings, in order."""
    listed = [
        ("answer", "The answer"),
        ("trust", "Can it be trusted?"),
        ("next", "What to do next"),
        ("figures", "Figures"),
        ("scheme", "The coding scheme in numbers"),
        ("theory-table", "" if comparison is None else f"Beside the {comparison.prediction.theory} theory"),
        ("kernels", "Kernel"),
        ("glossary", "Words"),
        ("origin", "Configuration and provenance"),
    ]
    return [(anchor, heading) for anchor, heading in listed if heading]


def embed(drawn: Rendering, heading: str, caption: str) -> dict[str, str]:
    """A figure as the page holds it."""
    light, dark = (b64encode(image).decode("ascii") for image in drawn)
    return {"heading": heading, "caption": caption, "light": light, "dark": dark}


def _destination(run: Run, out: str | Path | None) -> Path:
    if out is not None:
        path = Path(out)
    elif run.path is not None:
        path = run.path / PAGE
    else:
        raise InvalidInput("a run held in memory has no folder for its report: give `out='FILE.html'`")
    if path.is_dir():
        raise InvalidInput(f"the report {path} would replace a folder: give the name of an HTML file")
    return path


def _subtitle(run: Run) -> str:
    task, network, sampling = run.posterior.task, run.config["network"], run.config["sampling"]
    layers = "1 hidden layer" if network["depth"] == 1 else f"{network['depth']} hidden layers"
    neurons = f"{network['width']} {words.activation_name(network['activation'])} neurons"
    if run.posterior.network.recurrent:
        structure = f"a recurrent layer of {neurons} over {network['depth']} time steps"
    else:
        structure = f"{layers} of {neurons}"
    stand_in = ", which stand in for classes" if task.levels else ""
    return (
        f"Task {task.name}: {task.sample_count} inputs in {task.class_words}{stand_in}. Network: {structure}, "
        f"{network['scaling']} scaling. Posterior: temperature {run.config['prior']['temperature']:g}, "
        f"{sampling['chains']} chain{'s' if sampling['chains'] > 1 else ''} of {run.draw_count} draws."
    )


def _codes(summary: Summary) -> list[dict[str, Any]]:
    return [
        {
            "code": share.code,
            "classes": words.answered_classes(share.code, summary.class_names),
            "fraction": numbers.percent(share.fraction),
            "interval": " to ".join(numbers.percent(end) for end in share.interval),
            "by_chain": [numbers.percent(own) for own in share.by_chain],
        }
        for share in summary.codes[:MOST_ROWS]
    ]


def _outliers(summary: Summary) -> list[dict[str, Any]]:
    return [
        {
            "chain": outlier.chain,
            "neuron": outlier.neuron,
            "class_name": summary.class_names[outlier.class_index],
            "norm": numbers.number(outlier.norm),
            "strength": numbers.number(outlier.strength),
            "part": numbers.percent(float(summary.portraits[outlier.chain].output_part[outlier.neuron])),
        }
        for outlier in summary.outliers[:MOST_ROWS]
    ]


def evidence_rows(scheme: Scheme) -> list[tuple[str, str, str]]:
    """What a verdict rests on: names, numbers, and what they mean."""
    return [
        (name.replace("_", " "), numbers.number(value), EVIDENCE[name]) for name, value in vars(scheme.evidence).items()
    ]


def _theory(comparison: Comparison) -> dict[str, Any]:
    return {
        "name": comparison.prediction.theory,
        "remarks": theory.remarks(comparison),
        "rows": theory.table(comparison),
    }


def _kernel_table(kernels: Kernels) -> list[list[str]]:
    """Rows of `mean ± error`, one a class; within-class means on the diagonal."""
    means = np.where(np.eye(len(kernels.within), dtype=bool), kernels.within, kernels.between)
    return [
        [numbers.with_error(float(mean), float(error)) for mean, error in zip(row, errors, strict=True)]
        for row, errors in zip(means, kernels.between_mcse, strict=True)
    ]


def _configuration(run: Run) -> list[tuple[str, list[tuple[str, str]]]]:
    sections = [
        (section, [(name.replace("_", " "), numbers.plain_value(value)) for name, value in options.items()])
        for section, options in run.config.items()
        if section != "task"
    ]
    task = run.posterior.task
    made = [("name", task.name), *task.provenance.get("options", {}).items()]
    made += [(name, value) for name, value in task.provenance.items() if name != "options"]
    rows = [(name.replace("_", " "), numbers.plain_value(value)) for name, value in made if value not in (None, [], {})]
    return [("task", rows), *sections]


def _provenance(run: Run) -> list[tuple[str, list[tuple[str, str]]]]:
    made = [
        (
            "ended by" if name == "ended" else name.replace("_", " "),
            f"{value:.1f}" if name.endswith("seconds") else numbers.plain_value(value),
        )
        for name, value in run.provenance.items()
        if name != "versions"
    ]
    return [("made by", made), ("versions", list(run.provenance.get("versions", {}).items()))]


def arguments_as_code(sentence: str) -> Markup:
    """A sentence of the package as HTML: arguments, which it has in backticks, as code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(sentence))))


def without_breaks(sentence: str) -> Markup:
    """A sentence of the package as HTML, in which no line ends at the hyphen of R-hat."""
    return Markup(str(escape(sentence)).replace("R-hat", '<span class="unbroken">R-hat</span>'))
