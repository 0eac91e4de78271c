"""What commands take before they do anything."""

import subprocess
import sys
from collections.abc import Iterator

from harness import Result, interleaved


def results(rounds: int) -> Iterator[Result]:
    """Lines of the table."""
    commands = {
        "--help": (["--help"], 0.5),
        "train --config": (["train", "--config"], None),
        "sweep --dry-run": (["sweep", "--dry-run"], None),
    }
    spent = interleaved(
        {name: lambda words=words: _run(*words) for name, (words, _) in commands.items()},
        rounds=min(rounds, 5),
        title="commands",
    )
    for name, (words, most) in commands.items():
        note = "imports TensorFlow" if "tensorflow" in _loaded(*words) else "without TensorFlow"
        yield Result(f"tripletlab {name}", "s", tuple(spent[name]), most=most, note=note)


def _run(*words: str) -> None:
    command = [sys.executable, "-m", "tripletlab", *words]
    subprocess.run(command, check=True, capture_output=True)


def _loaded(*words: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    code = (
        f"import sys; from tripletlab.cli import main; main({list(words)})\n"
        "print(); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())
