"""How many faults were injected, and what came of them.

With `TORTURE_TALLY=file` the counts are added to that file, a line of JSON at a time, as soon as
what they count has been checked. The next run begins with them: an interrupted suite goes on, and
parts of it run one after the other make one table.
"""

import contextlib
import json
import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.torture.processes import said

FILE = "TORTURE_TALLY"
counts = defaultdict(Counter)  # by fault and command


def read():
    """Begin with the counts of the file, if there is one."""
    path = Path(os.environ.get(FILE, os.devnull))
    for line in path.read_text().splitlines() if path.exists() else ():
        fault, command, new = json.loads(line)
        counts[fault, command] += Counter(new)


class Faults:
    """The faults of one kind in one command."""

    def __init__(self, fault, command):
        self.name, self.count = (fault, command), counts[fault, command]
        self.kept, self.folder = Counter(self.count), None

    def injected(self, folder):
        """A fault hits the command at work in the folder."""
        self.count["injected"] += 1
        self.folder = folder

    def keep(self):
        """What was counted since the last time has been checked: add it to the file."""
        new, self.kept = Counter(self.count) - self.kept, Counter(self.count)
        if new and (path := os.environ.get(FILE)):
            with Path(path).open("a") as file:
                file.write(json.dumps([*self.name, new]) + "\n")

    def check_output(self):
        """A fault is one line to its user, not a traceback."""
        assert not self.traced(), said(self.folder)[-3000:]

    def traced(self):
        """Whether the last command in the folder of the last fault has shown a traceback."""
        return self.folder is not None and "Traceback" in said(self.folder)


@contextlib.contextmanager
def faults(fault, command):
    """Faults of a kind are injected in the block; one that ends it has not been survived."""
    row = Faults(fault, command)
    try:
        yield row
    except (Exception, pytest.fail.Exception):  # the second is a timeout
        row.count["lost"] += 1
        row.count["tracebacks"] += row.traced()
        row.keep()
        raise
    row.keep()


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
