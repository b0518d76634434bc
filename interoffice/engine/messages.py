"""Messages between an engine and its lanes: JSON texts, each behind its length, over a pair of sockets."""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from typing import Any, Final

_LENGTH: Final = struct.Struct(">I")
LARGEST_BYTES: Final = 256 * 1024 * 1024

Message = dict[str, Any]


class LinkClosed(Exception):
    """The other side is gone."""


class Link:
    """One end. Only one thread at a time sends, and only one receives."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._held = bytearray()

    def send(self, message: Message) -> None:
        """Sends a message whole."""
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        if len(text) > LARGEST_BYTES:
            raise ValueError(f"a message of {len(text)} bytes is too long; give large data as a table or a file")
        try:
            self._end.sendall(_LENGTH.pack(len(text)) + text)
        except OSError as error:
            raise LinkClosed from error

    def receive(self, within_s: float | None = None) -> Message | None:
        """The next message, or None when the time is up. LinkClosed when the other side is gone."""
        until = None if within_s is None else time.monotonic() + within_s
        length = self._next_length()
        while length is None or len(self._held) < _LENGTH.size + length:
            if until is not None and not self._is_there(max(0.0, until - time.monotonic())):
                return None
            self._read_more()
            length = self._next_length()
        start, end = _LENGTH.size, _LENGTH.size + length
        message: Message = json.loads(self._held[start:end])
        del self._held[:end]
        return message

    def _is_there(self, within_s: float) -> bool:
        try:
            return bool(select.select([self._end], [], [], within_s)[0])
        except (OSError, ValueError) as error:
            raise LinkClosed from error

    def close(self) -> None:
        """Closes this end."""
        self._end.close()

    def _next_length(self) -> int | None:
        if len(self._held) < _LENGTH.size:
            return None
        return int(_LENGTH.unpack_from(self._held)[0])

    def _read_more(self) -> None:
        try:
            part = self._end.recv(1 << 16)
        except OSError as error:
            raise LinkClosed from error
        if not part:
            raise LinkClosed
        self._held += part
