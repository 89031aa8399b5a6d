"""Wrong input, which can be put right, sampling that failed, and work that was stopped at its time limit."""


class InvalidInput(ValueError):
    """Wrong input from the user, said in one sentence that names what to do.

    The command line prints the sentence and leaves with status 2; every other exception is a failure (status 1).
    """


class SamplingFailed(RuntimeError):
    """The sampler left the region where the density is finite; the message says what to try."""


class TimeLimitReached(RuntimeError):
    """Work was stopped at the time limit that it was given; the message says what to do. Nothing is half-written."""
