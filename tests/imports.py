"""Commands in a process of their own: what they import, and what they write to the screen."""

import json
import os
import subprocess
import sys

RUN = """
import json, sys
from tripletlab.cli import main
for words in json.loads(sys.argv[1]):
    assert main(words) == 0, words
print("LOADED", *sys.modules)
"""
LEARNING = {"tensorflow", "keras", "jax", "torch"}
NOTES = ("WARNING: All log messages", "oneDNN", "cuInit", "cuda", "absl", "I0000", "E0000")


def imported_by(*commands, folder):
    """Of what learns and computes, the packages that these commands import; none may fail."""
    done = run(*commands, folder=folder)
    return LEARNING & set(done.stdout.rpartition("LOADED ")[2].split())


def run(*commands, folder):
    """The finished process; its screen is free of TensorFlow's notes."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(commands)],
        cwd=folder,
        env={**os.environ, "BROWSER": "true"},  # the command `true` opens no window
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert not [note for note in NOTES if note in done.stderr + done.stdout.partition("LOADED")[0]]
    return done
