"""A project of tiny synthetic data, prepared and trained once; the tally at the end."""

import shutil

import pytest

pytest.register_assert_rewrite("tests.torture.commands", "tests.torture.states")

from tests.torture import commands, processes, tally  # noqa: E402


def pytest_configure():
    tally.read()


def pytest_terminal_summary(terminalreporter):
    if tally.counts:
        terminalreporter.section("faults")
        terminalreporter.write_line(tally.table())
        tally.write()


@pytest.fixture(scope="session")
def bases(tmp_path_factory):
    """The folders that commands begin with, each made when it is first asked for."""
    return commands.Bases(tmp_path_factory.mktemp("bases"))


@pytest.fixture
def fresh(bases, tmp_path):
    """Copies a command's first folder; the copies go with the test."""
    made = []

    def copy(command, place=tmp_path):
        folder = place / f"{command.name.split()[0]}-{len(made)}"
        shutil.copytree(bases.folder(command.needs), folder)
        made.append(folder)
        return folder

    yield copy
    own = (processes.forking.Process, processes.spawning.Process)  # other tests' workers stay
    for process in processes.multiprocessing.active_children():
        if isinstance(process, own):
            process.kill()
    shutil.rmtree(tmp_path, ignore_errors=True)
