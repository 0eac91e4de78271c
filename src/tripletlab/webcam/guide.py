"""Recording a person: asks for varied photos and rejects unusable ones."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tripletlab.faces.cleaning import sharpness
from tripletlab.recognition.recogniser import EmbeddedFace, verify
from tripletlab.recognition.search import is_unit

NO_FACE = "No face in sight"
PAUSE = 0.7  # seconds between two photos, to follow the prompt
PATIENCE = 6.0  # seconds after which a photo may resemble another
SMALLEST = 0.16  # a face's side, of the picture's height
CLOSER = 1.1  # ratio of a face's side to that in the first photo once its person came closer
DARK, BRIGHT = 45.0, 215.0  # mean grey of a face
# Every face found in LFW's photos is sharper; none is when blurred by 3 of 250 pixels.
SHARP = 0.45
# Two photos of one person in LFW differ by 20 or more, two frames of a still face by 3 to 8.
DIFFERENT = 9.0


class Step(NamedTuple):
    """What a person is asked for."""

    prompt: str
    closer: bool = False


STEPS = (
    Step("Look straight into the camera"),
    Step("Turn your head a little to the left"),
    Step("Now a little to the right"),
    Step("Come a little closer", closer=True),
    Step("Smile, or say something"),
)


class Guide:
    """The photos taken of one person, the prompt for the next, and a hint why none is taken.

    A face further than `furthest`, a squared distance, from that in the first photo is another's.
    """

    def __init__(self, *, furthest: float) -> None:
        self._furthest = furthest
        self.taken: list[EmbeddedFace] = []
        self.hint = ""
        self._since: float | None = None  # when the current step began

    @property
    def done(self) -> bool:
        """Whether every step has its photo."""
        return len(self.taken) == len(STEPS)

    @property
    def prompt(self) -> str:
        """The current prompt; empty when done."""
        return "" if self.done else STEPS[len(self.taken)].prompt

    def offer(
        self, faces: Sequence[EmbeddedFace], *, height: int, now: float
    ) -> EmbeddedFace | None:
        """Offer the faces of a frame; returns the one that is taken, or None and sets `hint`.

        `faces` are all those of the frame, `height` is the frame's in pixels, `now` in seconds of
        any clock.
        """
        if self.done:
            return None
        if self._since is None:
            self._since = now
        waited = now - self._since
        if waited < PAUSE:
            return None
        self.hint = (
            _unusable(faces, height)
            or self._of_another(faces[0])
            or self._not_as_asked(faces[0], waited)
        )
        if self.hint:
            return None
        self.taken.append(faces[0])
        self._since = now
        return faces[0]

    def _of_another(self, face: EmbeddedFace) -> str:
        if not self.taken or verify(self.taken[0], face, threshold=self._furthest).same:
            return ""
        return "This looks like somebody else"

    def _not_as_asked(self, face: EmbeddedFace, waited: float) -> str:
        if not self.taken or waited > PATIENCE:
            return ""
        if STEPS[len(self.taken)].closer and face.box.side < CLOSER * self.taken[0].box.side:
            return "A little closer still"
        if min(difference(face, other) for other in self.taken) < DIFFERENT:
            return "Move a little: this is too similar to an earlier photo"
        return ""


def _unusable(faces: Sequence[EmbeddedFace], height: int) -> str:
    """Why a frame of this height with these faces cannot be used as a photo of one person."""
    if not faces:
        return NO_FACE
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
        return "The network cannot embed this face: move a little"
    return ""


def difference(one: EmbeddedFace, other: EmbeddedFace) -> float:
    """The difference of two faces: mean |a - b| of grey levels, both with mean 0 and std 50."""
    first, second = (
        50 * (face - face.mean()) / max(face.std(), 1e-9)
        for face in (one.face.astype(np.float64), other.face.astype(np.float64))
    )
    return float(np.abs(first - second).mean())
