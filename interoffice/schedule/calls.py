"""A signed HTTP call starts a run: POST /call/SCHEDULE on the loopback, signed with a secret that both sides know.

    X-Interoffice-Time: 1795780800                      seconds since 1970, at most five minutes off
    X-Interoffice-Signature: sha256=HEX                 HMAC-SHA256 (RFC 2104) of "TIME.SCHEDULE." and the body

202: taken, the run will come. 401: unknown, unsigned, wrongly signed or too old, and nobody is told which. 409: this
call was taken before. 503: it can't be kept just now, call again. 405, 411, 413 and 501 as HTTP has them. The call is
in the ledger before it is answered. TLS and the outer world are a reverse proxy's: it listens on 127.0.0.1 only.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from interoffice.errors import InterofficeError, ProjectError
from interoffice.schedule.arrivals import record
from interoffice.store import Ledger
from interoffice.store.firings import Firing

PATH: Final = "/call/"
LARGEST_BYTES: Final = 64 * 1024
OFF_AT_MOST_S: Final = 300
SLOWEST_S: Final = 10.0
Secret = Callable[[str], str]
"""Schedule -> its secret; InterofficeError: it has none."""


def signature(secret: str, at: str, schedule: str, body: bytes) -> str:
    """What `X-Interoffice-Signature` must be."""
    said = f"{at}.{schedule}.".encode() + body
    return "sha256=" + hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()


class Calls:
    """Listens for calls until it is closed. ProjectError: the port is taken."""

    def __init__(
        self, port: int, *, ledger: Ledger, secret: Secret, now: Callable[[], datetime], rung: Callable[[], None]
    ) -> None:
        self._ledger, self._secret, self._now, self._rung = ledger, secret, now, rung
        calls = self

        class Handler(BaseHTTPRequestHandler):
            timeout = SLOWEST_S
            server_version, sys_version = "interoffice", ""

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not length.isdigit():
                    self._answer(411)
                elif int(length) > LARGEST_BYTES:
                    self._answer(413)
                else:
                    self._answer(calls.take(self.path, dict(self.headers.items()), self.rfile.read(int(length))))

            def do_GET(self) -> None:
                self._answer(405)

            def _answer(self, code: int) -> None:
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: what is taken is in the ledger."""

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            words = f"calls_at: port {port} can't be listened on ({error.strerror}); name another"
            raise ProjectError(words) from error
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="calls", daemon=True).start()

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Records the firing that a call means; the status code of the answer."""
        id, at = path.removeprefix(PATH), _header(headers, "X-Interoffice-Time")
        given = _header(headers, "X-Interoffice-Signature")
        now = self._now()
        try:
            secret = self._secret(id) if path.startswith(PATH) else ""
            text = body.decode("utf-8")
        except (InterofficeError, UnicodeDecodeError):
            return 401
        is_signed = bool(secret) and hmac.compare_digest(given.encode(), signature(secret, at, id, body).encode())
        if not is_signed or not (at.isascii() and at.isdigit()) or abs(now.timestamp() - int(at)) > OFF_AT_MOST_S:
            return 401
        occasion = f"call {given.removeprefix('sha256=')}"
        firing = Firing(schedule_id=id, occasion=occasion, planned_at=now, not_before=now, brought={"body": text})
        try:
            is_new = record(self._ledger, [firing], now) > 0
        except InterofficeError:
            return 503
        if not is_new:
            return 409
        self._rung()
        return 202

    def close(self) -> None:
        """Listens no more."""
        self._server.shutdown()
        self._server.server_close()


def _header(headers: Mapping[str, str], name: str) -> str:
    """A header, whose name has no case (RFC 9110, 5.1)."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")
