"""Ctrl-C and SIGTERM, in processes of their own."""

import os
import signal
import subprocess
import sys

import pytest

DROPPED = """
import gc, os, signal, time
from tripletlab.system.interrupts import every_interrupt_heard

def callback(phase, info):
    if phase == "start":
        gc.callbacks.remove(callback)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)  # Python raises KeyboardInterrupt here, and drops it

signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background ignores it

def work():
    gc.callbacks.append(callback)
    gc.collect()
    for _ in range(100):
        time.sleep(0.05)
    print("went on")

try:
    if HEARD:
        with every_interrupt_heard(signal.SIGINT):
            work()
    else:
        work()
except KeyboardInterrupt:
    print("stopped")
"""

TERMINATED = """
import os, signal
from tripletlab.system.interrupts import terminated_as_by_hand
before = signal.getsignal(signal.SIGTERM)
try:
    with terminated_as_by_hand():
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(10**9): pass
except KeyboardInterrupt:
    print("stopped", signal.getsignal(signal.SIGTERM) == before)
"""

OTHERS = """
import signal
from tripletlab.system.interrupts import every_interrupt_heard

class Bad:
    def __del__(self):
        raise ValueError("in a destructor")

with every_interrupt_heard(signal.SIGINT):
    Bad()
print("went on")
"""

LEFT = """
import logging, multiprocessing, os, signal
from tripletlab.system.interrupts import nothing_after_the_stop, terminated_as_by_hand

def report():
    for name in ("sqlalchemy.pool.impl.QueuePool", "mine"):
        logging.getLogger(name).error(f"{name} says so")

report()
before = dict(os.environ)
try:
    with terminated_as_by_hand(), nothing_after_the_stop():
        lock = multiprocessing.get_context("spawn").Lock()
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(10**9): pass
        finally:
            report()
except KeyboardInterrupt:
    assert os.environ == before
    os.kill(os.getpid(), signal.SIGKILL)  # which leaves the lock's semaphore
"""


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("heard", "ends"), [(True, "stopped"), (False, "went on")])
def test_an_interrupt_that_python_drops_comes_again(heard, ends):
    assert run(DROPPED.replace("HEARD", str(heard))).stdout.split("\n")[0] == ends


def test_sigterm_ends_the_block_as_ctrl_c_does_and_is_itself_again_afterwards():
    assert run(TERMINATED).stdout == "stopped True\n"
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGTERM)").returncode == -15


def test_what_a_stop_cuts_off_is_not_reported():
    pool, *others = run(LEFT).stderr.splitlines()
    assert pool.startswith("sqlalchemy.")
    assert others == ["mine says so"] * 2


def test_other_errors_that_python_cannot_raise_are_still_printed():
    done = run(OTHERS)
    assert done.stdout == "went on\n"
    assert "ValueError: in a destructor" in done.stderr


def test_an_interrupt_while_python_imports_leaves_no_traceback(tmp_path):
    """And one in the background of a shell, where it is ignored, does nothing."""
    imports = "import os, signal; os.kill(os.getpid(), signal.SIGINT)\n"
    (tmp_path / "typer.py").write_text(imports + "raise SystemExit(7)")
    for handler, code in ((signal.SIG_DFL, -signal.SIGINT), (signal.SIG_IGN, 7)):
        done = subprocess.run(
            [sys.executable, "-m", "tripletlab", "--version"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
            capture_output=True,
            text=True,
            preexec_fn=lambda handler=handler: signal.signal(signal.SIGINT, handler),
        )
        assert (done.returncode, done.stderr) == (code, "")


def test_an_interrupt_of_which_a_library_made_another_error_is_one():
    code = TERMINATED.replace(
        "        for _ in range(10**9): pass\n",
        "        try:\n            time.sleep(60)\n"
        "        except KeyboardInterrupt:\n            raise ImportError('failed')\n",
    ).replace("import os", "import time, os")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("stopped True\n", "")
