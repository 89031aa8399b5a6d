"""Can this run be trusted? Numbers, and what they mean in sentences."""

from dataclasses import dataclass
from typing import Literal

from codingschemes.calls import known_keywords
from codingschemes.convergence import ESS_LIMIT, RHAT_LIMIT, SAME_NEURONS, Convergence, convergence
from codingschemes.diagnostics.chains import Faults, find_faults
from codingschemes.diagnostics.identities import Identities, identities
from codingschemes.progress import announce
from codingschemes.runs import Run
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.tempering import FROZEN

type Trust = Literal["yes", "with care", "not converged", "no"]


@dataclass(frozen=True)
class Diagnostics:
    """Diagnostics of one run.

    Attributes:
        convergence: R-hat and ESS of the invariants.
        identities: the two exact identities.
        divergences: diverging transitions over all chains and draws.
        gradients_per_draw: mean gradient evaluations of a draw of one chain.
        waste: E[longest chain's steps] / E[mean steps]: what running chains in lock-step costs.
        saturated: share of draws whose trajectory was cut at its longest allowed length.
        acceptance_rate: mean.
        step_size: one a chain.
        faults: single chains that went wrong.
        warnings: sentences, the gravest first; empty if nothing stands against the run.
        neuron_rhat: of each layer, the largest R-hat of the numbers of neurons in each code and of the norms of
            outliers; empty where single neurons were not looked at, as a summary does.
    """

    convergence: Convergence
    identities: Identities
    divergences: int
    gradients_per_draw: float
    waste: float
    saturated: float
    acceptance_rate: float
    step_size: tuple[float, ...]
    faults: Faults
    warnings: tuple[str, ...]
    neuron_rhat: tuple[float, ...] = ()

    @property
    def neurons_apart(self) -> tuple[int, ...]:
        """Layers, counted from 1, whose codes or outliers differ between chains."""
        return tuple(layer for layer, rhat in enumerate(self.neuron_rhat, start=1) if rhat >= SAME_NEURONS)

    @property
    def converged(self) -> bool:
        """Whether all invariants have converged, and chains hold the same codes and outliers in every layer."""
        return self.convergence.converged and not self.neurons_apart

    @property
    def trust(self) -> Trust:
        """Whether the draws can be taken for the posterior: `no` where a chain went wrong or an identity is broken,
        `not converged` where an invariant has too large an R-hat or too few effective draws over all chains, or where
        chains hold different codes or outliers, `with care` where something else is to be warned of."""
        if self.faults or (self.identities.known and not self.identities.hold):
            return "no"
        if not self.converged:
            return "not converged"
        return "with care" if self.warnings else "yes"


@known_keywords
def diagnose(run: Run) -> Diagnostics:
    """Diagnose a run from its invariants."""
    announce("diagnosing the chains")
    posterior = {name: run.values("posterior", name) for name in DIMENSIONS["posterior"]}
    stats = {name: run.values("sample_stats", name) for name in DIMENSIONS["sample_stats"]}
    steps = stats["n_steps"]
    kernel = run.kernel
    findings = Diagnostics(
        convergence=convergence(posterior),
        identities=identities(posterior["virial"], posterior["gradient"]),
        divergences=int(stats["diverging"].sum()),
        gradients_per_draw=float(steps.mean()),
        waste=float(steps.max(axis=0).mean() / steps.mean()),
        saturated=0.0 if kernel.longest_tree is None else float((steps >= kernel.longest_tree).mean()),
        acceptance_rate=float(stats["acceptance_rate"].mean()),
        step_size=tuple(float(size) for size in stats["step_size"][:, -1]),
        faults=find_faults(
            -stats["lp"],
            posterior["energy"],
            stats["step_size"],
            stats["acceptance_rate"],
            kernel.target_acceptance,
        ),
        warnings=(),
    )
    warnings = _warnings(findings, steps.size, exact=kernel.exact)
    if run.provenance.get("settled") is False and not findings.convergence.converged:
        warnings.append(
            f"chains had not settled when the warm-up ended after its {run.provenance['warmup_steps']} steps: give a "
            "longer `warmup` or `time_limit`, or another `start`"
        )
    if posterior["energy"].shape[0] == 1:
        warnings.append("one chain cannot show whether others would lead elsewhere: give `chains` 2 or more")
    if "tempering_acceptance" in run.provenance:
        warnings.append(
            "chains began at particles that descend from few: that they agree says nothing of codes or outliers which "
            "none of them held; sample with `start` mixed to see whether others lead to the same"
        )
    if run.provenance.get("tempering_acceptance", 1.0) < FROZEN:
        warnings.append(
            "particles hardly moved on the way down, so that chains began at few of the places they should: "
            "raise `target_acceptance`, or try another `start`"
        )
    return Diagnostics(**{**vars(findings), "warnings": tuple(warnings)})


def _warnings(found: Diagnostics, draws: int, *, exact: bool) -> list[str]:
    said = found.faults.sentences()
    if found.divergences:
        said.append(
            f"{found.divergences} of {draws} transitions diverged: raise `target_acceptance`, or `temperature` if many"
        )
    if not found.identities.known:
        said.append("there are too few draws, or too many alike, to tell anything about convergence: raise `draws`")
    elif not found.identities.hold:
        reason = (
            "the chains have not settled, raise `warmup`"
            if exact
            else "the chains have not settled or the step is too long, raise `warmup` or `target_acceptance`"
        )
        said.append(
            f"an exact identity is broken (virial {found.identities.virial:.5g} +- {found.identities.virial_mcse:.2g} "
            f"instead of 1, largest gradient z {found.identities.gradient_z:.1f}): {reason}"
        )
    said += _unconverged(found.convergence)
    if found.saturated > 0.2:
        said.append(
            f"{found.saturated:.0%} of the trajectories were cut at their longest: raise `max_tree_depth` for "
            "fewer, more independent draws"
        )
    return said


def _unconverged(found: Convergence) -> list[str]:
    """What is missing, over all chains first: chains that each look settled say nothing of each other."""
    said = []
    if found.rhat_max > RHAT_LIMIT:
        if found.rhat_within > 1.2:
            reason = "chains still drift, raise `warmup` and `draws`"
        elif found.chains_differ:
            reason = "each chain has settled, but in a place of its own; more draws of the same kind will not mend this"
        else:
            reason = "raise `draws`"
        said.append(
            f"R-hat over all chains is up to {found.rhat_max:.2f}, above {RHAT_LIMIT:g} "
            f"(within a chain {found.rhat_within:.2f}): {reason}"
        )
    if found.ess_min < ESS_LIMIT:
        said.append(
            f"the slowest invariant has {found.ess_min:.0f} effective draws over all chains, fewer than {ESS_LIMIT} "
            f"(chains taken separately {found.ess_within:.0f}): "
            + ("errors are rough" if found.ess_within >= ESS_LIMIT else "errors are rough, raise `draws`")
        )
    return said
