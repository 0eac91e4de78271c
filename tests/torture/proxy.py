"""A TCP proxy before a server on this machine, which can be slow or away."""

import contextlib
import socket
import threading
import time

PART = 1 << 16


class Proxy:
    """Passes connections on, and closes them while `away` is set.

    `delay` returns the seconds that a part of a request waits; None for none.
    """

    def __init__(self, port):
        self.port, self.away, self.delay = port, threading.Event(), None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                client, _ = self.listener.accept()
                if self.away.is_set():
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.port))
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source, target):
        """Until one of them closes, or the server is away."""
        source.settimeout(0.1)
        with contextlib.suppress(OSError), source, target:
            while not self.away.is_set():
                with contextlib.suppress(TimeoutError):
                    if not (part := source.recv(PART)):
                        return
                    if self.delay and target.getpeername()[1] == self.port:
                        time.sleep(self.delay())
                    target.sendall(part)
