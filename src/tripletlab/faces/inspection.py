"""`tripletlab data`: whether prepared faces are as they were written, and what is not in them."""

from pathlib import Path

from tripletlab.errors import InputError, printable
from tripletlab.faces.store import rejected_photos
from tripletlab.faces.store_writing import damage


def verify(folder: Path) -> None:
    """Read every faces.h5 and pairs.h5 under the folder and compare it with its fingerprint.

    Prints a line for each; InputError when one is damaged, or when there is none.
    """
    paths = _stores(folder, "faces.h5", "pairs.h5")
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


def print_rejected(folder: Path) -> None:
    """Print each photo that did not get into a faces.h5 under the folder, a tab, and the reason.

    InputError where there is no faces.h5, or one is damaged.
    """
    for path in _stores(folder, "faces.h5"):
        print(f"# {path}")
        for photo, reason in rejected_photos(path):
            print(f"{printable(photo)}\t{reason}")


def _stores(folder: Path, *names: str) -> list[Path]:
    """The stores of these names under the folder; InputError where there is none."""
    if paths := sorted(path for name in names for path in folder.glob(f"**/{name}")):
        return paths
    raise InputError(f"{folder}: no {' or '.join(names)} in it; give data=FOLDER")
