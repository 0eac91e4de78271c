"""A sweep of a thousand tiny trials on four workers: is any lost, what grows, what is slow?

    python benchmarks/load.py FOLDER [--trials 1000] [--workers 4]

It is the real `tripletlab sweep`; each trial is one step of the smallest network, on synthetic
photos and without a map of the embeddings. With `--without-training`, the trials are those of
benchmarks/empty_sweep.py: all of a sweep's machinery, but no network. FOLDER keeps the project, the
output and samples.json. Needs psutil.
"""

import argparse
import json
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil

PEOPLE = ["photos.people=12", "photos.photos=8", "faces.min_photos=2"]
DRAWN = ["verification.people=60", "verification.per_fold=4"]
TINY = [
    *("architecture=simple_cnn", "architecture.width=0.25", "architecture.embedding_dim=16"),
    *("batches.people=4", "batches.photos=3", "batches.steps=1", "fit.epochs=1"),
]
COMMAND = [sys.executable, "-m", "tripletlab"]
EVERY = 2.0  # seconds between two samples
WARM = 0.1  # of the trials: memory is compared with what it is after these
Sample = dict[str, Any]  # seconds, trials done, and by process: memory in bytes, processor seconds


def main() -> None:
    """Run the sweep, and print what was counted."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("folder", type=Path)
    given.add_argument("--trials", type=int, default=1000)
    given.add_argument("--workers", type=int, default=4)
    given.add_argument("--without-training", action="store_true")
    arguments = given.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    command = empty if arguments.without_training else tiny
    words = command(arguments.folder, arguments.trials, arguments.workers)
    samples, code = sampled(words, arguments.folder)
    (arguments.folder / "samples.json").write_text(json.dumps(samples))
    print(f"exit code {code}")
    for line in [*counted(arguments.folder), *errors(arguments.folder), *grown(samples)]:
        print(line)


def empty(folder: Path, trials: int, workers: int) -> list[str]:
    """A sweep whose trials train nothing, in a new folder."""
    (folder / "mlruns").mkdir()
    script = Path(__file__).with_name("empty_sweep.py")
    return [
        sys.executable,
        str(script),
        str(trials),
        str(workers),
        str((folder / "mlruns").resolve()),
    ]


def tiny(folder: Path, trials: int, workers: int) -> list[str]:
    """The sweep of tiny networks."""
    words = ["random", f"trials={trials}", f"engine.workers={workers}"]
    pairs = [*PEOPLE, "verification=lfw", f"verification.path={without_map(folder)}"]
    return [*COMMAND, "sweep", *words, *pairs, *TINY]


def without_map(folder: Path) -> Path:
    """The synthetic pairs, drawn in the project, with nobody to map."""
    drawn = next((folder / "data" / "photos").glob("synthetic-verification-*/pairs.txt"), None)
    if drawn is None:
        subprocess.run([*COMMAND, "prepare", *PEOPLE, *DRAWN], cwd=folder, check=True)
        return without_map(folder)
    copy = folder / "pairs"
    if not copy.exists():
        shutil.copytree(drawn.parent, copy)
        (copy / "umap_people.txt").write_text("")
    return copy.resolve()


def sampled(command: Sequence[str], folder: Path) -> tuple[list[Sample], int]:
    """Run the command in the folder; samples of its processes, and its exit code."""
    samples: list[Sample] = []
    with (folder / "output").open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    began, driver = time.monotonic(), psutil.Process(process.pid)
    while process.poll() is None:
        sample = {"seconds": time.monotonic() - began, "done": trials_done(folder)}
        samples.append({**sample, "processes": processes(driver)})
        time.sleep(EVERY)
    return samples, process.returncode


def processes(driver: psutil.Process) -> dict[str, tuple[int, float]]:
    """Resident bytes and processor seconds of the driver and of each worker."""
    found = {}
    for one in [driver, *driver.children()]:
        try:
            name = "driver" if one == driver else f"worker {one.pid}"
            if one == driver or "spawn_main" in " ".join(one.cmdline()):
                times = one.cpu_times()
                found[name] = (one.memory_info().rss, times.user + times.system)
        except psutil.NoSuchProcess:
            continue
    return found


def trials_done(folder: Path) -> int:
    """How many trials are complete in Optuna's database; 0 where it is not there yet."""
    database = folder / "mlruns" / "optuna.db"
    if not database.is_file():
        return 0
    try:
        return len(rows(database, "select 1 from trials where state = 'COMPLETE'"))
    except sqlite3.OperationalError:  # its tables are being made
        return 0


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in an SQLite file, which is only read."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)) as base:
        return base.execute(query).fetchall()


