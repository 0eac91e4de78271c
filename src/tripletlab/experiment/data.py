"""`tripletlab prepare`: photos become faces.h5, and the test pairs pairs.h5."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from rich.table import Table

from tripletlab.config import EvaluateConfig, PrepareConfig
from tripletlab.errors import InputError, brief, printable
from tripletlab.faces.cropping import Grey, read_photo
from tripletlab.faces.detection import YuNet
from tripletlab.faces.heldout_pairs import heldout_pairs
from tripletlab.faces.pair_faces import prepare_pairs
from tripletlab.faces.preparation import prepare_faces
from tripletlab.faces.recipe import FaceRecipe
from tripletlab.faces.same_pictures import shared_pictures
from tripletlab.faces.store import (
    CALIBRATION,
    PEOPLE_UNKNOWN,
    TRAIN,
    VALIDATION,
    FaceStore,
    PairStore,
)
from tripletlab.faces.store_paths import Preparation
from tripletlab.photos.pair_photos import paired_photos, people_of
from tripletlab.photos.sources import Heldout, heldout
from tripletlab.photos.tree import Tree, readable
from tripletlab.plots.dataset import write_dataset_card
from tripletlab.system.paths import absolute
from tripletlab.system.progress import console, say
from tripletlab.tracking import TrackedRun


class Data(NamedTuple):
    """The faces that a network is trained on, and the pairs that it is tested on."""

    faces: FaceStore
    pairs: PairStore

    @property
    def title(self) -> str:
        """Both of their titles."""
        return f"{self.faces.title}, evaluated on {self.pairs.title}"


def log_data(data: Data, run: TrackedRun) -> None:
    """Record both stores as inputs of a run, under different names."""
    for role, store, what in (
        ("training", data.faces, "training faces"),
        ("verification", data.pairs, "test pairs"),
    ):
        title = f"{store.title}, {what}"
        run.dataset(store.path, title=title, fingerprint=store.fingerprint, role=role)


def check_sources(config: PrepareConfig) -> None:
    """InputError where the photos or the pairs are not there; nothing is drawn or downloaded."""
    config.verification.build()
    if not config.photos.arguments.get("download"):
        config.photos.build()


def prepare(config: PrepareConfig, *, fresh: bool) -> Data:
    """Open the config's stores; those that do not exist are made, or all of them if `fresh`."""
    with config.preparation.build()():
        return _prepare(config, fresh=fresh)


def _prepare(config: PrepareConfig, *, fresh: bool) -> Data:
    recipe, hygiene = _recipe(config), config.hygiene.build()
    verification, photos = config.verification.build(), config.photos.build()
    # What draws its own photos is bound, not built: it draws when all else is known to be right.
    verification = verification() if callable(verification) else verification
    held_out = isinstance(verification, Heldout)
    tested = None if held_out else paired_photos(verification)
    photos = photos() if callable(photos) else photos
    _check_outside(config, photos.trees)
    common = _common(config, fresh=fresh)
    made = prepare_faces(
        photos,
        recipe,
        hygiene=hygiene,
        verification_people={} if held_out else people_of(verification),
        heldout=verification if held_out else None,
        **common,
    )
    faces = FaceStore.open(made.path)
    _report(faces, made, photos.trees)
    if held_out:
        prepared = heldout_pairs(faces, verification, beside=made.path, fresh=fresh)
    else:
        prepared = prepare_pairs(verification, recipe, photos=tested, **common)
    pairs = PairStore.open(prepared.path)
    _report(pairs, prepared, photos.trees if held_out else (verification.tree,))
    data = Data(faces, pairs)
    if not (made.reused and prepared.reused):
        _warn_of_shared_pictures(data)
    say(_summary(data))
    return data


def _warn_of_shared_pictures(data: Data) -> None:
    """Warn of pictures that two people share, and of test pictures that are trained on."""
    faces, pairs = data
    found = shared_pictures(faces, pairs)
    if found.people:
        such = " and ".join(faces.sources[row] for row in found.people[0])
        splits = f"; {found.splits:,} of them in two splits, such as training and validation"
        say(
            f"warning: photos of different people that are the same picture: {len(found.people):,},"
            f" such as {such}{splits * bool(found.splits)}: give folders of one person the same"
            " name, and remove wrong photos"
        )
    if found.tested:
        row, tested = found.tested[0]
        say(
            "warning: photos of the verification set that are in the training photos under another"
            f" name: {len(found.tested):,}, such as {pairs.sources[tested]} and"
            f" {faces.sources[row]}: leave these people out by hygiene.exclude=[FILE]"
        )


