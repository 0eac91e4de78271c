"""How threads pass values on: only the newest is kept, so that none waits for a slower one."""

import threading
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Mailbox(Generic[Value]):
    """A value that one thread replaces and any number read; a late reader misses the older ones."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._serial = 0
        self._value: Value | None = None

    def put(self, value: Value) -> None:
        """Replace the value and wake all waiting readers."""
        with self._changed:
            self._serial += 1
            self._value = value
            self._changed.notify_all()

    def after(self, serial: int, *, timeout: float = 0) -> tuple[int, Value] | None:
        """The newest value and its serial number, from 1; None when none is newer than `serial`.

        Waits for one up to `timeout` seconds. The gap between serials is what the reader missed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._serial > serial, timeout)
            if self._value is None or self._serial <= serial:
                return None
            return self._serial, self._value
