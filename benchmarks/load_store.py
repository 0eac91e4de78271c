"""Whether commands stay fast in a store of thousands of runs.

    python benchmarks/load_store.py PROJECT FOLDER [--runs 5000] [--trials 100]

Copies a PROJECT with a finished sweep to FOLDER, and repeats that sweep in both databases, in the
form in which it was recorded, until there are as many runs as asked for, in sweeps of as many
trials each. Then every command that reads runs is timed: its processor time beyond its imports,
compared with that of the same command in PROJECT. The copies of a run share its files."""

import argparse
import contextlib
import json
import os
import re
import shutil
import sqlite3
import time
import uuid
import webbrowser
from contextlib import closing
from pathlib import Path
from typing import Any

from tripletlab.cli import main as tripletlab
from tripletlab.training import backend

OF_RUN = ("params", "metrics", "latest_metrics", "tags")
OF_MODEL = ("logged_model_metrics", "logged_model_params", "logged_model_tags")
OF_STUDY = ("study_directions", "study_user_attributes", "study_system_attributes")
OF_TRIAL = (
    *("trial_user_attributes", "trial_system_attributes", "trial_params", "trial_values"),
    "trial_intermediate_values",
)
COMMANDS = (
    ["sweep", "list"],
    ["sweep", "status", "SWEEP"],
    ["sweep", "best", "SWEEP"],
    ["report", "SWEEP"],
    ["compare", "champion", "RUN"],
    ["identify", "champion", "--to", "identified"],
    ["evaluate", "champion", "--to", "evaluated"],
)


