"""Kivy, set up and started: `tripletlab webcam`."""

import logging
import os
import sys
from pathlib import Path

from tripletlab.errors import InputError
from tripletlab.recognition.bundle import Bundle
from tripletlab.webcam.session import Session

PIXELS = {"width": 1100, "height": 700, "minimum_width": 480, "minimum_height": 320}
# Without this list SDL falls back to drawing into memory where there is no screen.
SCREENS = "x11,wayland,KMSDRM"


def webcam(bundle: Path, *, gallery: Path, source: str, sound: bool) -> None:
    """Show who is in front of the camera until the window is closed.

    `source` is a camera's number, a video file or a folder of photos; `sound` begins with the tones
    switched on. InputError where the bundle or the gallery cannot be used, or there is no screen.
    """
    opened = Bundle.open(bundle)
    _open_window()
    session = Session(opened, gallery, source=source)
    from tripletlab.webcam.app import WebcamApp

    try:
        WebcamApp(session, sound=sound).run()
    finally:
        session.stop()  # Ctrl-C would end Python while its threads are in ONNX Runtime


def _open_window() -> None:
    """Set Kivy up and open its window; InputError where there is no screen.

    SDL_VIDEODRIVER=offscreen opens an invisible window.
    """
    for name in ("KIVY_NO_ARGS", "KIVY_NO_CONFIG", "KIVY_NO_FILELOG"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("KIVY_LOG_MODE", "PYTHON")  # leaves stderr and logging unchanged
    os.environ.setdefault("KIVY_WINDOW", "sdl2")  # another would end the process without a screen
    os.environ.setdefault("SDL_VIDEO_X11_WMCLASS", "tripletlab")
    if sys.platform == "linux":
        os.environ.setdefault("SDL_VIDEODRIVER", SCREENS)
    from kivy.config import Config

    logging.getLogger("kivy").disabled = True  # it logs every clipboard that it does not find
    for key in Config.options("input"):
        Config.remove_option("input", key)
    Config.set("kivy", "exit_on_escape", "0")
    Config.set("input", "mouse", "mouse,disable_multitouch")
    for key, pixels in PIXELS.items():
        Config.set("graphics", key, str(pixels))
    from kivy.core.window import Window

    if Window is None:
        raise InputError(
            "no window can be opened: there is no screen (over ssh, DISPLAY names none), or it has"
            " no OpenGL"
        )
