"""SIGKILL, SIGINT and SIGTERM at random moments of every command that writes.

Up to ten faults in a row hit the same folder, each in what the last has left; then the command is
run undisturbed and must complete. The moment is uniform over the time that the command takes.
"""

import os
import random
import signal
import sys
import time

import pytest

from tests.torture.commands import COMMANDS, LONGEST, complete, run
from tests.torture.processes import ended, kill_workers, require_no_orphans, said, start
from tests.torture.settings import KILLS, SEED, SIGNALS
from tests.torture.tally import faults

pytestmark = pytest.mark.timeout(3600)
CHAIN = 10  # faults in a row
ENDS = {how: {0, 130, -how} for how in (signal.SIGINT, signal.SIGTERM)}
ENDS[signal.SIGKILL] = {0, -signal.SIGKILL}


@pytest.mark.timeout(300)
def test_a_few_kills(fresh):
    disturb(COMMANDS["enrol"], signal.SIGKILL, 3, fresh)  # the quickest


@pytest.mark.timeout(300)
def test_a_kill_hits_a_command_whose_first_run_was_slow(fresh, monkeypatch):
    measured, command = run, COMMANDS["enrol"]._replace(name="enrol after a slow run")
    monkeypatch.setattr(sys.modules[__name__], "run", lambda *given: 20 * measured(*given))
    disturb(command, signal.SIGKILL, 1, fresh)


@pytest.mark.torture
@pytest.mark.parametrize("name", COMMANDS)
def test_kills(name, fresh):
    disturb(COMMANDS[name], signal.SIGKILL, KILLS, fresh)


@pytest.mark.torture
def test_kills_of_a_driver_and_its_workers(fresh):
    disturb(COMMANDS["sweep"], signal.SIGKILL, KILLS, fresh, workers=True)


@pytest.mark.torture
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
@pytest.mark.parametrize("name", COMMANDS)
def test_signals(name, how, fresh):
    disturb(COMMANDS[name], how, SIGNALS, fresh)


@pytest.mark.torture
def test_killed_workers_of_a_sweep(fresh):
    """The driver goes on, whichever worker is killed at whatever moment."""
    command, chance = COMMANDS["sweep"], random.Random(f"{SEED} worker")
    command = command._replace(words=[*command.words, f"retries={KILLS}"])
    work = run(command, fresh(command)) / 2
    with faults("SIGKILL", "sweep: a worker") as row:
        while row.count["injected"] < KILLS:
            folder = fresh(command)
            process = start(folder, command.words)
            while row.count["injected"] < KILLS and not ended(process, chance.uniform(0, work)):
                for _ in range(kill_workers(process.pid)):
                    row.injected(folder)
            assert ended(process, LONGEST)
            assert process.exitcode == 0, said(folder)
            row.check_output()
            complete(command, folder)
            row.keep()


def disturb(command, how, count, fresh, *, workers=False):
    """Signals to a command, with SIGKILL to its `workers` or not, until there were so many."""
    whole = run(command, fresh(command))
    with faults(how.name, command.name + workers * ": driver and workers") as row:
        while (done := row.count["injected"]) < count:
            folder, chance = fresh(command), random.Random(f"{SEED} {row.name} {done}")
            for _ in range(min(CHAIN, count - done)):
                process = start(folder, command.words, prepare=command.prepare)
                began = time.monotonic()
                if ended(process, chance.uniform(0, whole)):
                    assert process.exitcode == 0, said(folder)
                    whole = time.monotonic() - began  # less than before: the first run is slow
                    break
                row.injected(folder)
                if workers:
                    kill_workers(process.pid)
                (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)
                assert ended(process, LONGEST), f"{how.name} does not end it"
                require_no_orphans(folder)
                assert process.exitcode in ENDS[how], said(folder)
                row.check_output()
                command.check(folder)
            complete(command, folder)
            row.keep()
