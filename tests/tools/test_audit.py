"""The audit finds an advisory, made up here, on a package of the lock."""

import json
import re

import pytest

from tools import audit, licences

RANGE = [
    {"introduced": "1.0"},
    {"fixed": "1.5"},
    {"introduced": "2.0rc1"},
    {"last_affected": "2.1"},
]


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        *(("0.9", False), ("1.0", True), ("1.4.9", True), ("1.5", False), ("1.10", False)),
        *(("2.0", True), ("2.1", True), ("2.1.1", False), ("0.3", True)),
    ],
)
def test_versions_are_affected_as_osv_defines_it(version, affected):
    advisory = {"versions": ["0.3"], "ranges": [{"type": "ECOSYSTEM", "events": RANGE}]}
    assert audit.affects(advisory, version) is affected


def advisory(folder, *, name, fixed):
    package = {"name": name, "ecosystem": "PyPI"}
    events = [{"introduced": "0"}, {"fixed": fixed}]
    found = {
        "schema_version": "1.6.0",
        "id": f"TEST-{name}",
        "summary": "made up",
        "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}],
    }
    (folder / f"{name}.json").write_text(json.dumps(found))


def test_an_advisory_on_a_locked_package_is_found(tmp_path, capfd):
    locked = licences.locked()
    advisory(tmp_path, name="H11", fixed=f"{locked['h11']}.post1")
    advisory(tmp_path, name="idna", fixed=locked["idna"])
    part = tmp_path / "part.lock"  # of the lock: all of it takes longer
    text = licences.LOCK.read_text()
    part.write_text(
        "".join(re.findall(r"^(?:h11|idna)==.*\n(?: +--hash.*\n)+", text, re.MULTILINE))
    )
    assert audit.main(str(tmp_path), "-r", str(part)) == 1
    out, err = capfd.readouterr()
    assert "Found 1 known vulnerability in 1 package" in err
    found = ["h11", locked["h11"], "TEST-H11", f"{locked['h11']}.post1"]
    assert found in [line.split()[:4] for line in out.splitlines()]


def test_a_folder_without_advisories_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="no advisory of OSV"):
        audit.main(str(tmp_path))
