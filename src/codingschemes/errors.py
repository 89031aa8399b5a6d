"""The one exception that means: what you asked for cannot be done, and here is what to do instead."""


class InvalidInput(ValueError):
    """Wrong input from the user, said in one sentence that names what to do.

    The command line prints the sentence and leaves with status 2; every other exception is a failure (status 1).
    """
