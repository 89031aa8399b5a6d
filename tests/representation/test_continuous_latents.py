"""Abstraction of continuous latents: codes whose scores are known."""

import numpy as np
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.representation import continuous_ccgp, continuous_parallelism

RNG = np.random.default_rng(0)
LATENTS = RNG.uniform(-1, 1, size=(400, 2))
FIRST, SECOND = LATENTS.T
ROTATION = np.linalg.qr(RNG.normal(size=(6, 6)))[0]


def test_a_linear_code_is_abstract_however_it_is_rotated():
    code = LATENTS @ np.diag([1.0, 0.3]) @ ROTATION[:2]
    for score in (continuous_parallelism(code, LATENTS), continuous_ccgp(code, LATENTS)):
        assert score.value == pytest.approx(1, abs=1e-3)
        assert score.parts == pytest.approx((1, 1), abs=1e-3)


def test_a_direction_that_turns_round_is_antiparallel():
    """The first latent is coded with the sign of the second: its decoders point in opposite directions, and those of
    one half are wrong by twice the latent in the other, R^2 = 1 - 4."""
    balanced = LATENTS - [[0, np.median(SECOND)]]  # so that the two bins are the two signs
    code = np.column_stack([FIRST * np.sign(balanced[:, 1]), balanced[:, 1]]) @ ROTATION[:2]
    assert continuous_parallelism(code, balanced, bins=2).parts[0] == pytest.approx(-1, abs=0.02)
    assert continuous_ccgp(code, balanced, bins=2).parts[0] == pytest.approx(-3, abs=0.15)


def test_different_neurons_in_different_contexts_are_orthogonal():
    above = np.median(SECOND) < SECOND
    code = np.column_stack([FIRST * above, FIRST * ~above])
    assert continuous_parallelism(code, LATENTS, bins=2).parts[0] == pytest.approx(0, abs=1e-6)
    assert continuous_ccgp(code, LATENTS, bins=2).parts[0] == pytest.approx(0, abs=0.05)


def test_what_has_no_score_says_why():
    code = LATENTS @ ROTATION[:2]
    alone = continuous_parallelism(code, LATENTS[:, :1])
    assert (alone.value, alone.parts) == (None, (None,))
    assert "stands alone" in str(alone.reason)
    assert "fewer than two contexts" in str(continuous_ccgp(code[:4], LATENTS[:4]).reason)
    for wrong, words in [
        ({"latents": LATENTS * np.nan}, "do not fit 400 samples"),
        ({"bins": 1}, "at least 2 bins"),
        ({"ridge": 0.0}, "a ridge above 0"),
    ]:
        with pytest.raises(InvalidInput, match=words):
            continuous_parallelism(**{"activity": code, "latents": LATENTS, **wrong})
