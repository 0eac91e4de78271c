"""One table of the speed of every part, compared with other software and targets: `make bench`.

    python benchmarks/bench.py [--rounds 7] [--only mining] [--write docs/performance.md]

Prints the table, and keeps it in data/bench/ as Markdown and JSON. `--write` also puts it into a
page, between the two comments that mark its place. Each part is a module bench_PART.py, whose
function `results` yields the lines of the table.
"""

import argparse
import importlib
import json
import os
import time
import traceback
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from harness import BUSY, DATA, Result, machine, others_share, table

from tripletlab.system.progress import say
from tripletlab.training import backend

PARTS = (
    "commands",
    "preparation",
    "mining",
    "evaluation",
    "camera",
    "training",
    "networks",
    "feeding",
    "scaling",
    "gpu",
)
BEGIN, END = "<!-- make bench -->", "<!-- end -->"


def main() -> None:
    """Measure, print and keep."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--rounds", type=int, default=7)
    given.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    given.add_argument("--write", type=Path, metavar="PAGE")
    arguments = given.parse_args()
    backend.load()
    DATA.mkdir(parents=True, exist_ok=True)
    busy = [others_share()]
    results: list[Result] = []
    for part in arguments.only:
        started = time.monotonic()
        results += measured(part, arguments.rounds)
        say(f"{part}: {time.monotonic() - started:.0f} s")
        busy.append(others_share())
    text = page(results, machine(), max(busy))
    print(text)
    (DATA / "bench.md").write_text(text)
    record = {**machine(), "others": busy, "results": [result.record() for result in results]}
    (DATA / "bench.json").write_text(json.dumps(record, indent=2))
    if arguments.write:
        write(text, arguments.write)


def measured(part: str, rounds: int) -> list[Result]:
    """The lines of a part; where it fails, those before and one that says so."""
    lines: list[Result] = []
    try:
        for line in importlib.import_module(f"bench_{part}").results(rounds):
            lines.append(line)
    except Exception as error:  # the other parts are worth measuring all the same
        traceback.print_exc()
        lines.append(Result(f"{part}: failed", note=f"{type(error).__name__}: {error}"))
    return lines


def page(results: list[Result], facts: dict, busy: float) -> str:
    """The machine, a warning if it was busy, and the table."""
    packages = ", ".join(
        f"{name} {facts['packages'][name]}" for name in ("tensorflow", "keras", "numpy")
    )
    lines = [
        f"{facts['date']}, commit {facts['commit'] or 'unknown'}, {facts['cores']} cores of"
        f" {facts['processor']}, Python {facts['python']}, {packages}."
    ]
    if busy > BUSY:
        warning = f"Other processes took up to {busy:.0%} of the machine: only the order counts."
        say(f"warning: {warning}")
        lines.append(f"**{warning}**")
    return "\n\n".join([*lines, table(results)]) + "\n"


def write(text: str, page: Path) -> None:
    """Replace what stands between the two comments of a page."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


if __name__ == "__main__":
    main()
