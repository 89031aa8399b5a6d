"""Redundancy against condensation: how many neurons are distinct in posterior samples, as codes and as weights, beside
the prior and a network trained in the same loss."""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from codingschemes.coding.condensation import prior_neurons, some_weights, trained_from_small
from codingschemes.manifolds import LEVELS, Neurons, channels, classify, detect, level_widths
from codingschemes.posterior import Posterior
from codingschemes.runs import Run
from codingschemes.studies.manifolds.training import at_snapshot

#: Of the curves; some of them stand in claims.
TOLERANCES = np.geomspace(1e-2, 1.0, 9)
#: At which codes of cold networks are told apart, and thermal noise is not.
AT = float(TOLERANCES[6])
POSTERIOR, PRIOR, TRAINED = "posterior", "prior", "trained"
#: Networks of a chain that are looked at; size of the first weights of trained ones, of the prior's.
_NETWORKS, _SMALL = 5, 1e-3


def redundancy_rows(run: Run, trained: int, steps: int) -> Iterator[dict[str, Any]]:
    """A row a level and tolerance, and chain or network: median effective widths; in the first of each chain or network
    the relative distance to the nearest smaller manifold and the number of channels, too.

    Args:
        run: of depth 1.
        trained: networks trained from small weights in the same loss.
        steps: of their training.
    """
    posterior = run.posterior
    chains = run.data["neurons"].dataset.sizes["chain"]
    drawn = some_weights(run, chains * _NETWORKS)
    prior = prior_neurons(posterior, np.random.default_rng(0), len(drawn.weight))
    ends = [at_snapshot(trained_from_small(posterior, _SMALL, steps, seed), -1) for seed in range(trained)]
    joined = Neurons(*(np.stack(parts) for parts in zip(*ends, strict=True)))
    for source, networks, groups in ((POSTERIOR, drawn, chains), (PRIOR, prior, chains), (TRAINED, joined, trained)):
        for group in range(groups):
            own = Neurons(*(np.array_split(np.asarray(part), groups)[group] for part in networks))
            for row in _group_rows(posterior, own):
                yield {"source": source, "chain": group, **row}


def _group_rows(posterior: Posterior, networks: Neurons) -> Iterator[dict[str, Any]]:
    """Medians over networks."""
    activation, task = posterior.network.activation, posterior.task
    inputs = np.asarray(posterior.network.features(jnp.asarray(task.inputs.T)).T)
    kind = classify(activation)
    each = [Neurons(*pair) for pair in zip(*networks, strict=True)]
    widths = [level_widths(one, inputs, task.labels, activation, kind, TOLERANCES) for one in each]
    first: dict[str, Any] = {
        "nearest": float(np.median([detect(one, kind).nearest for one in each])),
        "channels": float(np.mean([len(channels(one, kind)) for one in each])),
    }
    for level in LEVELS:
        for index, tolerance in enumerate(TOLERANCES):
            distinct = float(np.median([found[level][index] for found in widths]))
            yield {"level": level, "tolerance": float(tolerance), "distinct": distinct, **first}
            first = {}
