"""The figures of a report, one function each, for notebooks and papers.

Each takes a run, and its summary where that is at hand already (else it is made), and returns a matplotlib `Figure` in
the report's style. Those of one state of the neurons (`activity`, `codes`, `contributions`, `neurons`, `kernel`, `map`)
take the description of a population as well. Nothing is shown or saved: `figure.savefig("codes.pdf")`, or the last line
of a notebook cell.

    import codingschemes as cs
    figure = cs.plot.activity(run, summary)
    figure = cs.plot.activity(cs.describe(population))
"""

from matplotlib.figure import Figure

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.calls import checked
from codingschemes.coding import Summary, summarize
from codingschemes.comparison import Comparison
from codingschemes.errors import InvalidInput
from codingschemes.populations import Description
from codingschemes.reports import chains, figures, populations, responses, schemes
from codingschemes.reports import layers as layer_figures
from codingschemes.reports import theory as theory_figures
from codingschemes.reports.style import Described, Labelled, styled
from codingschemes.runs import Run

__all__ = [
    "activity",
    "chain_traces",
    "codes",
    "contributions",
    "convergence",
    "distributions",
    "kernel",
    "layers",
    "map",
    "neurons",
    "outputs",
    "theory",
]


@checked
@styled()
def activity(run: Run | Description, summary: Summary | None = None) -> Figure:
    """Activity of all neurons at all training inputs in the last draws of some chains; neurons sorted by code, samples
    by class.

    Args:
        run: a run, or the description of a population.
        summary: of the run, where it is at hand; made if left out.

    Example:
        >>> figure = cs.plot.activity(run, summary)
    """
    return populations.activity(*_read(run, summary))


@checked
@styled()
def codes(run: Run | Description, summary: Summary | None = None, comparison: Comparison | None = None) -> Figure:
    """Share of the neurons with each code, with 95 % intervals and by chain; a comparison adds the predicted shares.

    Args:
        run: a run, or the description of a population.
        summary: of the run, where it is at hand; made if left out.
        comparison: of the run with a theory, which is then drawn, too.

    Raises:
        InvalidInput: no neuron has a code.

    Example:
        >>> figure = cs.plot.codes(run, summary, comparison)
    """
    described, _ = _read(run, summary)
    if not described.codes:
        raise InvalidInput("no neuron has a code here: draw `neurons`, which needs none")
    return populations.codes(described, None if comparison is None else comparison.prediction)


@checked
@styled()
def contributions(run: Run | Description, summary: Summary | None = None) -> Figure:
    """The part of the class-specific output that each neuron carries, and activity against readout.

    Args:
        run: a run, or the description of a population.
        summary: of the run, where it is at hand; made if left out.

    Example:
        >>> figure = cs.plot.contributions(run, summary)
    """
    return populations.contributions(*_read(run, summary))


@checked
@styled()
def neurons(run: Run | Description, summary: Summary | None = None) -> Figure:
    """Single neurons in the last draws: class-mean activities and readouts, two at a time, coloured by code.

    Args:
        run: a run, or the description of a population.
        summary: of the run, where it is at hand; made if left out.

    Example:
        >>> figure = cs.plot.neurons(run, summary)
    """
    return populations.neurons(*_read(run, summary))


@checked
@styled()
def distributions(run: Run, summary: Summary | None = None, comparison: Comparison | None = None) -> Figure:
    """Single-neuron posteriors: class-mean activities and readouts pooled over draws and chains; a comparison draws the
    theory's over them.

    Args:
        run: a sampled run.
        summary: of the run, where it is at hand; made if left out.
        comparison: of the run with a theory, which is then drawn, too.

    Example:
        >>> figure = cs.plot.distributions(run, summary, comparison)
    """
    prediction = None if comparison is None else comparison.prediction
    pooled = figures.pooled_neurons(run)
    return populations.distributions(pooled, summary or summarize(run), run.posterior.task, prediction)


@checked
@styled()
def kernel(run: Run | Description, summary: Summary | None = None) -> Figure:
    """Posterior mean of the representational kernel K = Phi^T Phi / N, and its means over pairs of classes.

    Args:
        run: a run, or the description of a population.
        summary: of the run, where it is at hand; made if left out.

    Example:
        >>> figure = cs.plot.kernel(run, summary)
    """
    return responses.kernel(*_read(run, summary))


@checked
@styled()
def outputs(run: Run, summary: Summary | None = None) -> Figure:
    """Posterior mean of every output at training and test inputs, against the targets.

    Args:
        run: a sampled run.
        summary: of the run, where it is at hand; made if left out.

    Example:
        >>> figure = cs.plot.outputs(run, summary)
    """
    return responses.predictions(summary or summarize(run), run.posterior.task)


@checked
@styled()
def layers(run: Run, summary: Summary | None = None) -> Figure:
    """All hidden layers side by side: activity sorted by code above, kernels below.

    Args:
        run: a sampled run.
        summary: of the run, where it is at hand; made if left out.

    Example:
        >>> figure = cs.plot.layers(run, summary)
    """
    return layer_figures.layers(summary or summarize(run), run.posterior.task)


@checked
@styled()
def chain_traces(run: Run) -> Figure:
    """Distribution, trace and rank plot of a few invariants, by chain.

    Args:
        run: a sampled run.

    Example:
        >>> figure = cs.plot.chain_traces(run)
    """
    return chains.traces(chains.traced_scalars(run))


@checked
@styled()
def convergence(run: Run, summary: Summary | None = None) -> Figure:
    """R-hat and effective draws of every invariant.

    Args:
        run: a sampled run.
        summary: of the run, where it is at hand; made if left out.

    Example:
        >>> figure = cs.plot.convergence(run, summary)
    """
    return chains.convergence(summary or summarize(run))


@checked
@styled()
def map(run: Run | Description, summary: Summary | None = None, comparison: Comparison | None = None) -> Figure:
    """Draws, chains and layers on the map of coding schemes; a comparison adds the theory's place.

    Args:
        run: a run, or the description of a population.
        summary: of the run, where it is at hand; made if left out.
        comparison: of the run with a theory, which is then drawn, too.

    Example:
        >>> figure = cs.plot.map(run, summary, comparison)
    """
    return schemes.scheme_map(_read(run, summary)[0], None if comparison is None else comparison.prediction)


@checked
@styled()
def theory(comparison: Comparison) -> Figure:
    """Every quantity of a comparison, sampled against predicted.

    Args:
        comparison: of a run with a theory.

    Example:
        >>> figure = cs.plot.theory(comparison)
    """
    return theory_figures.agreement(comparison)


def _read(run: Run | Description, summary: Summary | None) -> tuple[Described, Labelled]:
    """What is drawn, and the samples that it is drawn at."""
    if isinstance(run, Description):
        return run, run.shown
    return summary or summarize(run), run.posterior.task
