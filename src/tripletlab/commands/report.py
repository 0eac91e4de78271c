"""`tripletlab report`."""

from tripletlab.commands.options import SweepName


def report(words: SweepName) -> None:
    """Write a sweep's report (one HTML page), and open it in the browser."""
    from tripletlab.sweeping.result import open_report

    open_report(words)
