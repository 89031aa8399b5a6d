"""Wrong input, which can be put right, sampling that failed, and work that was stopped, by a limit or a signal."""


class InvalidInput(ValueError):
    """Wrong input from the user, said in one sentence that names what to do.

    The command line prints the sentence and leaves with status 2; every other exception is a failure (status 1).

    Example:
        >>> try:
        ...     cs.sample(posterior, draw=50)
        ... except cs.InvalidInput as error:
        ...     print(error)
        unknown keyword 'draw' of sample: did you mean 'draws'?
    """

    def __init__(self, sentence: str):
        super().__init__(" ".join(sentence.splitlines()))  # of whatever names and values are quoted in it


class SamplingFailed(RuntimeError):
    """The sampler left the region where the density is finite; the message says what to try.

    Example:
        >>> issubclass(cs.SamplingFailed, RuntimeError)
        True
    """


class TimeLimitReached(RuntimeError):
    """Work was stopped at the time limit that it was given; the message says what to do. Nothing is half-written.

    Example:
        >>> try:
        ...     cs.predict(posterior, "global-minimum", time_limit=1e-6)
        ... except cs.TimeLimitReached:
        ...     print("stopped")
        stopped
    """


class Stopped(KeyboardInterrupt):
    """A signal stopped the work; the message, a `sentence`, says what there is and how to go on.

    Attributes:
        kept: whether there is a run to go on with.

    Example:
        >>> error = cs.Stopped("stopped: the draws made so far are kept", kept=True)
        >>> error.kept
        True
    """

    def __init__(self, sentence: str, *, kept: bool):
        super().__init__(sentence)
        self.kept = kept


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, or XLA on any device, found no memory."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" in str(error))
