"""A slow line to a server: what the client sends is passed on after a delay; a request on loopback is one piece."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

AT_ONCE = 65536


@contextmanager
def delayed(port: int, seconds: float) -> Iterator[int]:
    """The port of a proxy to `port` on loopback; every request waits so many seconds."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.2)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                client, _ = listening.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=_pass_on, args=(client, server, seconds), daemon=True).start()
            threading.Thread(target=_pass_on, args=(server, client, 0.0), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        listening.close()


def _pass_on(source: socket.socket, target: socket.socket, seconds: float) -> None:
    with suppress(OSError):
        while piece := source.recv(AT_ONCE):
            time.sleep(seconds)
            target.sendall(piece)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
