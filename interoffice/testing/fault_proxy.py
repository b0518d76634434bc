"""A proxy on loopback that loses what it is told to lose: for servers that can't be told to fail by themselves.

    with FaultProxy("127.0.0.1", 8080) as proxy:
        proxy.lose(reply="reset", when=b"POST /orders", times=1)
        client_of(f"http://127.0.0.1:{proxy.port}")

`refuse`: the connection is reset before the request reaches the server. `reset`, `cut`, `stall`: the request reaches
the server whole, and its reply is lost by a TCP reset, cut off after `keep` bytes, or never comes.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

PART = 1 << 16
JOIN_S = 5.0
Lost = Literal["refuse", "reset", "cut", "stall"]


@dataclass(kw_only=True)
class Loss:
    """A reply to lose: of connections whose request holds `when`, `times` times (None: always)."""

    reply: Lost
    when: bytes
    times: int | None
    keep: int
    lost: int = 0

    def takes(self, request: bytes) -> bool:
        """Whether this connection is hit."""
        return self.when in request and (self.times is None or self.lost < self.times)


class FaultProxy:
    """Forwards TCP connections to a server, one thread a connection, until it is closed."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._losses: list[Loss] = []
        self._lock = threading.Lock()
        self._stalled: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, name="fault-proxy", daemon=True).start()

    def lose(self, *, reply: Lost, when: bytes = b"", times: int | None = 1, keep: int = 0) -> Loss:
        """From now on these replies are lost; the loss counts how often it has hit."""
        loss = Loss(reply=reply, when=when, times=times, keep=keep)
        with self._lock:
            self._losses.append(loss)
        return loss

    def close(self) -> None:
        """Nothing is forwarded any more; what was stalled ends."""
        _end(self._listening)
        self._listening.close()
        for connection in self._stalled:
            _reset(connection)

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), name="fault-proxy-one", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Requests one after the other, as long as neither side ends; one of them may lose its reply."""
        with contextlib.suppress(OSError), client, socket.create_connection(self._target) as server:
            hit: list[Loss] = []
            back = threading.Thread(target=self._pass_back, args=(server, client, hit), daemon=True)
            back.start()
            try:
                while request := client.recv(PART):
                    loss = self._taken(request)
                    if loss is not None and loss.reply == "refuse":
                        _reset(client)
                        return
                    if loss is not None:
                        hit.append(loss)
                    server.sendall(request)
            finally:
                _end(server)
                back.join(JOIN_S)

    def _taken(self, request: bytes) -> Loss | None:
        with self._lock:
            for loss in self._losses:
                if loss.takes(request):
                    loss.lost += 1
                    return loss
        return None

    def _pass_back(self, server: socket.socket, client: socket.socket, hit: list[Loss]) -> None:
        with contextlib.suppress(OSError):
            while reply := server.recv(PART):
                if not hit:
                    client.sendall(reply)
                    continue
                loss = hit[0]
                if loss.reply == "stall":
                    self._stalled.append(client)
                    return
                client.sendall(reply[: loss.keep] if loss.reply == "cut" else b"")
                if loss.reply == "reset":
                    _reset(client)
                else:
                    _end(client)
                return
            client.shutdown(socket.SHUT_WR)


def _end(connection: socket.socket) -> None:
    """An orderly end, seen at once by a thread that waits on it too."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _reset(connection: socket.socket) -> None:
    """Ends a connection by a TCP reset (SO_LINGER of 0 s, RFC 9293 3.10.7)."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
        connection.close()
