"""Which samplers the correctness tests are for, and with which settings."""

from collections.abc import Sequence

from codingschemes.samplers import SAMPLERS, Settings

#: One for all tests: any other would compile every kernel again. Trees so shallow that they are cut.
SETTINGS = Settings(warmup=100, max_tree_depth=3)


#: Chains side by side wait for the largest tree: too slow for the tests with drawn data.
TREES = tuple(name for name in SAMPLERS if "nuts" in name)


def exact_samplers() -> list[str]:
    """Samplers whose posterior is exact: an unadjusted one has a bias that these tests would see."""
    return [name for name in SAMPLERS if SAMPLERS[name](SETTINGS).exact]


def reversible_samplers() -> list[str]:
    """Exact samplers that are reversible in their positions: one that applies two moves in a fixed order is not."""
    return [name for name in exact_samplers() if name != "codes"]


def cases[T](problems: Sequence[T]) -> list[tuple[str, T]]:
    """Sampler and problem. `codes` moves neurons in ways that depend on the form and the activation, so it meets every
    problem; all others know nothing of either and meet them in turn."""
    alone = [("codes", problem) for problem in problems]
    others = [name for name in exact_samplers() if name != "codes"]
    return alone + [(name, problems[index % len(problems)]) for index, name in enumerate(others)]
