"""Wrong input, which can be put right, and sampling that failed."""


class InvalidInput(ValueError):
    """Wrong input from the user, said in one sentence that names what to do.

    The command line prints the sentence and leaves with status 2; every other exception is a failure (status 1).
    """


class SamplingFailed(RuntimeError):
    """The sampler left the region where the density is finite; the message says what to try."""
