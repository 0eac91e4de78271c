"""The app as a user starts it, and a thread that reports on stdout what its window shows.

Run as a process with the arguments of `tripletlab`; every line on stdin is a text, and the reply
is one line of JSON: all visible texts, and the places of the widgets that have this one.
"""

import functools
import json
import sys
import threading
import time

from tripletlab.cli import main


def serve():
    while "tripletlab.webcam.app" not in sys.modules:
        time.sleep(0.01)
    from kivy.app import App
    from kivy.clock import Clock
    from kivy.core.window import Window

    while not (App.get_running_app() and App.get_running_app().root):
        time.sleep(0.01)

    def visible(widget, dimmed=1.0):
        """Widgets that can be seen; those behind a dialog cannot."""
        if widget.opacity * dimmed < 0.5 or widget.width < 1 or widget.height < 1:
            return
        yield widget
        for child in widget.children:
            yield from visible(child)

    def report(wanted, _dt):
        top = Window.children[0]
        texts, places = [], []
        for widget in visible(top):
            text = getattr(widget, "text", "") or getattr(widget, "hint_text", "")
            if text:
                texts.append(text)
            if text == wanted or type(widget).__name__ == wanted:
                x, y = widget.to_window(*widget.center)
                places.append([Window.left + x, Window.top + Window.height - y, widget.width])
        print(json.dumps({"texts": texts, "places": places}), flush=True)

    for line in sys.stdin:
        Clock.schedule_once(functools.partial(report, line.rstrip("\n")))


threading.Thread(target=serve, daemon=True).start()
sys.exit(main(sys.argv[1:]))
