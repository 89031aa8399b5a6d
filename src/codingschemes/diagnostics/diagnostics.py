"""Can this run be trusted? Numbers, and what they mean in sentences."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from codingschemes.diagnostics.chains import Faults, find_faults
from codingschemes.diagnostics.convergence import Convergence, convergence
from codingschemes.diagnostics.identities import Identities, identities
from codingschemes.runs import Run, Sampling
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.samplers import SAMPLERS
from codingschemes.tempering import FROZEN

type Trust = Literal["yes", "with care", "no"]


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

    @property
    def trust(self) -> Trust:
        """Whether the draws can be taken for the posterior: not where a chain went wrong or an identity is broken."""
        if self.faults or (self.identities.known and not self.identities.hold):
            return "no"
        return "with care" if self.warnings else "yes"


def diagnose(run: Run) -> Diagnostics:
    """Diagnose a run from its invariants."""
    posterior = {name: run.values("posterior", name) for name in DIMENSIONS["posterior"]}
    stats = {name: run.values("sample_stats", name) for name in DIMENSIONS["sample_stats"]}
    steps = stats["n_steps"]
    kernel = SAMPLERS[run.config["sampling"]["sampler"]](Sampling(**run.config["sampling"]).settings)
    trees = "nuts" in run.config["sampling"]["sampler"]
    longest = 2 ** run.config["sampling"]["max_tree_depth"] - 1 if trees else np.inf
    findings = Diagnostics(
        convergence=convergence(posterior),
        identities=identities(posterior["virial"], posterior["gradient"]),
        divergences=int(stats["diverging"].sum()),
        gradients_per_draw=float(steps.mean()),
        waste=float(steps.max(axis=0).mean() / steps.mean()),
        saturated=float((steps >= longest).mean()),
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
    if run.provenance.get("tempering_acceptance", 1.0) < FROZEN:
        warnings.append(
            "particles hardly moved on the way down, so that chains began at few of the places they should: "
            "raise --target-acceptance, or try another --start"
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
    if found.convergence.rhat_within > 1.2:
        said.append(
            f"chains still drift (R-hat within a chain up to {found.convergence.rhat_within:.2f}): "
            "raise `warmup` and `draws`"
        )
    if found.convergence.ess_within < 100:
        said.append(
            f"the slowest invariant has {found.convergence.ess_within:.0f} effective draws: "
            "errors are rough below 100, raise `draws`"
        )
    if found.saturated > 0.2:
        said.append(
            f"{found.saturated:.0%} of the trajectories were cut at their longest: raise `max_tree_depth` for "
            "fewer, more independent draws"
        )
    return said
