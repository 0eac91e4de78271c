"""The table of licences is that of the lock, and no licence goes unnoticed."""

import re
from pathlib import Path

import pytest

from tools import licences

TABLE = Path(__file__).parents[2] / "docs" / "licences.md"


def rows():
    found = re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", TABLE.read_text(), re.MULTILINE)
    return {name: (version, licence) for name, version, licence in found if name != "package"}


def test_the_table_lists_the_packages_of_the_lock_and_no_others():
    assert rows().keys() == licences.locked().keys()
    lock = licences.LOCK.read_text()
    assert all(f"\n{name}=={version} " in f"\n{lock}" for name, (version, _) in rows().items())


def test_every_licence_in_the_table_is_an_allowed_one_or_was_read():
    for name, (_, licence) in rows().items():
        assert licences.READ.get(name) == licence or not licences.refused(licence), name


@pytest.mark.parametrize(
    ("licence", "parts"),
    [
        ("MIT", []),
        ("BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", []),
        ("GPL-3.0-only OR MIT", []),
        ("MIT AND GPL-3.0-only", ["GPL-3.0-only"]),
        (
            "DFSG approved; GNU Affero General Public License v3",
            ["GNU Affero General Public License v3"],
        ),
        ("AGPL-3.0-or-later", ["AGPL-3.0-or-later"]),
        ("UNKNOWN", ["UNKNOWN"]),
    ],
)
def test_what_is_not_allowed_is_named(licence, parts):
    assert licences.refused(licence) == parts


def test_a_forbidden_licence_writes_nothing(monkeypatch, tmp_path, capsys):
    stated = dict.fromkeys(licences.locked(), "MIT")
    monkeypatch.setattr(licences, "licences", lambda: {**stated, "bokeh": "AGPL-3.0-only"})
    assert licences.main(str(tmp_path / "table.md")) == 1
    assert capsys.readouterr().err == "bokeh: read its licence first (AGPL-3.0-only)\n"
    assert not (tmp_path / "table.md").exists()
