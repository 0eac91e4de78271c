"""`tripletlab sweep list`, `status`, `best`, and `clean`, on past sweeps; none of them trains."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tripletlab import config
from tripletlab.config import StudiesConfig
from tripletlab.config.files import choices_of
from tripletlab.errors import InputError, NoRuns
from tripletlab.evaluation.metrics import describe
from tripletlab.sweeping.recipe import as_overrides, without_replaced
from tripletlab.sweeping.storage import existing_storage, first_starts, outlines, study_names
from tripletlab.sweeping.study import (
    CONF,
    OVERRIDES,
    POINT,
    RUN,
    SEED,
    STATES,
    Study,
    last_attempts,
    parameters,
    reason,
    stem,
)
from tripletlab.sweeping.table import fits_on
from tripletlab.system.locks import held
from tripletlab.system.progress import result_console, say
from tripletlab.system.provenance import code_fingerprint
from tripletlab.system.redaction import redacted
from tripletlab.tracking import SHORT, Tracker

MINUTE = len("2026-01-31 12:00")  # a time to the minute


def status(words: Sequence[str]) -> None:
    """Print every trial of a sweep: its epochs, objectives and time, its state and the reason."""
    study = _named_study(words)
    began = first_starts(study.storage)[study.name][:MINUTE] or "not begun"
    title = f"{study.name}, {began}: {study.data}"
    shown = Table(title=title, title_justify="left", caption_justify="left")
    shown.add_column("model", min_width=20)
    shown.add_column("run", no_wrap=True)
    objectives = [describe(name) for name in study.space.objectives]
    for heading in ("epoch", *(one.heading for one in objectives)):
        shown.add_column(heading.replace(" ", "\n"), justify="right", no_wrap=True)
    shown.add_column("time", justify="right", no_wrap=True)
    shown.add_column("state", overflow="fold")
    for trial in study.latest():
        values = [one.figure(of) for one, of in zip(objectives, trial.values or (), strict=False)]
        values = values or [""] * len(objectives)
        time = str(trial.duration).partition(".")[0] if trial.duration else ""
        epoch = str(max(trial.intermediate_values, default=""))
        state = ": ".join(filter(None, (STATES[trial.state], reason(trial))))
        run = str(trial.user_attrs.get(RUN, ""))[:SHORT]
        shown.add_row(study.title(trial), run, epoch, *values, time, state)
    shown.caption = study.summary()
    _print(shown)


def list_sweeps(words: Sequence[str]) -> None:
    """Print every sweep, the latest first: when it began, its data, its trials, its champion."""
    config.allow_only(words, ["tracking", "studies"], command="sweep list")
    base = config.compose_studies(words, command="sweep list")
    storage = existing_storage(base.studies)
    starts, trials = first_starts(storage), outlines(storage, POINT, SEED, RUN)
    if not starts:
        say("no sweep has begun here: make sweep begins one")
        return
    champions = _champions(base)
    shown = Table()
    for heading in ("sweep", "began", "data", "trials done", "champion"):
        shown.add_column(heading, overflow="fold", no_wrap=heading in ("sweep", "began"))
    for name in sorted(starts, key=starts.__getitem__, reverse=True):
        study, latest = Study.load(storage, name), last_attempts(trials.get(name, []))
        over = [one for one in latest if STATES[one.state] in ("complete", "pruned")]
        best = [one.number for one in latest if one.user_attrs.get(RUN) in champions]
        titles = ", ".join(study.title(study.trial(number)) for number in best)
        done, began = f"{len(over)} of {study.space.runs}", starts[name][:MINUTE]
        shown.add_row(study.name, began, study.data, done, titles)
    _print(shown)


def _champions(base: StudiesConfig) -> list[str]:
    """The runs of the registry's champions; none where no runs are kept yet."""
    tracker: Tracker = base.tracking.build()
    try:
        tracker.open_existing()
    except NoRuns:
        return []
    return tracker.models.champions()


