"""Paths as users give them, and names of files as titles give them."""

import hashlib
import os
import re
import unicodedata
from pathlib import Path


def expanded(path: str | Path) -> Path:
    """The path with a `~` at its beginning replaced by the home folder.

    That of a user who is unknown stays as it is, so that the path is named as one that is not
    there: `Path.expanduser` would raise RuntimeError.
    """
    return Path(os.path.expanduser(path))


def absolute(path: str) -> Path:
    """Absolute, for workers that were started elsewhere; `~` is the home folder."""
    return expanded(path).resolve()


def slug(title: str) -> str:
    """A title as part of a file's or a model's name: ASCII, not empty, at most 47 characters.

    Titles with letters that have no plain form, as of other scripts, differ by six digits of a
    digest. Others are alike where only case, accents and punctuation differ, or what follows the
    first 40 characters.
    """
    plain = unicodedata.normalize("NFKD", title).lower()
    text = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40]
    if text and not any(letter.isalnum() and not letter.isascii() for letter in plain):
        return text
    digest = hashlib.sha256(title.encode(errors="surrogateescape")).hexdigest()[:6]
    return f"{text}-{digest}".strip("-")
