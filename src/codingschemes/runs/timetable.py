"""When a run does something between chunks: at iterations that options and draws alone say, never the clock."""

from codingschemes.runs.checkpoint import Checkpoint
from codingschemes.runs.configuration import Sampling
from codingschemes.runs.precision import next_look
from codingschemes.samplers import Kernel


def search_due(kernel: Kernel, checkpoint: Checkpoint) -> bool:
    """Whether chains search before the next step of the warm-up."""
    return checkpoint.iteration - checkpoint.round_began in _searches(kernel, checkpoint)


def _searches(kernel: Kernel, checkpoint: Checkpoint) -> tuple[int, ...]:
    """Steps of a round after which chains search: after the first round all know most of what there is to find."""
    steps = () if kernel.search is None else kernel.search.steps
    return steps if checkpoint.round_began == 0 else steps[-1:]


def next_stop(kernel: Kernel, checkpoint: Checkpoint, sampling: Sampling) -> int:
    """The next iteration at which there is something to do between chunks."""
    if checkpoint.sampling:
        looked_at = sampling.until or checkpoint.trace is not None
        look = next_look(checkpoint.draws) if looked_at else sampling.draws
        return checkpoint.iteration + min(look, sampling.draws) - checkpoint.draws
    done = checkpoint.iteration - checkpoint.round_began
    searches = [step for step in _searches(kernel, checkpoint) if step > done]
    return checkpoint.round_began + min([*searches, sampling.round])
