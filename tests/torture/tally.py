"""How many faults were injected, and what came of them."""

import contextlib
import os
from collections import Counter, defaultdict
from pathlib import Path

from tests.torture.processes import said

counts = defaultdict(Counter)  # by fault and command


class Faults:
    """The faults of one kind in one command."""

    def __init__(self, fault, command):
        self.count = counts[fault, command]

    def injected(self):
        self.count["injected"] += 1

    def check_output(self, folder):
        """A fault is one line to its user, not a traceback."""
        text = said(folder)
        if "Traceback" in text:
            self.count["tracebacks"] += 1
            raise AssertionError(text[-3000:])


@contextlib.contextmanager
def faults(fault, command):
    """Faults of a kind are injected in the block; one that ends it has not been survived."""
    row = Faults(fault, command)
    try:
        yield row
    except Exception:
        row.count["lost"] += 1
        raise


def table():
    """The counts as Markdown."""
    lines = [
        "| fault | command | injected | survived | lost | tracebacks |",
        "|---|---|" + 4 * "---:|",
    ]
    total = Counter()
    for (fault, command), one in counts.items():
        lines.append(_row(fault, command, one))
        total += one
    return "\n".join([*lines, _row("all", "", total), ""])


def _row(fault, command, one):
    lost = one["lost"]
    counted = one["injected"], one["injected"] - lost, lost, one["tracebacks"]
    return f"| {fault} | {command} | {' | '.join(map(str, counted))} |"


def write():
    """Write the table into the file that TORTURE_TABLE names, if it does."""
    if path := os.environ.get("TORTURE_TABLE"):
        Path(path).write_text(table())
