"""How long commands take before they do any work, and what a sweep costs beside its trials."""

import functools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import optuna
from bench_training import overrides
from empty_sweep import bare, sweep
from harness import Result, interleaved, ratios

from tripletlab.sweeping.plan import read_plan

COMMANDS = {"--help": 0.5, "train --config": None, "sweep --dry-run": None}  # targets in seconds
NEEDED = """
from tripletlab.training import backend
backend.load()
import sys
import mlflow
from tripletlab import config
from tripletlab.experiment.components import build_components
from tripletlab.experiment.data import prepare
from tripletlab.training.rates import scheduled
chosen = config.compose("train", sys.argv[1:])
data = prepare(chosen, fresh=False)
parts = build_components(chosen, data)
parts.embed(data.pairs.images[:1])
optimizer = scheduled(chosen.optimizer.build(), chosen.rate_schedule.build(), steps=99)
parts.model.compile(optimizer=optimizer, jit_compile=backend.jit_compile())
optimizer.build(parts.model.trainable_variables)
parts.model.train_on_batch(*parts.batches[0])
"""
UNTIL_A_STEP = """
import sys
from tripletlab.cli import main
from tripletlab.training import backend
backend.load()
from tripletlab.training.callbacks import ReportCallback
def ended(self, batch, logs=None):
    raise KeyboardInterrupt
ReportCallback.on_train_batch_end = ended
main(["train", "--fresh", *sys.argv[1:]])
"""
TRIALS = 15


def results(rounds: int) -> Iterator[Result]:
    """Lines of the table."""
    rounds = min(rounds, 5)
    ways = {name: functools.partial(_run, *name.split()) for name in COMMANDS}
    spent = interleaved(ways, rounds=rounds, title="commands")
    for name, most in COMMANDS.items():
        yield Result(f"tripletlab {name}", "s", tuple(spent[name]), most=most)
        found = float("tensorflow" in _loaded(*name.split()))
        yield Result(f"tripletlab {name}: TensorFlow imported (1) or not (0)", "", (found,), most=0)
    yield from _first_step(min(rounds, 4))
    yield from _beside_trials()


def _first_step(rounds: int) -> Iterator[Result]:
    """Processes that end after one step of training, the photos being prepared already."""
    with tempfile.TemporaryDirectory() as scratch:
        words = overrides(f"tracking.folder={scratch}")
        ways = {
            "needed": lambda: _python(NEEDED, *words),
            "train": lambda: _python(UNTIL_A_STEP, *words),
        }
        spent = interleaved(ways, rounds=rounds, title="first step")
    yield Result("tripletlab train, with its first step", "s", tuple(spent["train"]))
    slower = ratios(spent["needed"], base=spent["train"])
    note = "TensorFlow, Keras, MLflow; traces of the step and of inference"
    name = "tripletlab train, with its first step: time relative to its imports and traces"
    yield Result(name, "×", slower, most=1.3, note=note)


def _beside_trials() -> Iterator[Result]:
    """A sweep whose trials train nothing, and what a person would write without tripletlab."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    plan = read_plan(["random", f"trials={TRIALS}"])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        note = "config, MLflow run, pruner, study"
        own = tuple(sweep(plan, folder))
        yield Result("a sweep beside its trials, a trial", "s", own, most=0.3, note=note)
        alone = tuple(bare(plan, folder, tracked=False))
        yield Result("a bare Optuna loop, a trial", "s", alone)
        both = tuple(bare(plan, folder, tracked=True))
        yield Result("a bare Optuna loop with MLflow, a trial", "s", both)


def _run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "tripletlab", *words], check=True, capture_output=True)


def _python(code: str, *words: str) -> None:
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)


def _loaded(*words: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    code = (
        f"import sys; from tripletlab.cli import main; main({list(words)})\n"
        "print(); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())
