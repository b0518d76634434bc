"""What the practice web applications share: a threaded server, sessions, and the faults that a page can have."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import socket
import struct
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, render_template, request
from werkzeug.serving import WSGIRequestHandler, make_server

from interoffice.practice.faults import Asked, Fault, Faults

CUT = "practice.cut"
HELD_S = 3600.0
PAGE_KINDS = (
    "notice", "loading", "renamed_ids", "renamed_names", "renamed_test_ids", "moved_fields", "swapped_captions",
    "changed_caption", "wiped_field", "double_submit", "stolen_focus", "moved_window",
)


class _Handler(WSGIRequestHandler):
    """One request per connection, as werkzeug's server has it, and connections that die when a fault says so."""

    def log(self, type: str, message: str, *args: Any) -> None:
        if type == "error":
            super().log(type, message, *args)

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        self.close_connection = True
        if environ is not None and environ.get(CUT) == "reset":
            linger = struct.pack("hh", 1, 0) if os.name == "nt" else struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            socket.socket(fileno=self.connection.detach()).close()


class WebServer:
    """A web application on a port of 127.0.0.1 that the operating system chose, served by threads."""

    def __init__(self, app: Flask, name: str) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name=f"practice-{name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Takes no more requests; those under way are dropped."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Somebody signed in."""

    token: str
    user: str

    @property
    def label(self) -> str:
        """Names the session in the ledger without giving it away."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:12]


class Sessions:
    """Who is signed in, by the cookie's value."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Session] = {}

    def begin(self, user: str) -> Session:
        """A new session of this user."""
        session = Session(token=secrets.token_urlsafe(18), user=user)
        with self._lock:
            self._open[session.token] = session
        return session

    def find(self, token: str | None) -> Session | None:
        """The open session with this token."""
        with self._lock:
            return self._open.get(token or "")

    def end(self, token: str) -> None:
        """This session is over."""
        with self._lock:
            self._open.pop(token, None)

    def end_all(self) -> None:
        """Everybody is signed out."""
        with self._lock:
            self._open.clear()

    def open(self) -> list[Session]:
        """Who is signed in now: a seat each."""
        with self._lock:
            return list(self._open.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class PageFaults:
    """The faults that one page is rendered with, by kind."""

    by_kind: dict[str, Fault]

    def get(self, kind: str) -> Fault | None:
        """The fault of this kind on this page."""
        return self.by_kind.get(kind)

    def script(self) -> str:
        """What the page's own script must know, as JSON for a data attribute."""
        names = ("notice", "loading", "wiped_field", "double_submit", "stolen_focus", "moved_window")
        return json.dumps({
            name: {"milliseconds": int(fault.seconds * 1000), "fields": list(fault.fields)}
            for name in names
            if (fault := self.get(name)) is not None
        })


class FaultyWeb:
    """Puts the faults of the office between a Flask application and its clients.

    The application sets `g.session` before, calls `committed` right after a posting, and asks `page_faults` when it
    renders. `commits_in`: the screens whose POST enters a document.
    """

    def __init__(
        self, application: str, faults: Faults, stopping: threading.Event, commits_in: Collection[str] = ()
    ) -> None:
        self.application = application
        self.commits_in = commits_in
        self.faults = faults
        self.stopping = stopping

    def install(self, app: Flask, *, end_session: Callable[[], None]) -> None:
        """Watches every request of the application but its static files and the control endpoint."""
        self._end_session = end_session
        app.before_request(self._before)
        app.after_request(self._after)

    def asked(self) -> Asked:
        """The request under way, as faults see it."""
        session: Session | None = g.get("session")
        values = [*request.form.values(), *request.args.values(), *(request.view_args or {}).values()]
        return Asked(
            application=self.application,
            path=request.path,
            method=request.method,
            screen=(request.endpoint or "").partition(".")[0],
            user=session.user if session else request.form.get("user_name", request.form.get("email", "")),
            values=frozenset(str(value).strip() for value in values),
        )

    def take(self, kind: str) -> Fault | None:
        """The fault of this kind that hits the request under way."""
        return self.faults.take(kind, self.asked())

    def page_faults(self) -> PageFaults:
        """Those that the page must be rendered with; counted as used."""
        asked = self.asked()
        found = {kind: fault for kind in PAGE_KINDS if (fault := self.faults.take(kind, asked)) is not None}
        return PageFaults(by_kind=found)

    def committed(self) -> None:
        """To be called when something was posted: what is meant to happen at once, happens now."""
        g.committed = True
        fault = self.take("kill_client_after_commit")
        if fault is not None:
            os.kill(fault.pid, signal.SIGKILL)

    def _before(self) -> Response | None:
        if is_aside():
            return None
        if (fault := self.take("slow")) is not None:
            self.stopping.wait(fault.seconds)
        if (fault := self.take("no_answer")) is not None:
            return cut(Response(b""), fault, self.stopping)
        if self.take("maintenance") is not None:
            return Response(render_template(f"{self.application}/maintenance.html"), 503, {"Retry-After": "60"})
        if self.take("error") is not None:
            return self._broken()
        if g.get("session") is None or request.endpoint in ("sign_in", "sign_out"):
            return None
        is_entry = request.method == "POST" and request.endpoint in self.commits_in
        if is_entry and self.take("error_before_commit") is not None:
            return self._broken()
        if self.take("session_expired") is not None:
            self._end_session()
        return None

    def _after(self, response: Response) -> Response:
        if is_aside():
            return response
        if g.get("committed"):
            if self.take("error_after_commit") is not None:
                return self._broken()
            if (fault := self.take("lost_reply")) is not None:
                return cut(response, fault, self.stopping)
        if (fault := self.take("cut_reply")) is not None:
            return cut(response, fault, self.stopping)
        return response

    def _broken(self) -> Response:
        return Response(render_template(f"{self.application}/broken.html"), 500)


