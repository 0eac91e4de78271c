"""`tripletlab data verify`: whether prepared faces are still what was written."""

from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.faces.store_writing import damage


def verify(folder: Path) -> None:
    """Read every faces.h5 and pairs.h5 under the folder and compare it with its fingerprint.

    Prints a line for each; InputError when one is damaged, or when there is none.
    """
    paths = sorted([*folder.glob("**/faces.h5"), *folder.glob("**/pairs.h5")])
    if not paths:
        raise InputError(f"{folder}: no faces.h5 or pairs.h5 in it; give data=FOLDER")
    bad = 0
    for path in paths:
        try:
            found = damage(path)
        except InputError as error:
            found = [str(error)]
        bad += bool(found)
        print("\n".join(found) if found else f"{path}: as it was written")
    if bad:
        raise InputError(
            f"{bad} of {len(paths)} stores are damaged; run `tripletlab prepare --fresh`"
        )
