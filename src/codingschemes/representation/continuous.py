"""Parallelism and cross-condition generalisation of continuous latent variables, by local ridge decoders.

Contexts of a latent are groups of samples in which the other latents take similar values. In each of them a ridge
decoder reads the latent from the activities: its direction says along what the latent is coded there, and what it says
of samples of the other contexts whether it is coded alike.
"""

import itertools

import numpy as np
from jaxtyping import Float, Int, Real

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.representation.arrays import checked_activity
from codingschemes.representation.score import Score

_FEWEST = 3
"""Samples of a context from which a decoder is made."""
_LONE = "a latent variable that stands alone has no contexts: give another one beside it"
_NARROW = "fewer than two contexts hold three samples with different values of the latent: take fewer bins"


@known_keywords
def continuous_parallelism(
    activity: Real[np.ndarray, "P N"], latents: Real[np.ndarray, "P F"], *, bins: int = 3, ridge: float = 1e-3
) -> Score:
    """Cosine between the directions along which ridge decoders read a latent in different contexts.

    Args:
        activity: (sample, neuron).
        latents: real numbers, (sample, latent).
        bins: contexts are combinations of so many groups, equally large, of the values of each other latent.
        ridge: penalty of decoders, relative to the mean variance over directions of activity in the context.

    Returns:
        A score with one part a latent: the mean over pairs of contexts. 1 for a code that is linear in the latents, -1
        where directions turn round from one context to the other of two.

    Raises:
        InvalidInput: activities and latents do not belong together, `bins` below 2 or a `ridge` that is not positive.

    Example:
        >>> latents = rng.normal(size=(60, 2))
        >>> code = latents @ rng.normal(size=(2, 10))
        >>> cs.representation.continuous_parallelism(code, latents).value > 0.99
        True
    """
    phi, values = _checked(activity, latents, bins, ridge)

    def part(index: int, contexts: list[np.ndarray]) -> float | None:
        directions = [_decoder(phi[each], values[each, index], ridge) for each in contexts]
        lengths = [float(np.linalg.norm(each)) for each in directions]
        if min(lengths) == 0:
            return None
        units = [each / length for each, length in zip(directions, lengths, strict=True)]
        return float(np.mean([first @ second for first, second in itertools.combinations(units, 2)]))

    return _over_latents(values, bins, part)


@known_keywords
def continuous_ccgp(
    activity: Real[np.ndarray, "P N"], latents: Real[np.ndarray, "P F"], *, bins: int = 3, ridge: float = 1e-3
) -> Score:
    """R^2 of ridge decoders in contexts that they were not trained in.

    A decoder of a latent is trained in all contexts but one and tested in that one; R^2 is one less its squared error
    there over the variance of the latent there, and negative where the mean of the latent would have been nearer.

    Args:
        activity: (sample, neuron).
        latents: real numbers, (sample, latent).
        bins, ridge: as in `continuous_parallelism`.

    Returns:
        A score with one part a latent: the mean over contexts that are left out.

    Raises:
        InvalidInput: as `continuous_parallelism`.

    Example:
        >>> latents = rng.normal(size=(60, 2))
        >>> code = latents @ rng.normal(size=(2, 10))
        >>> cs.representation.continuous_ccgp(code, latents).value > 0.99
        True
    """
    phi, values = _checked(activity, latents, bins, ridge)

    def part(index: int, contexts: list[np.ndarray]) -> float:
        found = []
        for left_out in range(len(contexts)):
            train = np.concatenate([each for place, each in enumerate(contexts) if place != left_out])
            test, target = contexts[left_out], values[:, index]
            direction = _decoder(phi[train], target[train], ridge)
            said = (phi[test] - phi[train].mean(axis=0)) @ direction + target[train].mean()
            found.append(1 - float(np.mean((said - target[test]) ** 2) / np.var(target[test])))
        return float(np.mean(found))

    return _over_latents(values, bins, part)


def _over_latents(values: Float[np.ndarray, "P F"], bins: int, part) -> Score:  # type: ignore[no-untyped-def]
    """Parts of all latents.

    Args:
        part: from a latent's index and its contexts to a number.
    """
    count = values.shape[1]
    if count == 1:
        return Score.undefined(_LONE, 1)
    parts, used = [], 0
    for index in range(count):
        contexts = _contexts(values, index, bins)
        used += len(contexts)
        parts.append(part(index, contexts) if len(contexts) > 1 else None)
    return Score.mean(parts, _NARROW, used, count * bins ** (count - 1))


def _contexts(values: Float[np.ndarray, "P F"], latent: int, bins: int) -> list[Int[np.ndarray, " n"]]:
    """Samples of each context of a latent that has enough of them."""
    others = np.delete(values, latent, axis=1)
    edges = np.quantile(others, np.arange(1, bins) / bins, axis=0)
    groups = np.stack([np.searchsorted(edge, column) for edge, column in zip(edges.T, others.T, strict=True)], axis=1)
    members = np.unique(groups, axis=0, return_inverse=True)[1].ravel()
    found = [np.flatnonzero(members == each) for each in range(members.max() + 1)]
    return [each for each in found if len(each) >= _FEWEST and np.ptp(values[each, latent]) > 0]


def _decoder(phi: Float[np.ndarray, "n N"], target: Float[np.ndarray, " n"], ridge: float) -> Float[np.ndarray, " N"]:
    """Weights of the ridge regression of the target on centred activities; 0 where these do not differ."""
    centred = phi - phi.mean(axis=0)
    kernel = centred @ centred.T
    scale = float(np.trace(kernel)) / min(centred.shape)
    if scale == 0:
        return np.zeros(phi.shape[1])
    return centred.T @ np.linalg.solve(kernel + ridge * scale * np.eye(len(kernel)), target - target.mean())


def _checked(
    activity: Real[np.ndarray, "P N"], latents: Real[np.ndarray, "P F"], bins: int, ridge: float
) -> tuple[Float[np.ndarray, "P N"], Float[np.ndarray, "P F"]]:
    phi, values = checked_activity(activity), np.asarray(latents, float)
    if values.ndim != 2 or len(values) != len(phi) or not values.size or not np.all(np.isfinite(values)):
        raise InvalidInput(
            f"`latents` of shape {values.shape} do not fit {len(phi)} samples: give finite numbers, (sample, latent)"
        )
    if bins < 2 or not ridge > 0:
        raise InvalidInput(f"`bins` is {bins} and `ridge` {ridge}: give at least 2 bins and a ridge above 0")
    return phi, values
