"""A disk that is as small as a test needs it."""

import contextlib
import os
import shutil
import subprocess

import pytest


@contextlib.contextmanager
def small_disk(folder):
    """Mount a file system in memory on `folder`; yields a function that sets its size."""
    if os.getuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")

    def sized(size):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
        return folder

    try:
        yield sized
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
