"""Networks drawn from a prediction have the neurons that it says, as often as it says."""

import numpy as np

from codingschemes.comparison.drawn import _network


def test_neurons_are_drawn_as_often_as_their_weights_say() -> None:
    rng = np.random.default_rng(0)
    weight = np.append(np.full(1000, 97 / 1000), np.ones(3))
    for _ in range(20):
        chosen = _network(weight, 100, rng)
        assert len(chosen) == len(set(chosen)) == 100
        assert {1000, 1001, 1002} <= set(chosen)
    assert sorted(_network(np.ones(50), 50, rng)) == list(range(50))
    assert sorted(_network(np.array([3.0, 2.0]), 5, rng)) == [0, 0, 0, 1, 1]
