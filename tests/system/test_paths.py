from pathlib import Path

from tripletlab.system.paths import expanded


def test_the_home_folder_is_known_and_an_unknown_user_is_no_error(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert expanded("~/photos") == expanded(Path("~/photos")) == Path("/home/ada/photos")
    assert expanded("a/~") == Path("a/~")
    assert expanded("~nobody-of-this-name/lfw") == Path("~nobody-of-this-name/lfw")
