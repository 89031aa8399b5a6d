"""Which samplers the correctness tests are for, and with which settings."""

from codingschemes.samplers import SAMPLERS, Settings

#: One for all tests: any other would compile every kernel again.
SETTINGS = Settings(warmup=100, max_tree_depth=5)


def exact_samplers() -> list[str]:
    """Samplers whose posterior is exact: an unadjusted one has a bias that these tests would see."""
    return [name for name in SAMPLERS if SAMPLERS[name](SETTINGS).exact]


def reversible_samplers() -> list[str]:
    """Exact samplers that are reversible in their positions: one that applies two moves in a fixed order is not."""
    return [name for name in exact_samplers() if name != "codes"]
