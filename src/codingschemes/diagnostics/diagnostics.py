"""Can this run be trusted? Numbers, and what they mean in sentences."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from codingschemes.diagnostics.convergence import Convergence, convergence
from codingschemes.diagnostics.identities import Identities, identities
from codingschemes.runs import Run
from codingschemes.runs.dimensions import DIMENSIONS


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
        stuck: chains whose energy did not move.
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
    stuck: tuple[int, ...]
    warnings: tuple[str, ...]


def diagnose(run: Run) -> Diagnostics:
    """Diagnose a run from its invariants."""
    posterior = {name: run.values("posterior", name) for name in DIMENSIONS["posterior"]}
    stats = {name: run.values("sample_stats", name) for name in DIMENSIONS["sample_stats"]}
    steps = stats["n_steps"]
    longest = 2 ** run.config["sampling"]["max_tree_depth"] - 1
    findings = Diagnostics(
        convergence=convergence(posterior),
        identities=identities(posterior["virial"], posterior["gradient"]),
        divergences=int(stats["diverging"].sum()),
        gradients_per_draw=float(steps.mean()),
        waste=float(steps.max(axis=0).mean() / steps.mean()),
        saturated=float((steps >= longest).mean()),
        acceptance_rate=float(stats["acceptance_rate"].mean()),
        step_size=tuple(float(size) for size in stats["step_size"][:, -1]),
        stuck=_stuck_chains(posterior["energy"]),
        warnings=(),
    )
    return Diagnostics(**{**vars(findings), "warnings": tuple(_warnings(findings, steps.size))})


def _stuck_chains(energy: Float[np.ndarray, "chain draw"]) -> tuple[int, ...]:
    if energy.shape[1] < 4:
        return ()
    return tuple(int(chain) for chain in np.flatnonzero(np.ptp(energy, axis=1) == 0))


def _warnings(found: Diagnostics, draws: int) -> list[str]:
    said = []
    if found.stuck:
        said.append(f"chains {', '.join(map(str, found.stuck))} never moved: raise --temperature or --warmup")
    if found.divergences:
        said.append(
            f"{found.divergences} of {draws} transitions diverged: raise --target-acceptance, or --temperature if many"
        )
    if not found.identities.known:
        said.append("there are too few draws to tell anything about convergence: raise --draws")
    elif not found.identities.hold:
        said.append(
            f"an exact identity is broken (virial {found.identities.virial:.4f} +- {found.identities.virial_mcse:.4f} "
            f"instead of 1, largest gradient z {found.identities.gradient_z:.1f}): the chains have not settled, "
            "raise --warmup"
        )
    if found.convergence.rhat_within > 1.2:
        said.append(
            f"chains still drift (R-hat within a chain up to {found.convergence.rhat_within:.2f}): "
            "raise --warmup and --draws"
        )
    if found.convergence.ess_within < 100:
        said.append(
            f"the slowest invariant has {found.convergence.ess_within:.0f} effective draws: "
            "errors are rough below 100, raise --draws"
        )
    if found.saturated > 0.2:
        said.append(
            f"{found.saturated:.0%} of the trajectories were cut at their longest: raise --max-tree-depth for "
            "fewer, more independent draws"
        )
    return said
