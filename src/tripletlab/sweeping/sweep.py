"""`tripletlab sweep`: a run for every point of a space, a table of them, and a champion."""

import pickle
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.experiment.data import Data, check_sources, prepare
from tripletlab.sweeping.driver import Driver
from tripletlab.sweeping.jobs import Engine, Job
from tripletlab.sweeping.live_table import LiveTable
from tripletlab.sweeping.plan import SWEEP_KEYS, Plan, read_plan
from tripletlab.sweeping.result import conclude, title_of
from tripletlab.sweeping.samplers import draw_points
from tripletlab.sweeping.spaces import RECIPE as UNCHANGED
from tripletlab.sweeping.storage import failures_reported, open_storage
from tripletlab.sweeping.study import (
    CODE,
    CONF,
    DATA,
    OVERRIDES,
    PARENT,
    RECIPE,
    STORES,
    file_stem,
)
from tripletlab.sweeping.trial import TRIAL, Training
from tripletlab.sweeping.trial_queue import QueuedTrial, TrialQueue
from tripletlab.system.locks import held
from tripletlab.system.progress import console, say
from tripletlab.system.provenance import code_fingerprint, json_digest
from tripletlab.system.redaction import redacted
from tripletlab.tracking import Tracker


def sweep(words: Sequence[str], *, fresh: bool, dry_run: bool) -> None:
    """Run the missing trials of a space, print their table, and promote the best run's model.

    `words` are those of `read_plan`. `fresh` runs finished trials anew (MLflow keeps their runs);
    `dry_run` prints the trials and stops.
    """
    plan = read_plan(words, training=not dry_run)
    plan.check()
    base = plan.base
    check_sources(base)
    engine: Engine = base.engine.build()
    say(plan.outline(workers=engine.workers))
    if dry_run:
        return _print_trials(plan)
    tracker: Tracker = base.tracking.build()
    lock = Path(tracker.folder) / "live" / "sweep"
    with failures_reported(base.studies), held(lock) as free:
        if not free:
            raise InputError(f"another sweep is running in {tracker.folder}; let it end first")
        storage = open_storage(base.studies)
        tracker.open()
        data = prepare(base, fresh=False)
        own = json_digest(plan.recipe(), data.faces.fingerprint, data.pairs.fingerprint)
        name = f"{plan.space.name}-{own}"
        if fresh:
            shutil.rmtree(_files(tracker, name), ignore_errors=True)
        queue = TrialQueue.open(storage, name=name, space=plan.space, fresh=fresh)
        _report_changes(queue, plan, data)
        counts = queue.counts()
        if over := counts["complete"] + counts["pruned"]:
            say(f"{over} of {max(over, counts['declared'])} runs are finished already")
        if over >= counts["declared"]:  # more, where `trials` was larger
            return _conclude(queue, data, tracker)
        try:
            engine.open(Training(data.faces.path, data.pairs.path, tracker))
        except InputError:
            queue.delete_unless_begun()
            raise
        params = {"space": plan.space.name, "study": queue.name}
        resume = queue.note(PARENT)
        with tracker.run(title_of(queue, data), params=params, tags={}, resume=resume) as parent:
            queue.add_note(PARENT, parent.run_id)
            _drive(plan, queue, engine, tracker, parent.run_id)
            conclude(queue, data, tracker, parent=parent)


def _conclude(queue: TrialQueue, data: Data, tracker: Tracker) -> None:
    """Show a complete sweep; its run ends now where its process was killed before that."""
    resume = queue.note(PARENT)
    if (
        resume is None
        or not tracker.runs.exists(resume)
        or tracker.runs.record(resume).status == "FINISHED"
    ):
        conclude(queue, data, tracker, parent=None)
        return
    with tracker.run(title_of(queue, data), params={}, tags={}, resume=resume) as parent:
        conclude(queue, data, tracker, parent=parent)


def _drive(plan: Plan, queue: TrialQueue, engine: Engine, tracker: Tracker, parent: str) -> None:
    """Run the missing trials; whatever stops this, no run stays open."""
    base = plan.base
    folder = _files(tracker, queue.name)
    code = code_fingerprint(config.own_code())  # a run goes on with the same code alone

    def job(taken: QueuedTrial) -> Job:
        place = folder / file_stem(taken.place, taken.seed)
        # A driver that died before it noted the run of a trial left the run's tag
        begun = tracker.runs.tagged(TRIAL, place.name, parent=parent)
        run = plan.run_config(taken.point, taken.seed)
        return Job(
            number=taken.number,
            name=plan.space.title(taken.point, taken.seed),
            config=pickle.dumps(run),
            run_id=taken.run_id or (begun.run_id if begun else None),
            checkpoint=place.with_name(f"{place.name}-{code}.npz"),
            log=place.with_suffix(".log"),
            epochs=run.fit["epochs"],
            parent=parent,
        )

    say(f"each run has a log in {folder}")
    try:
        with LiveTable(queue) as display:
            Driver(
                queue,
                engine,
                prepare=job,
                display=display,
                retries=base.retries,
                close_run=tracker.close_run,
            ).run()
    finally:
        tracker.close_dead_runs()


def _files(tracker: Tracker, study: str) -> Path:
    """The folder of a study's checkpoints and logs."""
    return Path(tracker.folder).resolve() / "sweeps" / study


def _report_changes(queue: TrialQueue, plan: Plan, data: Data) -> None:
    """Print a line where code or data have changed since the sweep began."""
    if queue.siblings(RECIPE, plan.recipe()) and queue.note(RECIPE) is None:
        say("The photos have changed since this sweep last ran; all trials run on the new ones.")
    queue.add_note(RECIPE, plan.recipe())
    skipped = config.of_nouns(plan.overrides, (*SWEEP_KEYS, "dtype"))
    own = [one for one in plan.overrides if one not in skipped]
    own = [config.override("dtype", plan.base.dtype), *own]  # that of `train` is another
    queue.add_note(OVERRIDES, redacted(shlex.join(own)))
    queue.add_note(CONF, shlex.join(f"--config-dir={one}" for one in config.own_folders()))
    queue.add_note(STORES, f"{data.faces.path}\n{data.pairs.path}")
    queue.add_note(DATA, data.title)
    code = code_fingerprint(config.own_code())
    if queue.add_note(CODE, code) not in (None, code):
        say(
            "The code has changed since this sweep began; finished runs are kept."
            " `tripletlab sweep --fresh` (make sweep FRESH=1) runs them anew."
        )


def _print_trials(plan: Plan) -> None:
    space = plan.space
    points = f"{space.points} point{'s' * (space.points > 1)}"
    shown = Table(title=f"{space.name}: {points}", title_justify="left")
    for heading in ("", *space.axes):
        shown.add_column(heading, justify="right")
    for number, point in enumerate(draw_points(space)):
        values = (point.get(key, "") for key in space.axes)
        texts = (f"{one:.4g}" if isinstance(one, float) else str(one) for one in values)
        shown.add_row(str(number) if point else UNCHANGED, *texts)
    if space.sampler:
        shown.caption = "drawn without results; a sampler that uses them will draw others"
    console().print(shown)
