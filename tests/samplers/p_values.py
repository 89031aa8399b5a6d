"""p-values of what was drawn against what is known, by name, and one of many."""

import numpy as np
from jaxtyping import Float
from problems import INVARIANTS
from scipy import stats

type Findings = dict[str, float]


def levels(values: Float[np.ndarray, "*draws K"], reference: Float[np.ndarray, "n K"]) -> Float[np.ndarray, "*draws K"]:
    """Where each value stands among the reference draws, in [0, 1], ties in the middle: bounded, so that means of it
    are normal soon."""
    found = np.empty_like(values)
    for index, column in enumerate(np.sort(reference, axis=0).T):
        entry = values[..., index]
        found[..., index] = (np.searchsorted(column, entry) + np.searchsorted(column, entry, side="right")) / 2
    return found / len(reference)


def mean_p(
    per_chain: Float[np.ndarray, "chain K"],
    expected: Float[np.ndarray, " K"],
    error: Float[np.ndarray, " K"] | float = 0,
) -> Float[np.ndarray, " K"]:
    """p-values of means of independent chains against expectations known with an `error`: Student's t."""
    spread = np.sqrt(per_chain.var(axis=0, ddof=1) / len(per_chain) + np.square(error))
    t = (per_chain.mean(axis=0) - expected) / np.maximum(spread, 1e-300)
    return 2 * stats.t.sf(np.abs(t), len(per_chain) - 1)


def law_p(series: Float[np.ndarray, "chain draw K"], reference: Float[np.ndarray, "n K"]) -> Findings:
    """Are the draws of the reference's law? Location and spread of the levels over all draws, and Kolmogorov-Smirnov
    of the last draws, which are independent."""
    at, own = levels(series, reference), levels(reference, reference)
    found = {}
    for name, measure in (("location", lambda level: level), ("spread", lambda level: (2 * level - 1) ** 2)):
        error = measure(own).std(axis=0) / np.sqrt(len(reference))
        p = mean_p(measure(at).mean(axis=1), measure(own).mean(axis=0), error)
        found |= {f"{name} of {entry}": value for entry, value in zip(INVARIANTS, p, strict=True)}
    for index, entry in enumerate(INVARIANTS):
        p = stats.ks_2samp(series[:, -1, index], reference[:, index], method="asymp").pvalue
        found[f"distribution of {entry}"] = p
    return found


def uniform_p(values: Float[np.ndarray, "n K"]) -> Findings:
    """Exact Kolmogorov-Smirnov tests of uniform numbers, as they are and folded at 1/2 (sees too narrow, too wide)."""
    found = {}
    for index, entry in enumerate(INVARIANTS):
        found[f"ranks of {entry}"] = stats.kstest(values[:, index], "uniform").pvalue
        found[f"folded ranks of {entry}"] = stats.kstest(np.abs(2 * values[:, index] - 1), "uniform").pvalue
    return found


def combined(findings: Findings) -> float:
    """One p-value of many, whatever their dependence (Bonferroni)."""
    smallest = min(0.0 if np.isnan(p) else p for p in findings.values())  # NaN: the chain has left for infinity
    return min(1.0, len(findings) * smallest)


def worst(findings: Findings, count: int = 3) -> str:
    """The smallest p-values, for a message."""
    ordered = sorted(findings.items(), key=lambda entry: entry[1])[:count]
    return ", ".join(f"{name} (p = {p:.1e})" for name, p in ordered)
