"""How fast the app is, in a line."""

from collections import deque

from tripletlab.webcam.watcher import Seen


class Counters:
    """Counts the pictures of the last second: shown, looked at, and passed over since the start."""

    def __init__(self) -> None:
        self._shown: deque[float] = deque()
        self._looked: deque[float] = deque()
        self._dropped = 0
        self._spent = ""

    def shown(self, now: float) -> None:
        """A picture was shown, at this second of any clock."""
        self._shown.append(now)

    def looked(self, seen: Seen, now: float) -> None:
        """A picture was looked at."""
        self._looked.append(now)
        self._dropped += seen.dropped
        spent = seen.spent
        self._spent = (
            f"detection {spent.detection:.0f} ms, embedding {spent.embedding:.1f} ms,"
            f" search {spent.search:.2f} ms"
        )

    def line(self, now: float) -> str:
        """All of it in words."""
        for times in (self._shown, self._looked):
            while times and times[0] < now - 1:
                times.popleft()
        return (
            f"{len(self._shown)} pictures/s, {len(self._looked)} looked at,"
            f" {self._dropped:,} passed over   {self._spent}"
        )
