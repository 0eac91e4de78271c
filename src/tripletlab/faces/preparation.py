"""Trees of photos to faces.h5: over all cores, and never stopped by a bad photo.

Identities are read one by one and kept in a journal as they are finished; only then is the store
written from it. So memory holds what the workers have in hand and a list of the identities, however
many photos there are, and a process that was killed continues where it stopped.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import brief
from tripletlab.faces.cleaning import REPEATED, Hash
from tripletlab.faces.face_store_writing import write_face_store
from tripletlab.faces.identities import IdentityPhotos, find_identities
from tripletlab.faces.journal import Entry, Journal, unfinished
from tripletlab.faces.recipe import PASSED_OVER, TOO_FEW, Face, FaceRecipe
from tripletlab.faces.splits import check_enough
from tripletlab.faces.store import FORMAT
from tripletlab.faces.store_paths import Preparation, delete_leftovers, made_by, store_path
from tripletlab.photos.hygiene import PHOTO_LISTED, Hygiene
from tripletlab.photos.sources import Heldout, TrainingPhotos
from tripletlab.photos.tree import photos_in, source
from tripletlab.system.parallel import stream
from tripletlab.system.progress import say

VGGFACE2 = re.compile(r"n\d{6}")  # a folder of VGGFace2's


def prepare_faces(
    photos: TrainingPhotos,
    recipe: FaceRecipe,
    *,
    hygiene: Hygiene,
    verification_people: Mapping[str, str],
    heldout: Heldout | None,
    settings: Mapping[str, Any],
    folder: Path,
    fresh: bool,
) -> Preparation:
    """Write faces.h5 into a folder named by title and inputs; skip it when it is there.

    `settings` is the recipe as the config has it; `verification_people` are the folders and names
    of the verification set. InputError when too few people are usable, or when some are in that
    set who may not be trained on.
    """
    identities, digest = find_identities(photos)
    notes = _hygiene_notes(identities, hygiene, verification_people)
    left_out, listed = notes["left_out"], hygiene.photos()
    identities = [one._replace(left_out=left_out.get(one.name)) for one in identities]
    inputs = [digest, notes, sorted(listed), made_by(settings)]
    key = [FORMAT, settings, heldout.fraction if heldout else 0.0, photos.title, inputs]
    path = store_path(folder, title=photos.title, key=key) / "faces.h5"
    if path.is_file() and not fresh:
        delete_leftovers(folder)
        return Preparation(path, reused=True)
    recipe.check_border()
    check_enough(identities, recipe, heldout)
    with unfinished(path, size=recipe.size, fresh=fresh) as journal:
        delete_leftovers(folder)
        if journal is None:
            return Preparation(path, reused=True)
        _complete(journal, identities, _IdentityReader(recipe, listed))
        write_face_store(
            path, journal, identities, recipe, photos, heldout, settings=settings, hygiene=notes
        )
    return Preparation(path, reused=False)


def _hygiene_notes(
    identities: Sequence[IdentityPhotos], hygiene: Hygiene, verification_people: Mapping[str, str]
) -> dict[str, Any]:
    """Who is left out and why, as faces.h5 notes it; warns where people have no names, or
    where a line of an exclusion list has no effect."""
    names = {
        one.name: one.display_name for one in sorted(identities, key=lambda one: one.display_name)
    }
    if unmatched := hygiene.unmatched(names, _photos_beside(hygiene.photos(), identities)):
        say(
            f"warning: hygiene.exclude: {len(unmatched):,} lines match no person and no photo, such"
            f" as {brief(unmatched[0])}: write the person's name, or tree/person/file"
        )
    tested = {folder: name for folder, name in verification_people.items() if name}
    left_out, shared = hygiene.left_out(names, [*tested, *tested.values()])
    training: list[str] = []
    if verification_people:
        training = [one for one, name in names.items() if not name and one not in left_out]
    numbers = verification_people.keys() - tested.keys()
    if training or numbers:
        say(_unnamed_warning(training, numbers))
    return {
        "rule": hygiene.shared,
        "shared": sorted(shared),
        "left_out": left_out,
        "without_names": [len(training), len(numbers)],
    }


def _photos_beside(listed: Collection[str], identities: Sequence[IdentityPhotos]) -> set[str]:
    """The sources of all photos in the folders that hold a listed one, if it is there."""
    asked = {one.rpartition("/")[0] for one in listed}
    folders = [folder for one in identities for folder in one.folders]
    return {
        source(file)
        for folder in folders
        if source(folder / "file").rpartition("/")[0] in asked
        for file in photos_in([folder])
    }


def _unnamed_warning(training: Sequence[str], tested: Collection[str]) -> str:
    """That people without names, in folders to train on and to test on, cannot be compared."""
    groups = ((len(training), "to train on"), (len(tested), "of the verification set"))
    who = " and ".join(f"{count:,} people {group}" for count, group in groups if count)
    names = "VGGFace2's names are in its identity_meta.csv: put it beside train/ and test/"
    hint = f" ({names})" if any(map(VGGFACE2.fullmatch, training)) else ""
    same = sorted(set(training) & set(tested))
    both = f"; {len(same):,} numbers, such as {same[0]}, are in both" if same else ""
    return (
        f"warning: {who} are known by numbers alone: whether somebody is in both is not"
        f" checkable{both}{hint}"
    )


def _complete(
    journal: Journal, identities: Sequence[IdentityPhotos], reader: "_IdentityReader"
) -> None:
    """Read the identities that are not in the journal."""
    missing = [one for one in identities if one.number not in journal]
    if done := len(identities) - len(missing):
        say(f"continuing: {done:,} of {len(identities):,} identities are done")
    count = sum(one.photos for one in missing)
    title = f"Finding faces in {count:,} photos"
    for number, entry in stream(reader, missing, title=title, size=lambda one: one.photos):
        journal.add(number, entry)


@dataclass(frozen=True)
class _IdentityReader:
    """What a worker does: the photos of a person, until there are enough."""

    recipe: FaceRecipe
    listed: frozenset[str]

    def __call__(self, identity: IdentityPhotos) -> tuple[int, Entry]:
        cv2.setNumThreads(1)  # the cores are busy with other people already
        files = photos_in(identity.folders)
        images: list[NDArray[np.uint8]] = []
        sources, rejected = list[str](), list[tuple[str, str]]()
        for file, face in zip(files, self._faces(files, identity), strict=True):
            if face.image is None:
                rejected.append((source(file), face.problem or ""))
            else:
                images.append(face.image)
                sources.append(source(file))
        if len(images) < self.recipe.min_photos:
            rejected += [(one, TOO_FEW) for one in sources]
            images, sources = [], []
        size = self.recipe.size
        faces = np.array(images, np.uint8).reshape(-1, size, size)
        return identity.number, Entry(faces, sources, rejected)

    def _faces(self, files: Sequence[Path], identity: IdentityPhotos) -> Iterator[Face]:
        """A face of every file, or why there is none."""
        kept, hashes = 0, list[Hash]()
        for file in files:
            if kept == self.recipe.max_photos:
                yield Face(None, PASSED_OVER)
                continue
            face = self._face(file, identity)
            if face.hash is not None and self.recipe.cleaning.repeats(face.hash, hashes):
                face = Face(None, REPEATED)
            elif face.hash is not None:
                hashes.append(face.hash)
            kept += face.image is not None
            yield face

    def _face(self, file: Path, identity: IdentityPhotos) -> Face:
        if identity.left_out:
            return Face(None, identity.left_out)
        if source(file) in self.listed:
            return Face(None, PHOTO_LISTED)
        return self.recipe.face(file, cropped=identity.cropped)
