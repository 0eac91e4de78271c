"""Where the time of a training step goes, by TensorFlow's profiler.

    python benchmarks/step_profile.py [KEY=VALUE …]

Prints each kind of operation's share of the time that all threads spend in operations, over 20
bare steps, and the processor time of making a batch. The keys change the config, for instance
dtype=mixed_bfloat16 or batches.people=32.
"""

import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from bench_training import overrides, step_of

from tripletlab import config
from tripletlab.experiment.components import build_components
from tripletlab.experiment.data import prepare
from tripletlab.training import backend

STEPS, SHOWN = 20, 0.01  # steps; the least share that has a line


def main() -> None:
    """Trace, count and print."""
    from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

    backend.load()
    chosen = config.compose("train", overrides(*sys.argv[1:]))
    parts = build_components(chosen, prepare(chosen, fresh=False))
    step = step_of(parts, chosen, parts.batches[0])
    for _ in range(3):
        step()
    with tempfile.TemporaryDirectory() as scratch:
        tf.profiler.experimental.start(scratch)
        for _ in range(STEPS):
            step()
        tf.profiler.experimental.stop()
        (file,) = Path(scratch).rglob("*.xplane.pb")
        traced = XSpace.FromString(file.read_bytes())
    spent: Counter[str] = Counter()
    for plane in traced.planes:
        for line in plane.lines:
            for event in line.events:
                # an operation's event is called node:Kind; Class::method is the executor's
                name = plane.event_metadata[event.metadata_id].name
                _, colon, kind = name.rpartition(":")
                if colon and kind.isidentifier() and "::" not in name:
                    spent[kind.lstrip("_")] += event.duration_ps
    total = sum(spent.values())
    print(f"{'milliseconds a step':<40}{total / 1e9 / STEPS:8.1f}")
    made = statistics.median(processor(lambda: parts.batches[0]) for _ in range(100))
    print(f"{'milliseconds of processor a batch':<40}{1000 * made:8.2f}")
    for kind, duration in spent.most_common():
        if duration / total >= SHOWN:
            print(f"{kind:<40}{duration / total:8.1%}")


def processor(work: Callable[[], object]) -> float:
    """Seconds of this thread's processor time that one call takes."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


if __name__ == "__main__":
    main()
