"""What goes to stderr, and what does not."""

import os
import threading
import time

import pytest
from rich.table import Table

from tripletlab.system import progress
from tripletlab.system.progress import bar, console, quiet_stderr, result_console, say


def test_a_line_goes_to_stderr_without_its_passwords_and_as_it_is(capsys):
    progress.console.cache_clear()
    say("postgresql://ada:s3cr3t@lab/runs [bold]not markup[/bold]")
    out, err = capsys.readouterr()
    assert out == ""
    assert " ".join(err.split()) == "postgresql://ada:***@lab/runs [bold]not markup[/bold]"


def test_a_line_is_whole_where_no_terminal_shows_it(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    progress.console.cache_clear()
    line = "written: /data/" + "a folder/" * 9 + "faces.h5"
    say(line)
    progress.console.cache_clear()  # the next test's console has the width of its own terminal
    assert capsys.readouterr().err == f"{line}\n"


@pytest.mark.parametrize(("columns", "whole"), [(None, True), ("40", False)])
def test_a_table_in_a_file_is_as_wide_as_its_cells_unless_columns_is_set(
    columns, whole, capsys, monkeypatch
):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    progress.console.cache_clear()
    table, cell = Table("photo"), "train/somebody with many names/" * 4
    table.add_row(cell)
    result_console().print(table)
    console().print(table)
    progress.console.cache_clear()
    out, err = capsys.readouterr()
    assert (cell in out, cell in err) == (whole, whole)


def test_a_long_title_takes_its_room_from_the_bar(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    progress.console.cache_clear()
    title = "Finding faces in 2,144 photos, synthetic people"
    with bar(title, total=2144) as advance:
        advance(2144)
    progress.console.cache_clear()
    err = capsys.readouterr().err
    assert f"{title} " in err
    assert "2144/2144 0:00:0" in err
    assert "…" not in err


def test_what_c_libraries_write_is_discarded_and_stderr_is_restored(capfd):
    os.write(2, b"before\n")
    with quiet_stderr():
        os.write(2, b"noise\n")
        with quiet_stderr():  # one inside another
            os.write(2, b"noise\n")
        os.write(2, b"noise\n")
    with pytest.raises(ValueError, match="passes through"), quiet_stderr():
        raise ValueError("passes through")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_two_threads_do_not_leave_stderr_discarded(capfd):
    def silence(seconds):
        with quiet_stderr():
            time.sleep(seconds)

    threads = [threading.Thread(target=silence, args=[0.01 * k]) for k in (3, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


def test_a_bar_counts_to_its_total(capsys):
    progress.console.cache_clear()
    with bar("drawing", total=5) as advance:
        for steps in (2, 3):
            advance(steps)
    assert "drawing" in (said := capsys.readouterr().err)
    assert "5/5" in said
