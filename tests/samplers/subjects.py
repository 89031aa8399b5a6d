"""Which samplers the correctness tests are for, and with which settings."""

from collections.abc import Sequence

from codingschemes.samplers import SAMPLERS, Settings

#: One for all tests: any other would compile every kernel again. Trees so shallow that they are cut.
SETTINGS = Settings(warmup=100, max_tree_depth=3)


KERNELS = {name: SAMPLERS[name](SETTINGS) for name in SAMPLERS}

#: Chains side by side wait for the largest tree: too slow for the tests with drawn data.
TREES = tuple(name for name, kernel in KERNELS.items() if kernel.longest_tree is not None)
#: An unadjusted sampler has a bias that these tests would see.
EXACT = tuple(name for name, kernel in KERNELS.items() if kernel.exact)
#: Those that are reversible in their positions.
REVERSIBLE = tuple(name for name in EXACT if KERNELS[name].reversible)


def cases[T](problems: Sequence[T]) -> list[tuple[str, T]]:
    """Sampler and problem. One that moves neurons in ways that depend on the form and the activation meets every
    problem; all others know nothing of either and meet them in turn."""
    movers = [name for name in EXACT if KERNELS[name].neuron_moves]
    others = [name for name in EXACT if not KERNELS[name].neuron_moves]
    alone = [(name, problem) for name in movers for problem in problems]
    return alone + [(name, problems[index % len(problems)]) for index, name in enumerate(others)]
