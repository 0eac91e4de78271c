import re
from pathlib import Path

from tripletlab.system.paths import expanded, slug


def test_the_home_folder_is_known_and_an_unknown_user_is_no_error(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert expanded("~/photos") == expanded(Path("~/photos")) == Path("/home/ada/photos")
    assert expanded("a/~") == Path("a/~")
    assert expanded("~nobody-of-this-name/lfw") == Path("~nobody-of-this-name/lfw")


def test_a_slug_is_ascii_and_of_one_title_alone():
    titles = [
        "LFW",
        "photos: a + b",
        "фото",
        "顔",
        "顔写真",
        "Zoë",
        "Ünder_лес",
        "!!",
        "",
        "\udcff",
    ]
    slugs = [slug(title) for title in titles]
    assert len(set(slugs)) == len(titles)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one) for one in slugs)
    assert slugs[:2] == ["lfw", "photos-a-b"]
    assert slug("Zoë") == "zoe"
