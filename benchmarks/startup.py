"""Seconds from the command to the window of the webcam app; needs Xvfb and xdotool.

python benchmarks/startup.py bundle
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def main() -> None:
    """Start the app several times over."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("bundle", type=Path)
    given.add_argument("--times", type=int, default=7)
    arguments = given.parse_args()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        display = f":{server.stdout.readline().strip()}"
        spent = sorted(once(arguments.bundle, display) for _ in range(arguments.times))
    finally:
        server.terminate()
    middle = spent[len(spent) // 2]
    print(f"to a window: median {middle[0]:.2f} s, from {spent[0][0]:.2f} to {spent[-1][0]:.2f} s")
    print(f"processor time until then: median {np.median([cpu for _, cpu in spent]):.2f} s")


def once(bundle: Path, display: str) -> tuple[float, float]:
    """Start the app, wait for its window, and close it; seconds by the clock and of processors."""
    env = {**os.environ, "DISPLAY": display}
    with tempfile.TemporaryDirectory() as gallery:
        command = [sys.executable, "-m", "tripletlab", "webcam", str(bundle)]
        begun = time.perf_counter()
        app = subprocess.Popen([*command, "--gallery", gallery, "--source", gallery], env=env)
        search = ["xdotool", "search", "--sync", "--onlyvisible", "--class", "tripletlab"]
        subprocess.run(search, env=env, check=True, stdout=subprocess.DEVNULL)
        spent = time.perf_counter() - begun
        ticks = Path(f"/proc/{app.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        app.kill()
        app.wait()
    return spent, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
