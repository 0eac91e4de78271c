"""pip-audit of requirements.lock by advisories in a folder, for machines without a network.

    .venv/bin/python tools/audit.py FOLDER [OPTION …]

FOLDER holds OSV's advisories, a JSON file each, such as those of
https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip, unpacked. They are served on the
loopback interface to pip-audit, which gets the options. Exit code 1 where it finds one.
"""

import json
import subprocess
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

LOCK = Path(__file__).parents[1] / "requirements.lock"
Advisories = dict[str, list[dict[str, Any]]]  # by the canonical name of a package


def read(folder: Path) -> Advisories:
    """The advisories on Python packages in all JSON files of a folder; SystemExit if none is."""
    found: Advisories = defaultdict(list)
    for file in sorted(folder.rglob("*.json")):
        advisory = json.loads(file.read_text())
        for affected in advisory.get("affected", []):
            package = affected["package"]
            if package["ecosystem"] == "PyPI":
                package["name"] = canonicalize_name(package["name"])  # as pip-audit compares it
                found[package["name"]].append({**advisory, "affected": [affected]})
    if not found:
        raise SystemExit(f"{folder}: no advisory of OSV on a Python package is there")
    return found


def affects(affected: dict[str, Any], version: str) -> bool:
    """Whether a version is listed, or lies in a range: OSV's own rule."""
    ranges = [one for one in affected.get("ranges", []) if one["type"] == "ECOSYSTEM"]
    return version in affected.get("versions", []) or any(
        _within(one["events"], Version(version)) for one in ranges
    )


def _within(events: list[dict[str, str]], version: Version) -> bool:
    inside = False
    for event in sorted(events, key=lambda event: _version(next(iter(event.values())))):
        ((kind, at),) = event.items()
        if kind == "introduced" and version >= _version(at):
            inside = True
        elif (kind == "fixed" and version >= _version(at)) or (
            kind == "last_affected" and version > _version(at)
        ):
            inside = False
    return inside


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:  # some old advisories have them; they match by their lists
        return Version("0")


def server(advisories: Advisories) -> HTTPServer:
    """A server of OSV's query on a free port of the loopback interface, not started."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [
                one
                for one in advisories.get(query["package"]["name"], [])
                if affects(one["affected"][0], query["version"])
            ]
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    return HTTPServer(("127.0.0.1", 0), Handler)


def main(folder: str, *options: str) -> int:
    """Audit the lock; pip-audit's exit code."""
    with server(read(Path(folder))) as osv:
        threading.Thread(target=osv.serve_forever, daemon=True).start()
        words = ["--vulnerability-service=osv", f"--osv-url=http://127.0.0.1:{osv.server_port}"]
        words += ["--strict", "--require-hashes", "--disable-pip", "--progress-spinner=off"]
        command = [sys.executable, "-m", "pip_audit", *words, *(options or ["-r", str(LOCK)])]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    if not sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
