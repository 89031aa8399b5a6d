"""One population of neurons that were recorded apart."""

from typing import Any

import numpy as np

from codingschemes.calls import checked
from codingschemes.errors import InvalidInput
from codingschemes.populations.population import Population


@checked
def pseudo_population(
    recordings: Any, *, trials: int | None = None, name: str = "pseudo-population", seed: int = 0
) -> Population:
    """Neurons of several recordings of the same conditions as if recorded together.

    Trials of each condition are dealt at random, one of every recording to each trial of the pseudo-population, none
    twice. What neurons of one recording have in common from trial to trial stays; what those of different recordings
    would have is lost, so that decoders do better or worse than they would on neurons recorded together (Meyers et al.,
    J. Neurophysiol. 100, 1407, 2008).

    Args:
        recordings: `Population` objects with the same classes and factors, one or more.
        trials: of each condition, at most; as many as the recording with the fewest of that condition if left out.
        name: of the population.
        seed: of the dealing.

    Raises:
        InvalidInput: there is none, their classes or factors differ, they have readouts, or a number is out of range.

    Example:
        >>> apart = [cs.Population(activity[:, :5], labels), cs.Population(activity[::2, 5:], labels[::2])]
        >>> cs.populations.pseudo_population(apart)
        Population('pseudo-population': 20 samples x 12 neurons, 4 classes of 5 samples)
    """
    found = list(recordings) if isinstance(recordings, list | tuple) else []
    if not found or not all(isinstance(each, Population) for each in found):
        raise InvalidInput("a pseudo-population is of recordings: give a list of `Population`s")
    first = found[0]
    for each in found:
        if each.class_names != first.class_names:
            differ = sorted(set(each.class_names) ^ set(first.class_names))
            raise InvalidInput(
                f"{each.name!r} and {first.name!r} have different classes ({', '.join(differ)}): leave out those that "
                "were not recorded everywhere"
            )
        if not _same(each.factors, first.factors):
            raise InvalidInput(f"{each.name!r} and {first.name!r} have different factors: give the same to all")
        if each.readout is not None:
            raise InvalidInput("recordings have no readout in common: make them without `readout`")
    if trials is not None and trials < 1:
        raise InvalidInput(f"`trials` = {trials} is too small: give 1 or more")
    sizes = np.min([each.class_sizes for each in found], axis=0)
    sizes = sizes if trials is None else np.minimum(sizes, trials)
    rng = np.random.default_rng(seed)
    joined = Population(
        np.hstack([each.activity[_dealt(each, sizes, rng)] for each in found]),
        np.repeat(np.arange(len(sizes)), sizes),
        factors=first.factors,
        activation=first.activation if all(each.activation == first.activation for each in found) else None,
        names=first.class_names,
        name=name,
    )
    said = dict.fromkeys(note for each in found for note in each.notes if len(found) == 1 or "time bins" in note)
    joined.notes = (
        f"neurons of {len(found)} recordings, whose trials were dealt at random to each other: nothing is known of "
        "noise that they would share",
        *said,
        *joined.notes,
    )
    return joined


def _dealt(population: Population, sizes: Any, rng: np.random.Generator) -> Any:
    """Rows of so many random samples of each class."""
    ends = np.cumsum(population.class_sizes)
    blocks = zip(ends - population.class_sizes, ends, sizes, strict=True)
    return np.concatenate([first + rng.permutation(end - first)[:size] for first, end, size in blocks])


def _same(one: Any, other: Any) -> bool:
    return (one is None) == (other is None) and (one is None or np.array_equal(one, other))
