"""Commands in processes of their own, most of them forked from one with all libraries imported.

Importing TensorFlow and MLflow takes longer than a tiny training. A fork server imports them once
and computes nothing; each command is a fork of it that calls `tripletlab.cli.main`. Commands that
need neither start anew.
"""

import atexit
import contextlib
import importlib
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

LIBRARIES = [
    *("tripletlab.cli", "tripletlab.sweeping.sweep", "tripletlab.experiment.target_evaluation"),
    *("tripletlab.experiment.run", "tripletlab.experiment.export", "tensorflow", "keras"),
    *("mlflow.keras", "mlflow.pyfunc", "optuna.storages", "tf2onnx", "umap", "plotly"),
    *("matplotlib.pyplot", "cv2", "onnxruntime"),
]
LIGHT = ("enrol", "webcam")  # commands without TensorFlow
MARK = "TORTURED_FOLDER"  # in the environment of a command's processes
ENDING = 30  # seconds in which the workers of a killed process must have ended, too
forking = multiprocessing.get_context("forkserver")
forking.set_forkserver_preload(LIBRARIES)
spawning = multiprocessing.get_context("spawn")


def start(folder, words, *, environment=None, limits=None, prepare=None):
    """`tripletlab WORDS` at work in a folder: its output in `out` and `err`, its files in `tmp`.

    `limits` are resource limits, by their number; `prepare` is called in the process first.
    """
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    environment = {"TMPDIR": str(folder / "tmp"), MARK: str(folder), **(environment or {})}
    (output(folder) / "err").unlink(missing_ok=True)  # of the last command
    arguments = (folder, words, environment, limits or {}, prepare)
    alone = words[0] in LIGHT or resource.RLIMIT_AS in arguments[3]
    how = spawning if alone else forking
    process = how.Process(target=_command, args=arguments)
    process.start()
    while not ended(process, 0.01) and not (output(folder) / "err").exists():
        pass  # Python itself starts
    return process


def _command(folder, words, environment, limits, prepare):
    if resource.RLIMIT_AS in limits and words[0] not in LIGHT:
        # a C library that ends the process waits for its threads, which a fork has not
        for library in LIBRARIES:
            importlib.import_module(library)
    os.setsid()  # a terminal's Ctrl-C reaches the whole group
    os.chdir(folder)
    os.environ.update(environment)
    tempfile.tempdir = None  # the fork server's
    signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest's parent may ignore it
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(output(folder) / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    for limit, most in limits.items():
        if limit == resource.RLIMIT_AS:  # beyond the libraries, which are there already
            most += int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(limit, (most, most))
    if prepare:
        prepare()
    from tripletlab.__main__ import main

    try:
        sys.exit(main(words))
    finally:  # what Python does at its end, in this order, and a fork leaves out
        threading._shutdown()
        atexit._run_exitfuncs()


def output(folder):
    """Where a command's output goes: outside its disk, which may be full or read-only."""
    place = folder.parent.with_name(f"{folder.name}-output")
    place.mkdir(exist_ok=True)
    return place


def said(folder):
    """What the last command has written on stderr."""
    path = output(folder) / "err"
    return path.read_text() if path.exists() else ""


def ended(process, seconds):
    """Wait for the process; whether it has ended by then."""
    process.join(seconds)
    return process.exitcode is not None


def kill_workers(pid):
    """SIGKILL for the workers of a process; returns how many there were."""
    workers = list(_workers(pid))
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    return len(workers)


def _workers(pid):
    """The processes that Python started anew for a sweep or a map."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            command = (path.parent / "cmdline").read_text()
        except OSError:
            continue
        if parent == pid and ("spawn_main" in command or "popen_loky" in command):
            yield int(path.parent.name)


def require_no_orphans(folder):
    """The workers of a command that was killed end by themselves."""
    mark, end = f"{MARK}={folder}\0".encode(), time.monotonic() + ENDING
    while left := [one for one in Path("/proc").glob("[0-9]*/environ") if _has(one, mark)]:
        assert time.monotonic() < end, f"still at work: {left}"
        time.sleep(0.1)


def _has(environ, mark):
    try:
        return mark in environ.read_bytes()
    except OSError:
        return False
