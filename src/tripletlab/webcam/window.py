"""Kivy, set up and started: `tripletlab webcam`."""

import logging
import os
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.recognition.bundle import Bundle
from tripletlab.webcam.session import Session

SMALLEST = (520, 560)


def webcam(bundle: Path, *, gallery: Path, source: str) -> None:
    """Show who is in front of the camera, until the window is closed.

    `source` is a camera's number, a video file or a folder of photos. InputError where the bundle
    or the gallery cannot be used, or there is no screen.
    """
    session = Session(Bundle.open(bundle), gallery, source=source)
    for name in ("KIVY_NO_ARGS", "KIVY_NO_CONFIG", "KIVY_NO_FILELOG"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("KIVY_LOG_MODE", "PYTHON")  # leaves stderr and logging as they are
    os.environ.setdefault("SDL_VIDEO_X11_WMCLASS", "tripletlab")
    from kivy.config import Config

    logging.getLogger("kivy").disabled = True  # it tells of every clipboard that it does not find
    for key in Config.options("input"):
        Config.remove_option("input", key)
    Config.set("kivy", "exit_on_escape", "0")
    Config.set("input", "mouse", "mouse,disable_multitouch")
    for key, value in zip(("minimum_width", "minimum_height"), SMALLEST, strict=True):
        Config.set("graphics", key, str(value))
    Config.set("graphics", "width", "1100")
    Config.set("graphics", "height", "700")
    from kivy.core.window import Window

    if Window is None:
        raise InputError(
            "no window can be opened: is there a screen? (DISPLAY, or an OpenGL driver)"
        )
    from tripletlab.webcam.app import WebcamApp

    WebcamApp(session).run()
