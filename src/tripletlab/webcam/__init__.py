"""The webcam app: who is in front of the camera. Its threads take the newest frame."""

import os

# A search is bound by memory, not by arithmetic, and the other cores are needed for detection.
# NumPy reads this when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# The window says what is wrong with a video; FFmpeg would print it for every frame.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
