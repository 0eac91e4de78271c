"""`tripletlab prepare`: photos become faces.h5, and the pairs that judge a model pairs.h5."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table

from tripletlab import config
from tripletlab.faces.judging import heldout_pairs, prepare_pairs
from tripletlab.faces.preparation import prepare_faces
from tripletlab.faces.store import TRAIN, VALIDATION, FaceStore, PairStore
from tripletlab.photos.sources import Heldout
from tripletlab.progress import console, say


class Data(NamedTuple):
    """What a network learns from, and what judges it."""

    faces: FaceStore
    pairs: PairStore


def prepare(plain: Mapping[str, Any], *, fresh: bool) -> Data:
    """Open the stores that the config asks for, after making those that are not there."""
    recipe = config.build(plain, "faces")
    chosen = [config.build(plain, noun) for noun in ("photos", "verification")]
    # What draws its own photos is bound, not built: it draws when all else is known to be right.
    photos, verification = (one() if callable(one) else one for one in chosen)
    held_out = isinstance(verification, Heldout)
    common = _common(plain, fresh=fresh)
    fraction = verification.fraction if held_out else 0.0
    made = prepare_faces(photos, recipe, heldout_fraction=fraction, **common)
    faces = FaceStore.open(made.path)
    _tell(faces, made.path, reused=made.reused)
    if held_out:
        judged = heldout_pairs(faces, verification, beside=made.path, fresh=fresh)
    else:
        judged = prepare_pairs(verification, recipe, **common)
    pairs = PairStore.open(judged.path)
    _tell(pairs, judged.path, reused=judged.reused)
    say(_summary(Data(faces, pairs)))
    return Data(faces, pairs)


def prepare_judged(plain: Mapping[str, Any]) -> PairStore:
    """The pairs that judge a model, without photos to learn from where they need none."""
    recipe = config.build(plain, "faces")
    verification = config.build(plain, "verification")
    if isinstance(verification, Heldout):
        return prepare(plain, fresh=False).pairs
    verification = verification() if callable(verification) else verification
    made = prepare_pairs(verification, recipe, **_common(plain, fresh=False))
    pairs = PairStore.open(made.path)
    _tell(pairs, made.path, reused=made.reused)
    return pairs


def _common(plain: Mapping[str, Any], *, fresh: bool) -> dict[str, Any]:
    """What the preparations of both stores are given."""
    settings = config.resolved(plain)["faces"]
    return {"settings": settings, "folder": Path(plain["data"]), "fresh": fresh}


def _tell(store: FaceStore | PairStore, path: Path, *, reused: bool) -> None:
    """Where the store is, and a table of the photos that it could not use."""
    rejected = {why: which for why, which in store.notes["rejected"].items() if which}
    say(f"{'there already' if reused else 'written'}: {path}")
    if reused or not rejected:
        return
    table = Table(title=f"{store.title}: {store.notes['photos']:,} photos", title_justify="left")
    for heading in ("what was wrong", "photos", "share", "such as"):
        table.add_column(heading, justify="right" if heading in ("photos", "share") else "left")
    for why, which in rejected.items():
        share = len(which) / store.notes["photos"]
        table.add_row(why, f"{len(which):,}", f"{share:.1%}", which[0])
    console().print(table)


def _summary(data: Data) -> str:
    faces, pairs = data

    def people(split: int) -> int:
        return len({n for n, s in zip(faces.names, faces.split, strict=True) if s == split})

    return (
        f"{faces.title}: {len(faces.images):,} faces, {people(TRAIN):,} people to train and"
        f" {people(VALIDATION):,} to validate ({len(faces.validation.first):,} pairs);"
        f" judged by {pairs.title}: {len(pairs.pairs.first):,} pairs of"
        f" {len(np.unique(pairs.names)):,} people"
    )
