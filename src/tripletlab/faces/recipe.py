"""How a photo becomes a face: target of conf/faces/."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tripletlab.errors import InputError
from tripletlab.faces.cropping import Grey, centre, crop, grown, read_photo
from tripletlab.faces.detection import Box, Detector

NO_FACE = "no face found"
UNREADABLE = "not a photo, or damaged"
TOO_FEW = "person with too few faces"


class Face(NamedTuple):
    """A face (size, size), or why there is none."""

    image: NDArray[np.uint8] | None
    problem: str | None


@dataclass(frozen=True)
class FaceRecipe:
    """Detector, size, and the rules by which identities are kept and split."""

    size: Annotated[int, Field(ge=32, le=256)]
    detector: Detector
    border: Annotated[float, Field(ge=0, le=1)]  # added around a found face, of its side
    fallback: Annotated[float, Field(gt=0, le=1)]  # side of the middle square, of the shorter side
    min_photos: Annotated[int, Field(ge=2)]  # usable faces of an identity in one tree
    max_photos: Annotated[int, Field(ge=2)] | None  # kept of them, the first by name; None: all
    validation_fraction: Annotated[float, Field(gt=0, lt=1)]
    validation_pairs: Annotated[int, Field(ge=10)]  # matched ones; as many mismatched
    seed: Annotated[int, Field(ge=0)]

    def __post_init__(self) -> None:
        if self.max_photos is not None and self.max_photos < self.min_photos:
            raise InputError(
                f"faces.max_photos={self.max_photos} keeps fewer than the {self.min_photos} faces"
                " that faces.min_photos asks of everyone: raise the one, or lower the other"
            )

    def face(self, path: Path, *, cropped: bool) -> Face:
        """The face in a photo file; the whole photo where it is `cropped` already."""
        photo = read_photo(path)
        if photo is None:
            return Face(None, UNREADABLE)
        if cropped:
            return Face(crop(photo, centre(photo, fraction=1.0), size=self.size), None)
        boxes = self.detector(photo)
        return Face(self.extract(photo, boxes[0]), None) if boxes else Face(None, NO_FACE)

    def extract(self, photo: Grey, box: Box) -> Grey:
        """One found face of a photo (height, width), as networks see it (size, size)."""
        return crop(photo, grown(box, border=self.border), size=self.size)

    def face_or_middle(self, path: Path, *, cropped: bool) -> Face:
        """The same, but the middle of the photo, and the problem noted, where no face is found."""
        face = self.face(path, cropped=cropped)
        if face.problem != NO_FACE:
            return face
        photo: Any = read_photo(path)
        box = centre(photo, fraction=self.fallback)
        return Face(crop(photo, box, size=self.size), NO_FACE)