def _print(shown: Table) -> None:
    """Print a table; as lists where the screen is too narrow for it."""
    console = result_console()
    if fits_on(console, shown):
        console.print(shown)
    else:
        _print_as_lists(shown, console)


def _print_as_lists(table: Table, console: Console) -> None:
    """Print each row as a list under its first cell."""
    headings = [str(column.header).replace("\n", " ") for column in table.columns]
    if table.title:
        console.print(table.title)
    for name, *cells in zip(*(column.cells for column in table.columns), strict=True):
        console.print(name)
        for heading, cell in zip(headings[1:], cells, strict=True):
            if cell:
                console.print(f"  {heading}: {cell}")
    if table.caption:
        console.print(table.caption)


def best(words: Sequence[str]) -> None:
    """Print the best trial, or those of the Pareto front, and the command that runs it again."""
    study = _named_study(words)
    trials = {one.user_attrs[RUN]: one for one in reversed(study.study.best_trials)}
    if not trials:
        raise InputError(f"{study.name}: no run has been completed")
    for trial in reversed(trials.values()):  # a sampler may have drawn a point twice
        for name, value in zip(study.space.objectives, trial.values, strict=True):
            print(f"{name}\t{value:.4g}")
        seed = trial.user_attrs.get(SEED)
        point = parameters(trial) | ({"seed": seed} if seed is not None else {})
        recipe = shlex.split(study.note(OVERRIDES) or "")
        kept = without_replaced(recipe, point, [key for key in point if choices_of(key)])
        again = shlex.join([*kept, *as_overrides(point)])
        own = " ".join(filter(None, ["tripletlab", study.note(CONF), "train", again]))
        print(f"run\t{trial.user_attrs[RUN]}\ncommand\t{own}")


def clean(base: StudiesConfig) -> None:
    """Delete the checkpoints that no trial and no training will continue from.

    InputError while a sweep is running, or where the tracking folder is not there.
    """
    root = Path(base.tracking["folder"])
    if not root.is_dir():
        raise InputError(f"tracking.folder={root}: no such folder")
    with held(root / "live" / "sweep") as free:
        if not free:
            raise InputError(f"a sweep is running in {root}; let it end first")
        unneeded = [*_unneeded(base, root), *_of_other_code(root)]
        freed = sum(path.stat().st_size for path in unneeded)
        for path in unneeded:
            path.unlink()
    print(f"freed {freed / 1e6:.1f} MB of checkpoints; runs and models stay")


def _unneeded(base: StudiesConfig, root: Path) -> list[Path]:
    """The checkpoints of trials that are over; says which sweeps it knows nothing about."""
    folders = sorted(one for one in root.glob("sweeps/*/") if any(one.glob("*.npz")))
    if not folders:
        return []
    storage = existing_storage(base.studies)
    known = study_names(storage)
    if unknown := [one.name for one in folders if one.name not in known]:
        say(
            f"kept: the checkpoints of {', '.join(unknown)}, not in"
            f" studies={redacted(base.studies)}; give studies=… if they are in another database"
        )
    found: list[Path] = []
    for folder in folders:
        if folder.name in known:
            latest, over = Study.load(storage, folder.name).latest(), ("complete", "pruned")
            alive = {stem(one) for one in latest if STATES[one.state] not in over}
            # The code's digits are no part of a trial's name
            files = folder.glob("*.npz")
            found += [one for one in files if one.stem.rpartition("-")[0] not in alive]
    return found


def _of_other_code(root: Path) -> list[Path]:
    """The checkpoints of trainings: `train` continues only under the same code."""
    code = code_fingerprint()
    return [one for one in root.glob("train/*.npz") if not one.name.startswith(code)]


def _named_study(words: Sequence[str]) -> Study:
    name, overrides = config.one_name(words)
    base = config.compose_studies(overrides, command="sweep status and best")
    return Study.find(existing_storage(base.studies), name)
