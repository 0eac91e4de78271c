"""The webcam app: who is in front of the camera. Its threads pass on the newest, drop the rest."""

import os

# A search waits for memory, not for arithmetic, and the other cores have faces to find. NumPy reads
# this when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What is wrong with a video is said in the window; FFmpeg would print it for every picture.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
