"""Videos of synthetic people before a camera, who move a little."""

from dataclasses import replace

import cv2
import numpy as np

from tripletlab.photos.conditions import draw_circumstance
from tripletlab.photos.person import draw_person
from tripletlab.photos.rendering import render

ANN, BEN = 5, 8  # seeds: by coarse pixels, Ann is 0.31 from herself at most, 0.81 from Ben at least
SIZE, RATE = 320, 8  # pixels a side, pictures a second


def picture(seed, number, **changes):
    """A sharp picture of the person, (SIZE, SIZE, 3) blue green red; each number another pose."""
    drawn = draw_circumstance(np.random.default_rng([seed, number]))
    calm = {"yaw": 0.5 * drawn.yaw, "pitch": 0.4 * drawn.pitch, "roll": 0.4 * drawn.roll}
    steady = {"light": (0.1, -0.3, 0.95), "ambient": 0.5, "exposure": 1.0, "gamma": 1.0}
    clear = {"blur": 0.0005, "noise": 0.004, "glasses": True, "mouth_open": 0.0, "blink": 0.0}
    drawn = replace(drawn, **{**calm, **steady, **clear, **changes})
    person = draw_person(np.random.default_rng(seed))
    return cv2.cvtColor(render(person, drawn, size=SIZE), cv2.COLOR_RGB2BGR)


def write_video(path, pictures):
    """Write a video that appears whole, in place of the one that is there."""
    unfinished = path.with_name(f"unfinished-{path.name}")
    size = pictures[0].shape[1::-1]
    video = cv2.VideoWriter(str(unfinished), cv2.VideoWriter.fourcc(*"MJPG"), RATE, size)
    for one in pictures:
        video.write(one)
    video.release()
    unfinished.replace(path)


def before_the_camera(seed, count=16):
    """A person in ever another pose, nearer in the second half."""
    return [
        picture(seed, number, scale=0.28 if number < count / 2 else 0.34) for number in range(count)
    ]
