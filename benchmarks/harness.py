"""What benchmarks share: interleaved rounds, ratios and quartiles, machine facts, one table.

Ratios are taken only between things that were timed in turns, because other work on the machine,
or a change of its clock, then slows all of them alike.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tripletlab.system.processor import cores, resolve_dtype
from tripletlab.system.progress import bar
from tripletlab.system.provenance import environment, git_commit

DATA = Path("data/bench")  # what is drawn and prepared, and the last table
BUSY = 0.1  # of the machine's processor time, by others, from which on figures are doubtful


class Result(NamedTuple):
    """A line of the table: a value with its quartiles, and the target that it is held to."""

    name: str
    unit: str = ""
    values: tuple[float, ...] = ()  # one a round; empty where nothing could be measured
    least: float | None = None  # a target from below
    most: float | None = None  # a target from above
    note: str = ""

    @property
    def value(self) -> float | None:
        """The median over the rounds."""
        return statistics.median(self.values) if self.values else None

    @property
    def mark(self) -> str:
        """pass, falls short, skipped, or nothing where there is no target."""
        if self.value is None:
            return "skipped"
        if self.least is None and self.most is None:
            return ""
        met = (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )
        return "pass" if met else "falls short"

    def row(self) -> str:
        """A line of Markdown."""
        target = "" if self.least is None else f"≥ {self.least:g}"
        target = target if self.most is None else f"≤ {self.most:g}"
        value, spread = "–", ""
        if self.values:
            value = f"{number(self.value)} {self.unit}"
            low, high = quartiles(self.values)
            spread = f"{number(low)} to {number(high)}" if len(self.values) > 1 else ""
        return f"| {self.name} | {value} | {spread} | {target} | {self.mark} | {self.note} |"

    def record(self) -> dict[str, Any]:
        """The same for JSON."""
        return {**self._asdict(), "value": self.value, "mark": self.mark}


def number(value: float) -> str:
    """Three digits, or all those before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def quartiles(values: Iterable[float]) -> tuple[float, float]:
    """The first and the third, which a single value is both of."""
    known = list(values)
    low, _, high = statistics.quantiles(known, n=4) if len(known) > 1 else [known[0]] * 3
    return low, high


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def interleaved(
    ways: Mapping[str, Callable[[], object]], *, rounds: int, title: str, warm: int = 1
) -> dict[str, list[float]]:
    """Seconds of each way, one call a round, in turns; `warm` calls of each go before."""
    for _ in range(warm):
        for work in ways.values():
            work()
    spent: dict[str, list[float]] = {name: [] for name in ways}
    with bar(title, total=rounds * len(ways)) as advance:
        for _ in range(rounds):
            for name, work in ways.items():
                spent[name].append(timed(work))
                advance(1)
    return spent


def ratios(seconds: Iterable[float], *, base: Iterable[float]) -> tuple[float, ...]:
    """How many times as fast as the base, round by round."""
    return tuple(theirs / own for own, theirs in zip(seconds, base, strict=True))


def dtypes() -> list[str]:
    """What is measured, the fastest first: bfloat16 only where the processor is fast in it."""
    return list(dict.fromkeys([resolve_dtype("auto"), "float32"]))


def machine() -> dict[str, Any]:
    """When and where: the date, the processor, its cores, the versions, the commit."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": git_commit(),
        **environment(),
        "cores": cores(),
    }


def others_share(seconds: float = 1.0) -> float:
    """The share of the machine's processor time that other processes take, 0 to 1 (Linux)."""
    before, own = _ticks(), time.process_time()
    time.sleep(seconds)
    busy, total = (now - then for now, then in zip(_ticks(), before, strict=True))
    own_ticks = (time.process_time() - own) * os.sysconf("SC_CLK_TCK")
    return max(0.0, (busy - own_ticks) / max(total, 1))


def _ticks() -> tuple[int, int]:
    """Busy ones and all, since the machine started."""
    with open("/proc/stat") as file:
        user, nice, system, idle, waiting, *rest = map(int, file.readline().split()[1:9])
    busy = user + nice + system + sum(rest)
    return busy, busy + idle + waiting


def table(results: Iterable[Result]) -> str:
    """Markdown."""
    head = "| what | value | quartiles | target | | |\n|---|---:|---:|---:|---|---|"
    return "\n".join([head, *(result.row() for result in results)])
