"""How fast the app is, in one line."""

from collections import deque

from tripletlab.webcam.recognition import RecognisedFrame


class Counters:
    """Counts frames: shown and recognised in the last second, dropped since the start."""

    def __init__(self) -> None:
        self._shown: deque[float] = deque()
        self._recognised: deque[float] = deque()
        self._dropped = 0
        self._timings = ""

    def shown(self, now: float) -> None:
        """A frame was shown at time `now`, in seconds of any clock."""
        self._shown.append(now)

    def recognised(self, result: RecognisedFrame, now: float) -> None:
        """A frame was recognised."""
        self._recognised.append(now)
        self._dropped += result.dropped
        timings = result.timings
        self._timings = (
            f"detection {timings.detection:.0f} ms, embedding {timings.embedding:.1f} ms,"
            f" search {timings.search:.2f} ms"
        )

    def line(self, now: float) -> str:
        """The text shown below the picture."""
        for times in (self._shown, self._recognised):
            while times and times[0] < now - 1:
                times.popleft()
        return (
            f"{len(self._shown)} frames/s, {len(self._recognised)} recognised/s,"
            f" {self._dropped:,} dropped   {self._timings}"
        )
