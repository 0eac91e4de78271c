"""The one exception that a user is meant to read."""


class InputError(Exception):
    """Something the user gave cannot be used; the message is one line: what, where, what to do.

    The command line prints it and exits with code 2.
    """