def main() -> None:
    """Fill the copy, and print a table."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("project", type=Path)
    given.add_argument("folder", type=Path)
    given.add_argument("--runs", type=int, default=5000)
    given.add_argument("--trials", type=int, default=100)
    arguments = given.parse_args()
    if not arguments.folder.exists():
        shutil.copytree(arguments.project, arguments.folder)
        fill(arguments.folder / "mlruns", arguments.runs, arguments.trials)
    webbrowser.open = lambda *_: True
    backend.load()
    print("| command | few runs | many runs | more |\n|---|---:|---:|---:|")
    for words in COMMANDS:
        few, few, many = (
            processor_seconds(words, folder.resolve())
            for folder in (arguments.project, arguments.project, arguments.folder)
        )  # the first imports what the command needs
        print(
            f"| {' '.join(words)} | {few:.2f} s | {many:.2f} s | {many - few:+.2f} s |", flush=True
        )


def processor_seconds(words: list[str], folder: Path) -> float:
    """Of the command, in the project of that folder; its sweep and a run of it are put in."""
    study, run = first_trial(folder / "mlruns" / "optuna.db")
    put = {"SWEEP": study, "RUN": run}
    os.chdir(folder)
    began = time.process_time()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        assert tripletlab([put.get(word, word) for word in words]) == 0, words
    return time.process_time() - began


def first_trial(database: Path) -> tuple[str, str]:
    """The name of the latest study, and the run of a complete trial of it."""
    with closing(sqlite3.connect(database)) as base:
        return base.execute(
            "select study_name, json_extract(value_json, '$') from trial_user_attributes"
            " join trials using (trial_id) join studies using (study_id)"
            " where key = 'run_id' and state = 'COMPLETE' order by study_id desc limit 1"
        ).fetchone()


def fill(root: Path, runs: int, trials: int) -> None:
    """Repeat the sweep of a project until there are so many runs."""
    mlflow, optuna = Copier(root / "mlflow.db"), Copier(root / "optuna.db")
    for _ in range(runs // (trials + 1)):
        repeat_sweep(mlflow, optuna, trials)
    mlflow.base.commit()
    optuna.base.commit()


class Copier:
    """Copies rows of an SQLite file."""

    def __init__(self, database: Path) -> None:
        self.base = sqlite3.connect(database)
        self.base.row_factory = sqlite3.Row

    def copy(self, table: str, key: str, value: object, **changes: object) -> int:
        """Copy the rows in which the column `key` has that value; returns the last one's number.

        `changes` are what other columns get in the copy, the table's own number always a new one.
        """
        found = self.base.execute(f"select * from {table} where {key} = ?", [value]).fetchall()
        last = 0
        for row in found:
            new = {**row, **changes}
            if isinstance(row[0], int) and row.keys()[0] not in changes:
                new[row.keys()[0]] = None
            marks = ", ".join("?" * len(new))
            query = f"insert into {table} ({', '.join(new)}) values ({marks})"
            last = self.base.execute(query, list(new.values())).lastrowid or 0
        return last

    def column(self, query: str, *values: object) -> list[Any]:
        """The first column of what a query finds."""
        return [row[0] for row in self.base.execute(query, values)]


def repeat_sweep(mlflow: Copier, optuna: Copier, trials: int) -> None:
    """A study and its runs, like the first one, with its complete trials again and again."""
    ((study, name),) = optuna.base.execute("select * from studies limit 1").fetchall()
    new_name = re.sub("[0-9a-f]{8}$", uuid.uuid4().hex[:8], name)
    new = optuna.copy("studies", "study_id", study, study_name=new_name)
    for table in OF_STUDY:
        optuna.copy(table, "study_id", study, study_id=new)
    value = "select json_extract(value_json, '$') from"
    (parent,) = optuna.column(
        f"{value} study_user_attributes where key = 'parent_run' and study_id = ?", study
    )
    new_parent = copy_run(mlflow, parent)
    optuna.base.execute(
        "update study_user_attributes set value_json = ? where key = 'parent_run' and study_id = ?",
        [json.dumps(new_parent), new],
    )
    query = "select trial_id from trials where state = 'COMPLETE' and study_id = ?"
    complete = optuna.column(query, study)
    for number in range(trials):
        trial = complete[number % len(complete)]
        notes = f"{value} trial_user_attributes where key = 'run_id' and trial_id = ?"
        run = copy_run(mlflow, optuna.column(notes, trial)[0], parent=new_parent)
        copy_trial(optuna, trial, study=new, number=number, run=run)


def copy_trial(optuna: Copier, trial: int, *, study: int, number: int, run: str) -> None:
    """A trial of that number, with another run and a point of its own."""
    new = optuna.copy("trials", "trial_id", trial, study_id=study, number=number)
    for table in OF_TRIAL:
        optuna.copy(table, "trial_id", trial, trial_id=new)
    for key, value in (("run_id", run), ("point", number)):
        optuna.base.execute(
            "update trial_user_attributes set value_json = ? where key = ? and trial_id = ?",
            [json.dumps(value), key, new],
        )
    optuna.base.execute(
        "update trial_params set param_value = param_value * ?"
        " where param_name = 'margin' and trial_id = ?",
        [1 + number * 1e-6, new],
    )


def copy_run(mlflow: Copier, run: str, *, parent: str | None = None) -> str:
    """A run with all that belongs to it but its files; returns its id."""
    new = uuid.uuid4().hex
    mlflow.copy("runs", "run_uuid", run, run_uuid=new)
    for table in OF_RUN:
        mlflow.copy(table, "run_uuid", run, run_uuid=new)
    if parent:
        mlflow.base.execute(
            "update tags set value = ? where key = 'mlflow.parentRunId' and run_uuid = ?",
            [parent, new],
        )
    for given in mlflow.column("select input_uuid from inputs where destination_id = ?", run):
        own = uuid.uuid4().hex
        mlflow.copy("inputs", "input_uuid", given, input_uuid=own, destination_id=new)
        mlflow.copy("input_tags", "input_uuid", given, input_uuid=own)
    for model in mlflow.column("select model_id from logged_models where source_run_id = ?", run):
        own = f"m-{uuid.uuid4().hex}"
        mlflow.copy("logged_models", "model_id", model, model_id=own, source_run_id=new)
        for table in OF_MODEL:
            changes = {"run_id": new} if table == OF_MODEL[0] else {}
            mlflow.copy(table, "model_id", model, model_id=own, **changes)
    return new


if __name__ == "__main__":
    main()
