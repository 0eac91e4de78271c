"""What the app asks before it records, renames or deletes, and its list of keys."""

from collections.abc import Callable
from typing import Any

from tripletlab.webcam.guide import STEPS
from tripletlab.webcam.session import Session
from tripletlab.webcam.widgets import Dialog, PersonDialog

KEYS = """R  record a person
P  people, in place of the picture in a small window
Esc  cancel the recording; compare with everyone again
Left, Right  lower, raise the threshold
0  the strict threshold, the bundle's own
B  the balanced one: strangers accepted as often as own photos are rejected
T  technical figures: distances, frames, milliseconds
S  sounds when somebody is recorded or recognised
M  mirror the picture
F  full screen
Ctrl+Q  quit"""


class Dialogs:
    """Opens the dialogs of a session.

    `changed` is called after a change of the gallery, `compare_with` with a person's name for the
    comparison 1:1, and `face` gives a person's photo as a texture.
    """

    def __init__(
        self,
        session: Session,
        *,
        changed: Callable[[], None],
        compare_with: Callable[[str], None],
        face: Callable[[str], Any],
    ) -> None:
        self._session, self._changed = session, changed
        self._compare_with, self._face = compare_with, face

    def person(self, name: str) -> None:
        """Offer what can be done with a person."""
        does = {
            "claim": self._compare_with,
            "record": self.record_again,
            "rename": self.rename,
            "delete": self.delete,
        }
        PersonDialog(lambda what: does[what](name), name=name, texture=self._face(name)).open()

    def record(self) -> None:
        """Ask for a name, and record."""
        Dialog(
            self._session.record, title="Who is it?", detail=_steps(), yes="Record", named=True
        ).open()

    def record_again(self, name: str) -> None:
        """Ask whether to record somebody in place of the photos already there."""
        Dialog(
            lambda _: self._session.record(name, instead=True),
            title=f"Record {name} again?",
            detail=f"{_steps()} They replace the old ones.",
            yes="Record",
        ).open()

    def rename(self, name: str) -> None:
        """Ask for another name."""
        Dialog(
            lambda new: self._change(lambda: self._session.rename(name, new)),
            title=f"Rename {name}",
            yes="Rename",
            text=name,
            named=True,
        ).open()

    def delete(self, name: str) -> None:
        """Ask whether to delete a person."""
        Dialog(
            lambda _: self._change(lambda: self._session.delete(name)),
            title=f"Delete {name}?",
            detail="The photos are deleted too.",
            yes="Delete",
        ).open()

    def forget(self) -> None:
        """Ask whether to delete everyone."""
        Dialog(
            lambda _: self._change(self._session.forget_everyone),
            title="Forget everyone?",
            detail="All people and their photos are deleted for good, and overwritten in the"
            " gallery's file.",
            yes="Forget",
        ).open()

    def keys(self) -> None:
        """Show the keys."""
        Dialog(title="Keys", detail=KEYS, no="Close").open()

    def _change(self, do: Callable[[], None]) -> None:
        try:
            do()
        finally:  # everyone may be deleted although the gallery's file could not be shrunk
            self._changed()


def _steps() -> str:
    return f"{len(STEPS)} photos are taken while you follow the prompts."
