"""Recording a person: asks for different photos, and takes none that is of no use."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tripletlab.faces.cleaning import sharpness
from tripletlab.recognition.recogniser import Found
from tripletlab.recognition.search import is_unit

PAUSE = 0.7  # seconds between two photos, to follow what is asked
PATIENCE = 6.0  # seconds after which a photo may be like another
SMALLEST = 0.16  # a face's side, of the picture's height
CLOSER = 1.1  # how much larger a face is when its person has come closer
DARK, BRIGHT = 45.0, 215.0  # mean grey of a face
# Every face found in LFW's photos is sharper; the same blurred by 3 of 250 pixels, none.
SHARP = 0.45
# Two photos of one person in LFW differ by 20 and more, two pictures of a still face by 3 to 8.
DIFFERENT = 9.0


class Step(NamedTuple):
    """What a person is asked for."""

    prompt: str
    closer: bool = False


STEPS = (
    Step("Look straight into the camera"),
    Step("Turn your head a little to the left"),
    Step("And a little to the right"),
    Step("Come a little closer", closer=True),
    Step("Smile, or say something"),
)


class Guide:
    """What has been taken of one person, what is asked for next, and why nothing is taken."""

    def __init__(self) -> None:
        self.taken: list[Found] = []
        self.hint = ""
        self._since: float | None = None  # the step began

    @property
    def done(self) -> bool:
        """Every step has its photo."""
        return len(self.taken) == len(STEPS)

    @property
    def prompt(self) -> str:
        """What the person is asked for now."""
        return "" if self.done else STEPS[len(self.taken)].prompt

    def look(self, faces: Sequence[Found], *, height: int, now: float) -> Found | None:
        """The face, when it is taken; else `hint` says what is wrong with it.

        `faces` are all in a picture of this height; `now` is in seconds of any clock.
        """
        if self.done:
            return None
        if self._since is None:
            self._since = now
        waited = now - self._since
        if waited < PAUSE:
            return None
        self.hint = _no_use(faces, height) or self._not_asked_for(faces[0], waited)
        if self.hint:
            return None
        self.taken.append(faces[0])
        self._since = now
        return faces[0]

    def _not_asked_for(self, face: Found, waited: float) -> str:
        if not self.taken or waited > PATIENCE:
            return ""
        if STEPS[len(self.taken)].closer and face.box.side < CLOSER * self.taken[0].box.side:
            return "A little closer still"
        if min(difference(face, other) for other in self.taken) < DIFFERENT:
            return "Move a little: that is the same picture again"
        return ""


def _no_use(faces: Sequence[Found], height: int) -> str:
    """Why a picture of this height, with these faces, is no good photo of one person."""
    if not faces:
        return "No face in sight"
    if len(faces) > 1:
        return f"{len(faces)} faces: only one person, please"
    face = faces[0]
    light = float(face.face.mean())
    if face.box.side < SMALLEST * height:
        return "Too far away: come closer"
    if light < DARK:
        return "Too dark: more light, please"
    if light > BRIGHT:
        return "Too bright: less light, please"
    if sharpness(face.face) < SHARP:
        return "Blurred: hold still"
    if not is_unit(face.embedding):
        return "The network makes nothing of this picture: move a little"
    return ""


def difference(one: Found, other: Found) -> float:
    """How differently two faces look: mean |a - b| of grey levels, both of mean 0 and spread 50."""
    first, second = (
        50 * (face - face.mean()) / max(face.std(), 1e-9)
        for face in (one.face.astype(np.float64), other.face.astype(np.float64))
    )
    return float(np.abs(first - second).mean())
