"""The error that is shown as one line."""


class Failure(Exception):
    """What went wrong, where, and what to do, in one line."""
