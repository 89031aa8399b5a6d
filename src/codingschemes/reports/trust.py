"""Whether a run is to be trusted, and what every diagnostic means."""

from typing import Literal, NamedTuple

from codingschemes.coding.summary import Summary
from codingschemes.convergence import ESS_LIMIT, RHAT_LIMIT, SAME_NEURONS
from codingschemes.diagnostics import Convergence, Diagnostics, Identities
from codingschemes.reports.numbers import enumeration, number, percent, rhat, with_error

type Level = Literal["good", "note", "care", "bad"]


class Diagnostic(NamedTuple):
    """One diagnostic: its level, name, value, and what it means."""

    level: Level
    name: str
    value: str
    meaning: str


class Verdict(NamedTuple):
    """Whether to trust the run: level, answer, and the sentences behind it."""

    level: Level
    conclusion: str
    reasons: tuple[str, ...]


def verdict(summary: Summary) -> Verdict:
    """Whether the run can be trusted, from its diagnostics."""
    found = summary.diagnostics
    match found.trust:
        case "no":
            return Verdict("bad", "No: the chains do not sample the posterior yet.", summary.warnings)
        case "not converged":
            if found.convergence.converged:
                where = enumeration([str(layer) for layer in found.neurons_apart])
                of_layers = f" of {summary.layer_name} {where}" if len(summary.layers) > 1 else ""
                conclusion = (
                    f"Not converged: chains differ in the codes or outliers{of_layers}, though in nothing else."
                )
                return Verdict("bad", conclusion, summary.warnings)
            conclusion = (
                f"Not converged: R-hat up to {rhat(found.convergence.rhat_max)} (at most {RHAT_LIMIT:g} is asked "
                f"for), {found.convergence.ess_min:.0f} effective draws (at least {ESS_LIMIT})."
            )
            return Verdict("bad", conclusion, summary.warnings)
        case "with care":
            return Verdict("care", "With care: the chains agree, but something stands against them.", summary.warnings)
    return Verdict("good", "Yes: exact identities hold, and the chains agree.", summary.warnings)


def checks(summary: Summary) -> list[Diagnostic]:
    """Every diagnostic with what it means."""
    return [
        *_identities(summary.diagnostics.identities),
        *_convergence(summary.diagnostics.convergence),
        *_of_the_sampler(summary.diagnostics),
        _of_neurons(summary),
        _cost(summary.diagnostics),
    ]


def _identities(exact: Identities) -> list[Diagnostic]:
    level: Level = "good" if exact.hold else "bad" if exact.known else "care"
    return [
        Diagnostic(
            level,
            "exact identity ⟨θ·∇U⟩ / dimension\u00a0=\u00a01",
            with_error(exact.virial, exact.virial_mcse),
            f"{number(exact.virial_z, 2)} standard errors from 1, whatever the posterior",
        ),
        Diagnostic(
            level,
            "exact identity ⟨∇U⟩\u00a0=\u00a00",
            f"|z| ≤ {number(exact.gradient_z, 2)}",
            f"largest of {exact.directions} directions, in standard errors",
        ),
    ]


def _convergence(converged: Convergence) -> list[Diagnostic]:
    return [
        Diagnostic(
            "good" if converged.rhat_within <= 1.2 else "care",
            "R-hat within a chain",
            rhat(converged.rhat_within),
            "largest over invariants, first half of a chain against its second; near 1: chains have settled",
        ),
        Diagnostic(
            "good" if converged.rhat_max <= RHAT_LIMIT else "bad",
            "R-hat over chains",
            rhat(converged.rhat_max),
            f"largest over invariants, at most {RHAT_LIMIT:g}: all chains sample the same region"
            + (" (here they are settled in different ones)" if converged.chains_differ else ""),
        ),
        Diagnostic(
            "good" if converged.ess_min >= ESS_LIMIT else "bad",
            "effective draws over all chains",
            f"{converged.ess_min:.0f}",
            f"of the slowest invariant; at least {ESS_LIMIT}, small where chains keep apart",
        ),
        Diagnostic(
            "good" if converged.ess_within >= ESS_LIMIT else "care",
            "effective draws of chains on their own",
            f"{converged.ess_within:.0f}",
            f"of the slowest invariant, added up; Monte Carlo errors are rough below {ESS_LIMIT}",
        ),
    ]


def _of_the_sampler(found: Diagnostics) -> list[Diagnostic]:
    return [
        Diagnostic(
            "good" if found.divergences == 0 else "care",
            "divergent transitions",
            str(found.divergences),
            "of the sampler's integrator; each one hints at a region it could not enter",
        ),
        Diagnostic(
            "bad" if found.faults else "good",
            "chains that went wrong",
            enumeration([str(chain) for chain in found.faults.chains]) or "none",
            "stuck in one place, at far higher energies, with a collapsed step, or rejecting most proposals",
        ),
    ]


def _of_neurons(summary: Summary) -> Diagnostic:
    found = summary.diagnostics
    return Diagnostic(
        "bad" if found.neurons_apart else "good",
        "R-hat of code counts and outlier norms",
        enumeration([rhat(value) for value in found.neuron_rhat]) or "–",
        f"largest of each {summary.layer_name}, below {SAME_NEURONS:g}; ∞ where chains keep different codes and no "
        "neuron changes its own",
    )


def _cost(found: Diagnostics) -> Diagnostic:
    return Diagnostic(
        "good" if found.saturated <= 0.2 else "care",
        "gradients a draw",
        number(found.gradients_per_draw),
        f"acceptance {percent(found.acceptance_rate)}, {percent(found.saturated)} of trajectories cut at their "
        f"longest; chains move together, and waiting for the slowest costs ×{found.waste:.1f}",
    )