def counted(folder: Path) -> list[str]:
    """Trials and runs: how many there are, and whether each trial has one run of its own."""
    trials = rows(folder / "mlruns" / "optuna.db", "select trial_id, state from trials")
    runs_of = [
        json.loads(value)
        for (value,) in rows(
            folder / "mlruns" / "optuna.db",
            "select value_json from trial_user_attributes where key = 'run_id'",
        )
    ]
    runs = rows(
        folder / "mlruns" / "mlflow.db",
        "select runs.run_uuid, runs.status from runs join tags on tags.run_uuid = runs.run_uuid"
        " where tags.key = 'tripletlab.trial'",
    )
    ended = {run for run, status in runs if status == "FINISHED"}
    return [
        f"trials {len(trials)}: {dict(Counter(state for _, state in trials))}",
        f"runs {len(runs)}: {dict(Counter(status for _, status in runs))}",
        f"trials without a finished run {len(set(runs_of) - ended)},"
        f" runs without a trial {len({run for run, _ in runs} - set(runs_of))},"
        f" runs of two trials {len(runs_of) - len(set(runs_of))}",
    ]


def errors(folder: Path) -> list[str]:
    """Lines of the output and of the logs that name a database or an error."""
    found: Counter[str] = Counter()
    for path in [folder / "output", *folder.glob("mlruns/sweeps/*/*.log")]:
        for line in path.read_text(errors="replace").splitlines():
            if re.search(r"locked|waiting for|database|Error|Traceback", line):
                found[line[:160]] += 1
    return [
        f"{sum(found.values())} lines of errors",
        *(f"  {n}× {one}" for one, n in found.items()),
    ]


def grown(samples: Sequence[Sample]) -> list[str]:
    """Memory at the end against that after the first tenth; speed; who used the processor."""
    usual = statistics.mode(len(one["processes"]) for one in samples)
    last = [one for one in samples if len(one["processes"]) == usual][-1]  # no worker has ended yet
    warm = next(one for one in samples if one["done"] >= WARM * last["done"])
    lines = []
    for name, (_, cpu) in last["processes"].items():
        start, end = (resident(samples, name, at["seconds"]) for at in (warm, last))
        if start and end:
            lines.append(
                f"{name}: {start / 1e6:,.0f} MB after {warm['done']} trials, {end / 1e6:,.0f} MB"
                f" after {last['done']} ({end / start - 1:+.1%}); processor {cpu:,.0f} s"
            )
    fifths = [f"{memory / 1e6:,.0f}" for memory in of_a_worker(samples)]
    lines.append(f"a worker, in each fifth of the trials: {', '.join(fifths)} MB")
    spans = [(0.1, 0.2), (0.45, 0.55), (0.9, 1.0)]
    return [*lines, *(speed(samples, *span) for span in spans)]


def resident(samples: Sequence[Sample], name: str, at: float) -> float:
    """The median of a process' memory in the ten samples before that second; 0 without any."""
    known = [
        one["processes"][name][0]
        for one in samples
        if name in one["processes"] and one["seconds"] <= at
    ]
    return statistics.median(known[-10:]) if known else 0


def of_a_worker(samples: Sequence[Sample]) -> list[float]:
    """The mean memory of a worker in each fifth of the trials.

    Workers are replaced after some trials: at a single moment all may be young, or all old.
    """
    total = samples[-1]["done"]
    fifths: list[list[int]] = [[] for _ in range(5)]
    for one in samples:
        memory = [rss for name, (rss, _) in one["processes"].items() if name != "driver"]
        fifths[min(5 * one["done"] // max(total, 1), 4)] += memory
    return [statistics.mean(fifth) if fifth else 0 for fifth in fifths]


def speed(samples: Sequence[Sample], begin: float, end: float) -> str:
    """Trials a second between two shares of all trials, and the driver's share of a core."""
    total = samples[-1]["done"]
    first, second = (
        next(one for one in samples if one["done"] >= share * total) for share in (begin, end)
    )
    seconds = second["seconds"] - first["seconds"]
    count = second["done"] - first["done"]
    cpu = second["processes"]["driver"][1] - first["processes"]["driver"][1]
    return (
        f"trials {first['done']} to {second['done']}: {count / max(seconds, 1):.2f} a second,"
        f" driver {cpu / max(count, 1) * 1000:.0f} ms of processor each"
    )


if __name__ == "__main__":
    main()
