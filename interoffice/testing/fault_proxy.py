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
        """Requests one after the other, as long as neither side ends; each may lose its reply."""
        with contextlib.suppress(OSError), client, socket.create_connection(self._target) as server:
            answers = threading.Event()
            hit: list[Loss] = []
            back = threading.Thread(target=self._pass_back, args=(server, client, hit, answers), daemon=True)
            back.start()
            while request := client.recv(PART):
                loss = self._taken(request)
                if loss is not None and loss.reply == "refuse":
                    _reset(client)
                    return
                if loss is not None:
                    hit.append(loss)
                server.sendall(request)
            server.shutdown(socket.SHUT_WR)
            back.join()

    def _taken(self, request: bytes) -> Loss | None:
        with self._lock:
            for loss in self._losses:
                if loss.takes(request):
                    loss.lost += 1
                    return loss
        return None

    def _pass_back(
        self, server: socket.socket, client: socket.socket, hit: list[Loss], answers: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while reply := server.recv(PART):
                answers.set()
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
                    client.shutdown(socket.SHUT_RDWR)
                return
            client.shutdown(socket.SHUT_WR)


def _reset(connection: socket.socket) -> None:
    """Ends a connection by a TCP reset (SO_LINGER of 0 s, RFC 9293 3.10.7)."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
