"""How a photo becomes a face: target of conf/faces/."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tripletlab.errors import InputError
from tripletlab.faces.alignment import Aligner, none
from tripletlab.faces.cleaning import Cleaning, Hash
from tripletlab.faces.cropping import (
    Grey,
    Photo,
    centre,
    crop,
    grown,
    in_grey,
    read_bytes,
    read_photo,
)
from tripletlab.faces.detection import Box, Detector, found_in_cropped, whole

NO_FACE = "no face found"
FOLDER = "a folder, not a photo"
HEIC = "HEIC photo: convert it to JPEG"
HEIC_HEADER = re.compile(rb".{4}ftyp.{,40}(hei[cmsx]|hev[cx])", re.DOTALL)  # ISO/IEC 23008-12
PRIVATE = "no permission to read it"
UNREADABLE = "not a photo, damaged, or too large"
UNALIGNED = "landmarks not found"
TOO_FEW = "person with too few faces"
PASSED_OVER = "beyond faces.max_photos"
LEAST_PHOTOS = 2  # of a person, for a pair
VERIFICATION_SETTINGS = ("size", "detector", "aligner", "border", "fallback")  # of a recipe


class Face(NamedTuple):
    """A face (size, size), or why there is none; the hash of its photo, where one was asked for."""

    image: NDArray[np.uint8] | None
    problem: str | None
    hash: Hash | None = None


@dataclass(frozen=True)
class FaceRecipe:
    """Detector, aligner, size, and the rules by which identities are kept and split."""

    size: Annotated[int, Field(ge=32, le=256)]
    detector: Detector
    aligner: Aligner
    cleaning: Cleaning
    border: Annotated[float, Field(ge=0, le=1)]  # around a box, of its side; without an aligner
    fallback: Annotated[float, Field(gt=0, le=1)]  # side of the middle square, of the shorter side
    min_photos: Annotated[int, Field(ge=LEAST_PHOTOS)]  # usable faces of an identity in one tree
    max_photos: Annotated[int, Field(ge=2)] | None  # kept of them, the first by name; None: all
    validation_fraction: Annotated[float, Field(gt=0, lt=1)]
    validation_pairs: Annotated[int, Field(ge=10)]  # matched ones; as many mismatched
    seed: Annotated[int, Field(ge=0)]
    calibration_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.0  # bundles of before have none

    def __post_init__(self) -> None:
        if self.max_photos is not None and self.max_photos < self.min_photos:
            raise InputError(
                f"faces.max_photos={self.max_photos} keeps fewer than the {self.min_photos} faces"
                " that faces.min_photos asks of everyone: raise the one, or lower the other"
            )

    def check_border(self) -> None:
        """InputError where a border would only mislead the aligner, which has places of its own.

        Bundles of before may have both, and give the faces that their networks were trained on.
        """
        if self.border > 0 and not self._takes_boxes:
            raise InputError(
                f"faces.border={self.border:g} widens a box that is cut out as it is, and not what"
                " faces.aligner cuts out: give faces.border=0 or faces/aligner=none"
            )

    @property
    def _takes_boxes(self) -> bool:
        """Whether boxes are cut out as they are found."""
        return getattr(self.aligner, "func", self.aligner) is none

    @property
    def colour(self) -> bool:
        """Whether photos are read in colour, for the detector; faces are grey all the same."""
        return bool(getattr(self.detector, "colour", False))

    def face(self, path: Path, *, cropped: bool) -> Face:
        """The face to train on in a photo file.

        A photo that is `cropped` already is taken whole by a recipe without alignment, and
        otherwise aligned as all others are.
        """
        photo = read_photo(path, colour=self.colour)
        if photo is None:
            return Face(None, unreadable(path))
        untouched = cropped and self._takes_boxes
        if untouched:
            boxes = whole(photo)
        elif cropped:
            boxes = found_in_cropped(photo, self.detector)
        else:
            boxes = self.detector(photo)
        if not boxes:
            return Face(None, NO_FACE)
        image = self._whole(photo) if untouched else self._aligned(photo, boxes[0])
        if image is None:
            return Face(None, UNALIGNED)
        measured = whole(photo)[0] if cropped else boxes[0]
        problem = self.cleaning.problem(in_grey(photo), measured, image, found=not cropped)
        if problem:
            return Face(None, problem)
        return Face(image, None, self.cleaning.hash(in_grey(photo)))

    def verification_face(self, path: Path, *, cropped: bool) -> Face:
        """The face in a photo file of the verification set: nothing is cleaned away.

        Where no face is found it is the middle of the photo, where one cannot be aligned what its
        box holds; the problem is noted beside it.
        """
        photo = read_photo(path, colour=self.colour)
        if photo is None:
            return Face(None, unreadable(path))
        if cropped:
            return Face(self._whole(photo), None)
        boxes = self.detector(photo)
        if not boxes:
            middle = centre(photo, fraction=self.fallback)
            return Face(in_grey(crop(photo, middle, size=self.size)), NO_FACE)
        image = self._aligned(photo, boxes[0])
        problem = UNALIGNED if image is None else None
        return Face(self._boxed(photo, boxes[0]) if image is None else image, problem)

    def extract(self, photo: Photo, box: Box) -> Grey:
        """One found face of a photo, as networks are given it (size, size).

        Where it cannot be aligned it is cut out by its box.
        """
        image = self._aligned(photo, box)
        return self._boxed(photo, box) if image is None else image

    def _aligned(self, photo: Photo, box: Box) -> Grey | None:
        return self.aligner(photo, grown(box, border=self.border), size=self.size)

    def _boxed(self, photo: Photo, box: Box) -> Grey:
        return in_grey(crop(photo, grown(box, border=self.border), size=self.size))

    def _whole(self, photo: Photo) -> Grey:
        return in_grey(crop(photo, whole(photo)[0], size=self.size))


def unreadable(path: Path) -> str:
    """Why a file is no photo that can be read; HEIC is known by its content as well."""
    if path.is_dir():
        return FOLDER
    if path.exists() and not os.access(path, os.R_OK):
        return PRIVATE
    heic = path.suffix.lower() in (".heic", ".heif") or HEIC_HEADER.match(read_bytes(path) or b"")
    return HEIC if heic else UNREADABLE