def _check_outside(config: PrepareConfig, trees: Sequence[Tree]) -> None:
    """InputError where prepared data or runs would be kept among the people's folders.

    They would count as people there, and as changed photos for the next command.
    """
    kept = {"data": str(config.data)}
    if isinstance(config, EvaluateConfig):
        kept["tracking.folder"] = config.tracking["folder"]
    for key, value in kept.items():
        for folder in (folder for tree in trees for folder in tree.folders):
            if absolute(value).is_relative_to(folder):
                raise InputError(
                    f"{key}={value}: lies in {folder}, whose sub-folders are people: give"
                    f" {key}=FOLDER elsewhere, or give the command in another folder"
                )


def _recipe(config: PrepareConfig) -> FaceRecipe:
    """The config's recipe; InputError where OpenCV cannot read YuNet's file."""
    recipe: FaceRecipe = config.faces.build()
    if isinstance(recipe.detector, YuNet):
        try:
            recipe.detector(np.zeros((64, 64), np.uint8))
        except cv2.error as error:
            model = recipe.detector.model
            raise InputError(
                f"faces.detector.model={model}: OpenCV cannot read it as YuNet's network"
                " (`tripletlab fetch yunet` downloads it)"
            ) from error
    return recipe


def is_held_out(config: PrepareConfig) -> bool:
    """The pairs are drawn from people of the training photos, who are kept out of the training."""
    return config.verification.target is heldout


def prepare_test_pairs(config: PrepareConfig) -> PairStore:
    """The test pairs; the training photos are prepared only where the pairs are drawn from them."""
    recipe = _recipe(config)
    verification = config.verification.build()
    if isinstance(verification, Heldout):
        return prepare(config, fresh=False).pairs
    with config.preparation.build()():
        verification = verification() if callable(verification) else verification
        made = prepare_pairs(verification, recipe, **_common(config, fresh=False))
    pairs = PairStore.open(made.path)
    _report(pairs, made, (verification.tree,))
    return pairs


def _common(config: PrepareConfig, *, fresh: bool) -> dict[str, Any]:
    """The keyword arguments that both preparations share."""
    return {"settings": config.faces.settings, "folder": config.data, "fresh": fresh}


def _report(store: FaceStore | PairStore, made: Preparation, trees: Sequence[Tree]) -> None:
    """Print where the store is and which photos it could not use; write its card."""
    say(f"{'there already' if made.reused else 'written'}: {made.path}")
    rejected = store.notes["rejected"]
    if not (made.reused and made.path.with_suffix(".html").is_file()):
        examples = {why: _photos(which["such_as"], trees) for why, which in rejected.items()}
        write_dataset_card(store, rejected=examples, path=made.path)
    if made.reused or not rejected:
        return
    title = f"{store.title}: {store.notes['photos']:,} photos"
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("what was wrong", overflow="fold")
    table.add_column("photos", justify="right", overflow="fold")
    table.add_column("share", justify="right", overflow="fold")
    table.add_column("such as", overflow="fold")
    for why, which in rejected.items():
        share = which["photos"] / store.notes["photos"]
        table.add_row(why, f"{which['photos']:,}", f"{share:.1%}", printable(which["such_as"][0]))
    if isinstance(store, FaceStore):
        table.caption = "`tripletlab data rejected` lists them all"
    console().print(table)
    people = store.notes.get("people", {})  # of faces alone, and not of stores of before
    if lost := people.get("too_few_faces"):
        such = ", ".join(map(brief, people["such_as"][:3]))
        say(
            f"{lost:,} of {people['found']:,} people have too few usable faces"
            f" (faces.min_photos={store.settings['min_photos']}) and are left out, such as {such}"
        )


def _photos(sources: Sequence[str], trees: Sequence[Tree]) -> list[Grey]:
    """The named photos (tree/person/file), without those that cannot be read."""
    parents = {readable(folder.name): folder.parent for tree in trees for folder in tree.folders}
    files = [parents[one.partition("/")[0]] / one for one in sources]
    return [photo for photo in map(read_photo, files) if photo is not None]


def _summary(data: Data) -> str:
    faces, pairs = data

    def people(split: int) -> int:
        return len({n for n, s in zip(faces.names, faces.split, strict=True) if s == split})

    in_pairs = np.union1d(pairs.pairs.first, pairs.pairs.second)  # others are only on the map
    whose = f"{len(np.unique(np.asarray(pairs.names)[in_pairs])):,} people"
    if pairs.notes.get(PEOPLE_UNKNOWN):
        whose = f"{len(in_pairs):,} photos"
    return (
        f"{faces.title.removeprefix('photos: ')}: {len(faces.images):,} faces,"
        f" {people(TRAIN):,} people to train and {people(VALIDATION):,} to validate"
        f" ({len(faces.validation):,} pairs),"
        f" {people(CALIBRATION):,} to calibrate a threshold;"
        f" evaluated on {pairs.title}: {len(pairs.pairs):,} pairs of {whose}"
    )
