"""Who must not be trained on: listed people and photos, and the people of the verification set.

VGGFace2 and LFW share hundreds of people; a model that was trained on them scores too well.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from tripletlab.errors import InputError
from tripletlab.photos.names import known_by, normalised
from tripletlab.system.paths import expanded

LISTED = "person on the exclusion list"
SHARED = "person who is in the verification set too"
PHOTO_LISTED = "photo on the exclusion list"
COMMENT = re.compile(r"^\s*#.*|\s+#(\s.*)?$")  # a name may hold a # of its own, as in IMG#1.jpg


@dataclass(frozen=True)
class Hygiene:
    """`exclude` are text files; `shared` is the rule for people of the verification set.

    A line of such a file is a person (the folder's name, or the name that the dataset gives it) or
    a photo (tree/person/file, as stores name them). A # begins a comment where the line begins, or
    between blanks. `refuse` is an error, `exclude` leaves the people out, `allow` trains on them
    all the same.
    """

    exclude: list[str]
    shared: Literal["refuse", "exclude", "allow"]

    def __post_init__(self) -> None:
        self._lines()

    def photos(self) -> frozenset[str]:
        """The listed photos, as tree/person/file."""
        return frozenset(line for line in self._lines() if "/" in line)

    def left_out(
        self, people: Mapping[str, str], verification: Iterable[str]
    ) -> tuple[dict[str, str], list[str]]:
        """Whom to leave out and why, and who is shared; `people` are folders and their names.

        `verification` are the people of that set. Names are the same when their letters and digits
        are, whatever their case, accents and punctuation. InputError where someone is shared and
        may not be.
        """
        listed = {normalised(line) for line in self._lines() if "/" not in line}
        others = set(map(normalised, verification)) - {""}
        known = known_by(people)
        shared = [
            folder for folder, names in known.items() if names & others and not names & listed
        ]
        if shared and self.shared == "refuse":
            names = [people[folder] or folder for folder in shared]
            such = ", ".join(names if len(names) <= 3 else [*names[:3], "…"])
            raise InputError(
                f"{len(shared)} people to train on are in the verification set too ({such}):"
                " hygiene.shared=exclude leaves them out, hygiene.shared=allow trains on them"
            )
        reasons = dict.fromkeys(shared, SHARED) if self.shared == "exclude" else {}
        reasons |= {folder: LISTED for folder, names in known.items() if names & listed}
        return reasons, shared

    def unmatched(self, people: Mapping[str, str], photos: Collection[str]) -> list[str]:
        """The lines that are none of these people (folders and their names) and photos."""
        known = set[str]().union(*known_by(people).values())
        return [
            line
            for line in self._lines()
            if (line not in photos if "/" in line else normalised(line) not in known)
        ]

    def _lines(self) -> list[str]:
        return [line for path in self.exclude for line in _read(path)]


def _read(path: str) -> list[str]:
    try:
        text = expanded(path).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"hygiene.exclude: {path} cannot be read ({error}); give text files, a name a line"
        ) from error
    lines = (COMMENT.sub("", line).strip() for line in text.splitlines())
    return [line for line in lines if line]
