"""Every command on a disk or in a temporary folder that is full, in a read-only folder, with few
files and with little memory: one line, or it waits; and the same command completes later."""

import random
import resource
import shutil
import signal
import time
from functools import partial

import pytest

from tests.disks import small_disk
from tests.torture import states
from tests.torture.commands import COMMANDS as ALL
from tests.torture.commands import LONGEST, complete
from tests.torture.processes import ended, require_no_orphans, said, start
from tests.torture.settings import SEED, SIGNALS
from tests.torture.tally import faults

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]
REFUSED = 2
LOADER = 127  # which has no memory for a library's data
CRASHES = (0, 1, REFUSED, LOADER, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS)  # of libraries
SWEPT = partial(states.require_finished, runs=3, failures=True)
COMMANDS = {**ALL, "sweep": ALL["sweep"]._replace(finished=SWEPT)}
FILES = 64
MEMORY = [1 << 27, 1 << 28, 1 << 29, 1 << 30]  # bytes beyond what is there at the start
ROOM = "200m"
WAITING = "waiting for the tracking store"
PAGE = 1 << 12


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk") as sized:
        yield sized


def used(folder):
    """Bytes that a folder takes of a file system in memory."""
    sizes = [path.lstat().st_size if path.is_file() else PAGE for path in folder.rglob("*")]
    return sum(-(-size // PAGE) * PAGE for size in sizes)


def needed(command, fresh):
    """Bytes that a command writes into its folder, at least some of them."""
    folder = fresh(command)
    before = used(folder)
    complete(command, folder)
    return used(folder) - before


def wait_for_trouble(process, folder):
    """Until the process has ended, or says that it waits for room."""
    began = time.monotonic()
    while not ended(process, 0.2) and WAITING not in " ".join(said(folder).split()):
        assert time.monotonic() - began < LONGEST


def require_refusal(process, command, folder, row, *, ends=(0, REFUSED)):
    """The process ends well, or with a line; what is there is old or new."""
    assert ended(process, LONGEST)
    require_no_orphans(folder)
    row.check_output()
    assert process.exitcode in ends, f"{process.exitcode}: {said(folder)[-3000:]}"
    if process.exitcode == REFUSED:
        lines = [one for one in said(folder).splitlines() if one.startswith("tripletlab:")]
        assert len(lines) == 1, said(folder)
    command.check(folder)


@pytest.mark.parametrize("name", COMMANDS)
def test_full_disk(name, fresh, disk):
    command, chance = COMMANDS[name], random.Random(f"{SEED} {name} disk")
    most = needed(command, fresh)
    with faults("disk full: work folder", name) as row:
        while row.count["injected"] < SIGNALS:
            folder = fresh(command, disk(ROOM))
            disk(used(folder.parent) + PAGE * chance.randint(1, most // PAGE))
            process = start(folder, command.words, prepare=command.prepare)
            row.injected(folder)
            wait_for_trouble(process, folder)
            disk(ROOM)
            require_refusal(process, command, folder, row)
            complete(command, folder)
            row.keep()
            shutil.rmtree(folder)


@pytest.mark.parametrize("name", COMMANDS)
def test_full_temporary_folder(name, fresh, disk):
    command, chance = COMMANDS[name], random.Random(f"{SEED} {name} tmp")
    with faults("disk full: TMPDIR", name) as row:
        while row.count["injected"] < SIGNALS:
            folder = fresh(command)
            place = disk(PAGE * chance.choice([1, 2, 10, 100, 500]))
            environment = {"TMPDIR": str(place)}
            process = start(folder, command.words, environment=environment, prepare=command.prepare)
            row.injected(folder)
            wait_for_trouble(process, folder)
            disk(ROOM)
            require_refusal(process, command, folder, row)
            assert list(place.iterdir()) == []
            complete(command, folder)
            row.keep()


@pytest.mark.parametrize("name", COMMANDS)
def test_read_only_folder(name, fresh, disk):
    command = COMMANDS[name]
    with faults("read-only folder", name) as row:
        folder = fresh(command, disk(ROOM))
        (folder / "tmp").mkdir(exist_ok=True)
        before = {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
        environment = {"TMPDIR": str(disk(f"{ROOM},ro").parent)}
        process = start(folder, command.words, environment=environment, prepare=command.prepare)
        row.injected(folder)
        require_refusal(process, command, folder, row)
        assert before == {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
        disk(f"{ROOM},rw")
        complete(command, folder)


@pytest.mark.parametrize("name", COMMANDS)
def test_few_files(name, fresh):
    limited(name, f"{FILES} file descriptors", {resource.RLIMIT_NOFILE: FILES}, fresh)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("memory", MEMORY)
def test_little_memory(name, memory, fresh):
    limited(name, "memory limit", {resource.RLIMIT_AS: memory}, fresh, ends=CRASHES)


def limited(name, fault, limits, fresh, *, ends=(0, REFUSED)):
    command = COMMANDS[name]
    with faults(fault, name) as row:
        folder = fresh(command)
        process = start(folder, command.words, limits=limits, prepare=command.prepare)
        row.injected(folder)
        require_refusal(process, command, folder, row, ends=ends)
        complete(command, folder)
