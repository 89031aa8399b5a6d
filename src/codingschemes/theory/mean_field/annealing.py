"""How long particles are cooled, settled and averaged."""

from dataclasses import dataclass

from codingschemes.calls import known_keywords, require_whole


@known_keywords
@dataclass(frozen=True)
class Annealing:
    """The rounds of a solver by particles, and the gap at which its answer is accepted.

    Every such solver has one of its own that predictions use if none is given: fewer rounds are for tests and first
    looks, more for what its certificate refuses.

    Attributes:
        cooling: rounds from where nothing is learned down to the temperature.
        settling: rounds at the temperature, steps becoming smaller.
        corrections: how often what the particles answer to is set by averages, before the last.
        averaging: sweeps of each of these averages.
        measuring: sweeps over which the answer is averaged.
        tolerance: largest gap that is accepted, in nats a neuron; it must stand the particles' noise: at N T = .01 and
            300 outputs 0.1 is an error of .0026 an output.
    """

    cooling: int
    settling: int
    corrections: int = 3
    averaging: int = 15
    measuring: int = 30
    tolerance: float = 0.1

    def __post_init__(self) -> None:
        least = {"cooling": 0, "settling": 0, "corrections": 0, "averaging": 1, "measuring": 2}
        for name, fewest in least.items():
            require_whole(name, getattr(self, name), fewest)
