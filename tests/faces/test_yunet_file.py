"""Downloading YuNet's file, from a server of the test's own."""

import functools
import hashlib
import http.server
import threading

import pytest

from tripletlab.cli import main
from tripletlab.faces import yunet_file

CONTENT = b"a network"


@pytest.fixture
def server(tmp_path):
    """The address of a folder with the file, and the server, which counts what it was asked."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / yunet_file.NAME).write_bytes(CONTENT)
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        running.asked = asked
        yield f"http://127.0.0.1:{running.server_port}/{yunet_file.NAME}", running
        running.shutdown()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tripletlab"


def files(cache):
    return sorted(path.name for path in cache.rglob("*"))


def test_it_is_downloaded_once_and_checked(server, cache, monkeypatch, capsys):
    monkeypatch.setattr(yunet_file, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    address, running = server
    for _ in range(2):
        assert main(["fetch", "yunet", "--from", address]) == 0
        assert str(cache / yunet_file.NAME) in "".join(capsys.readouterr()).replace("\n", "")
    assert (cache / yunet_file.NAME).read_bytes() == CONTENT
    assert len(running.asked) == 1


def test_another_file_is_refused_and_not_kept(server, cache, capsys):
    address, _ = server
    assert main(["fetch", "yunet", "--from", address]) == 2
    assert_one_line(capsys, "SHA-256 begins with ebafce4e3c11")
    assert files(cache) == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x", "http://127.0.0.1:9999999/", "x", ""])
def test_a_server_that_is_away_is_one_line(address, cache, capsys):
    assert main(["fetch", "yunet", "--from", address]) == 2
    assert_one_line(capsys, "TRIPLETLAB_YUNET")
    assert files(cache) == []


def test_a_file_that_is_not_there_is_one_line(server, cache, capsys):
    assert main(["fetch", "yunet", "--from", f"{server[0]}x"]) == 2
    assert_one_line(capsys, "404")


def test_a_cache_that_cannot_be_written_is_one_line(server, cache, capsys):
    cache.parent.write_text("in the way")
    assert main(["fetch", "yunet", "--from", server[0]]) == 2
    assert_one_line(capsys, "cache")


def assert_one_line(capsys, text):
    error = capsys.readouterr().err
    assert text in error
    assert len(error.splitlines()) == 1
