"""The licences of all packages in requirements.lock, as the table docs/licences.md.

    .venv/bin/python tools/licences.py [FILE]

Lists the packages that the lock installs on this machine, by pip-licenses. Exit code 1, and
nothing written, where a licence is none of those below: then it has to be read first.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
# With these, MIT code may import and be distributed with a package. Not among them are the GPL,
# the AGPL, the SSPL, and whatever forbids commercial use.
ALLOWED = {
    *("MIT", "MIT License", "MIT-0", "MIT-CMU", "ISC License (ISCL)", "Zlib", "CC0-1.0"),
    *("0BSD", "BSD", "BSD License", "BSD-2-Clause", "BSD-3-Clause", "3-Clause BSD License"),
    *("Apache-2.0", "Apache License 2.0", "Apache Software License", "DFSG approved"),
    *("Apache-2.0 WITH LLVM-exception", "PSF-2.0", "Python Software Foundation License"),
    *("MPL-2.0", "Mozilla Public License 2.0 (MPL 2.0)"),  # for changes of its own files alone
}
READ = {  # by eye: the metadata has none, or names every file's without saying which is whose
    "docutils": "BSD, public domain; GPL for an Emacs mode that is not installed",
    "huey": "MIT",
    "namex": "Apache-2.0",
    "skops": "MIT",
}
HEAD = """\
# Licences

These are the packages that `requirements.lock` installs on Linux with Python {python}, with their
licences as the packages state them. `make sbom` (pip-licenses) makes this table, and a test checks
it against the lock.

| package | version | licence |
|---|---|---|
"""


def locked() -> dict[str, str]:
    """Name and version of every package that the lock installs on this machine."""
    lines = re.findall(r"^([a-z0-9].*?) *\\?$", LOCK.read_text(), re.MULTILINE)
    found = [Requirement(line) for line in lines]
    here = [one for one in found if one.marker is None or one.marker.evaluate()]
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in here}


def refused(licence: str) -> list[str]:
    """The parts of a statement such as "MIT AND Zlib" that are not among the allowed licences.

    Of alternatives one is enough: then there is none.
    """
    alternatives = [re.split(r"; | AND ", one) for one in licence.split(" OR ")]
    missing = [[part for part in parts if part not in ALLOWED] for parts in alternatives]
    return min(missing, key=len)


def licences() -> dict[str, str]:
    """The licence of every installed package, by its canonical name."""
    program = Path(sys.executable).with_name("pip-licenses")
    command = [str(program), "--python", sys.executable, "--format=json", "--with-system"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    stated = {canonicalize_name(one["Name"]): one["License"] for one in json.loads(done.stdout)}
    return stated | READ


def main(file: str = "docs/licences.md") -> int:
    """Write the table; 1 where a package is not installed or its licence has to be read first."""
    packages, known = locked(), licences()
    if wrong := [name for name in packages if name not in known]:
        print(f"not installed: {', '.join(wrong)}", file=sys.stderr)
    for name in set(packages) - {*wrong, *READ}:
        if parts := refused(known[name]):
            wrong.append(name)
            print(f"{name}: read its licence first ({'; '.join(parts)})", file=sys.stderr)
    if wrong:
        return 1
    rows = [f"| {name} | {packages[name]} | {known[name]} |" for name in sorted(packages)]
    head = HEAD.format(python=f"{sys.version_info.major}.{sys.version_info.minor}")
    (ROOT / file).write_text(head + "\n".join(rows) + "\n")
    print(f"{file}: {len(rows)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
