"""A target is fed damaged files in a process of its own, which may crash, hang or fill the memory.

`python -m tests.fuzzing.campaign TARGET FIRST LAST` is that process: it prints a line before and
after every input. The one that starts it counts what became of each, and goes on behind a crash.
"""

import json
import os
import random
import resource
import selectors
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.fuzzing.targets import TARGETS, Target
from tripletlab.errors import InputError, brief
from tripletlab.webcam.sources import SourceError

PATIENCE = 60.0  # seconds for one input; a network's trial run alone may take 20
STARTING = 300.0  # seconds until the first input is read
MEMORY = 4 << 30  # bytes that reading may add to the process
WATCHED = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect",
           "pickle.find_class")  # fmt: skip
EXECUTED, ACCEPTED, REFUSED, TRACEBACK = "executed", "accepted", "refused", "traceback"
CRASH, HANG = "crash", "hang"


def run(name: str, first: int, last: int) -> tuple[Counter[str], list[str]]:
    """The outcomes of the inputs FIRST to LAST - 1, and a line for each that is not clean."""
    counts, bad = Counter[str](), list[str]()
    while first < last:
        for number, outcome, detail in _child(name, first, last):
            counts[outcome] += 1
            if outcome not in (ACCEPTED, REFUSED):
                bad.append(f"{name} {number}: {outcome} {detail}")
            first = number + 1
    return counts, bad


def _child(name: str, first: int, last: int):
    """Outcomes, until the process has done all, or has crashed or hung."""
    command = [sys.executable, "-m", "tests.fuzzing.campaign", name, str(first), str(last)]
    number = done = first
    begun = False
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        lines = _lines(child)
        for line in lines:
            if line is None:
                child.kill()
                yield number, HANG, f"{PATIENCE:g} s"
                return
            word, _, rest = line.partition(" ")
            if word == "begin":
                number, begun = int(rest), True
            elif word == "end":
                outcome, detail = json.loads(rest)
                done = number + 1
                yield number, outcome, detail
    if not begun:
        raise RuntimeError(f"{' '.join(command)} cannot begin: exit status {child.returncode}")
    if child.returncode or done < last:
        yield number, CRASH, f"exit status {child.returncode}"


def _lines(child):
    """Its lines; None where it is silent for too long."""
    os.set_blocking(child.stdout.fileno(), False)
    rest, patience = b"", STARTING
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(patience):
                yield None
                return
            if not (read := os.read(child.stdout.fileno(), 1 << 16)):
                return
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                patience = PATIENCE
                yield line.decode()


def main(name: str, first: int, last: int) -> None:
    """Read the inputs one after the other."""
    report = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    folder = Path(tempfile.mkdtemp(prefix="tripletlab-fuzz-"))
    os.chdir(folder)
    target = TARGETS[name]
    seeds = target.seeds(folder)
    for seed in seeds:  # imports are done, and what is valid is accepted
        assert target.read(seed, folder) is not None, name
    watch = watch_events()
    _limit_memory()
    for number in range(first, last):
        data = make_input(name, target, seeds, number)
        report.write(f"begin {number}\n")
        report.write(f"end {json.dumps(outcome(target, data, folder, watch))}\n")


def make_input(name: str, target: Target, seeds: list[bytes], number: int) -> bytes:
    """The input of that number, the same in every process."""
    return target.mutate(seeds, rng=random.Random(f"{name} {number}"))


def outcome(
    target: Target, data: bytes, folder: Path, watch: list[str] | None = None
) -> tuple[str, str]:
    watch = [] if watch is None else watch
    watch.clear()
    began = time.monotonic()
    try:
        accepted = target.read(data, folder)
        took = f"{time.monotonic() - began:.1f}"
        found = ACCEPTED if accepted is not None else REFUSED, took
    except (InputError, SourceError) as error:
        one_line = "\n" not in str(error) and len(str(error)) < 3000
        found = (REFUSED, str(error)) if one_line else (TRACEBACK, f"long: {str(error)[:200]}")
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [one for one in frames if "/tripletlab/" in one.filename] or frames
        where = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
        found = TRACEBACK, f"{type(error).__name__} at {where}: {brief(error)}"
    if (folder / "executed").exists() or watch:
        (folder / "executed").unlink(missing_ok=True)
        return EXECUTED, " ".join(watch)
    return found


def watch_events() -> list[str]:
    """Audited events that mean code from a file, or another process: a list that grows."""
    events: list[str] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in WATCHED:
            events.append(f"{event} {str(arguments)[:100]}")

    sys.addaudithook(hook)
    return events


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