def cut(response: Response, fault: Fault, stopping: threading.Event) -> Response:
    """The response, but its connection dies as `fault.how` says: nothing, the headers or half the body arrives.

    Without headers (reset, close) Chromium sends the request once more by itself, POST or not, and shows nothing of it:
    it takes a connection that it had opened ahead for one that was kept and went stale (HttpNetworkTransaction's
    ShouldResendRequest; measured with 156: every form, unless net.network_prediction_options is 2 in its profile). So
    the default is after_headers, and the other two are for those who test a browser that must not repeat.
    """
    body = response.get_data()
    environ = request.environ
    how = fault.how or ("stall" if fault.kind == "no_answer" else "after_headers")

    def parts() -> Iterator[bytes]:
        if how == "after_headers":
            yield b""
        if how == "mid_body":
            yield body[: len(body) // 2]
        if how == "stall":
            stopping.wait(fault.seconds or HELD_S)
        environ[CUT] = "reset" if how == "reset" else "close"
        raise ConnectionResetError("cut by a practice fault")

    response.response = parts()
    response.headers["Content-Length"] = str(max(len(body), 2))
    return response


def local_path(wanted: str) -> str:
    """Where to go after signing in: the page that was wanted, if it is one of this application's."""
    return wanted if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) else "/"


def is_aside() -> bool:
    """Whether the request is for a static file or the control endpoint: no fault and no sign-in there."""
    return request.endpoint == "static" or request.blueprint == "practice"


def control(faults: Faults, token: str, unlock: Callable[[str], None] | None = None) -> Blueprint:
    """The control endpoint, `/_practice/...`, for other processes on this machine that know the token."""
    door = Blueprint("practice", __name__, url_prefix="/_practice")

    @door.before_request
    def only_with_token() -> Response | None:
        if secrets.compare_digest(request.headers.get("X-Practice-Token", ""), token):
            return None
        return _json({"error": "the X-Practice-Token of practice.json is needed"}, 403)

    @door.get("/faults")
    def show() -> Response:
        return _json([asdict(state) for state in faults.states()])

    @door.post("/faults")
    def switch_on() -> Response:
        try:
            return _json({"number": faults.switch_on(Fault.from_json(request.get_json()))}, 201)
        except (ValueError, TypeError) as problem:
            return _json({"error": str(problem)}, 400)

    @door.delete("/faults")
    def clear() -> Response:
        faults.clear()
        return _json({})

    @door.delete("/faults/<int:number>")
    def switch_off(number: int) -> Response:
        faults.switch_off(number)
        return _json({})

    @door.post("/unlock/<user>")
    def unlock_account(user: str) -> Response:
        if unlock is not None:
            unlock(user)
        return _json({})

    return door


def _json(value: object, status: int = 200) -> Response:
    return current_app.response_class(json.dumps(value), status, mimetype="application/json")
