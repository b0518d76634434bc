"""A desk for tests of screens: the real WebScreens with a real browser, a gate that notes, and small pages to serve."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from interoffice.errors import Rehearsed
from interoffice.loader.selectors import load_application
from interoffice.model.selectors import Application
from interoffice.model.values import Value
from interoffice.practice.office import PracticeOffice
from interoffice.resources.browser import Browser
from interoffice.resources.kept_sessions import KeptSessions
from interoffice.screens.web import WebScreens

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)


@dataclass
class NotingGate:
    """A gate that notes what was meant when it was passed; in a rehearsal it lets nothing through."""

    rehearse: bool = False
    passed: list[dict[str, Value]] = field(default_factory=list)
    evidence: list[dict[str, str]] = field(default_factory=list)
    then: Callable[[], None] | None = None

    def __call__(self, meant: Mapping[str, Value], *, evidence: Mapping[str, str] | None = None) -> str:
        if self.rehearse:
            raise Rehearsed(dict(meant))
        self.passed.append(dict(meant))
        self.evidence.append(dict(evidence or {}))
        if self.then is not None:
            self.then()
        return "key"


@dataclass
class ScreenDesk:
    """Screens under test, with all that they said."""

    screens: WebScreens
    gate: NotingGate
    folder: Path
    said: list[tuple[str, dict[str, Any]]]

    def events(self, name: str) -> list[dict[str, Any]]:
        """What was said under this name."""
        return [fields for event, fields in self.said if event == name]

    def fill(self, screen: str, submit: str, read: tuple[str, ...] = (), **fields: Value) -> dict[str, Value]:
        """fill_form with fields alone."""
        return self.screens.fill_form(
            screen, fields=fields, lines={}, attach={}, submit=submit, read=read, credential="clerk"
        )


@contextmanager
def screen_desk(
    folder: Path,
    browser: Browser,
    *,
    applications: Callable[[str], Application],
    address: Callable[[str], str],
    credentials: Mapping[str, Mapping[str, str]] | None = None,
    rehearse: bool = False,
    pictures: str = "failures",
    lists_may_lag: bool = False,
    kept: KeptSessions | None = None,
) -> Iterator[ScreenDesk]:
    """Opens screens on a browser that goes on afterwards."""
    gate, said = NotingGate(rehearse=rehearse), []  # type: ignore[var-annotated]
    screens = WebScreens(
        applications=applications,
        environment="practice",
        address=address,
        credentials=lambda name: (credentials or {})[name],
        commit=gate,
        readable=lambda file: Path(file.path),
        evidence=folder / "evidence",
        files=folder / "files",
        today=TODAY,
        say=lambda event, **fields: said.append((event, fields)),
        pictures=pictures,
        lists_may_lag=lists_may_lag,
        kept=kept,
        browser=browser,
    )
    try:
        yield ScreenDesk(screens=screens, gate=gate, folder=folder, said=said)
    finally:
        screens.leave()


def project_application(key: str) -> Application:
    """An application of the project's own selectors/."""
    file = ROOT / "selectors" / f"{key}.yaml"
    return load_application(file.read_text(encoding="utf-8"), f"selectors/{key}.yaml")


@contextmanager
def practice_desk(folder: Path, browser: Browser, office: PracticeOffice, **given: Any) -> Iterator[ScreenDesk]:
    """A desk in the practice office, with its accounts; `clerk` is the ERP's clerk."""
    known = {key: project_application(key) for key in ("erp", "crm")}
    credentials = {**office.accounts, "clerk": office.accounts["erp_clerk"]}
    given = {"credentials": credentials, **given}
    with screen_desk(
        folder,
        browser,
        applications=known.__getitem__,
        address=lambda said: office.addresses[said.removeprefix("practice:")],
        **given,
    ) as desk:
        yield desk


# small pages of the test's own


@dataclass
class Asked:
    """A request that a test page got."""

    method: str
    path: str
    values: dict[str, str]
    number: int


Answer = str | tuple[int, str] | tuple[int, str, dict[str, str]] | None
"""Text of a page, with status and headers where they matter; None: the connection is dropped without an answer."""


@dataclass
class Pages:
    """A running server of test pages, and what it was asked."""

    address: str
    asked: list[Asked]

    def posts(self, path: str = "") -> list[Asked]:
        """The POST requests, in order."""
        return [each for each in self.asked if each.method == "POST" and each.path.startswith(path)]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away in mid-answer is nothing to report."""


@contextmanager
def served(answer: Callable[[Asked], Answer], *, keep_alive: bool = False) -> Iterator[Pages]:
    """Serves what `answer` gives for each request, on loopback."""
    lock = threading.Lock()
    pages = Pages(address="", asked=[])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if keep_alive else "HTTP/1.0"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/favicon.ico":
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
            values = dict(parse_qsl(parts.query, keep_blank_values=True))
            values |= dict(parse_qsl(body, keep_blank_values=True))
            with lock:
                asked = Asked(self.command, parts.path, values, len(pages.asked) + 1)
                pages.asked.append(asked)
            said = answer(asked)
            if said is None:
                self.close_connection = True
                self.connection.shutdown(2)
                return
            status, text, *headers = (200, said) if isinstance(said, str) else said
            data = text.encode()
            self.send_response(status)
            for name, value in (headers[0] if headers else {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    pages.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


@contextmanager
def page_desk(folder: Path, browser: Browser, pages: Pages, selectors: str, **given: Any) -> Iterator[ScreenDesk]:
    """A desk on test pages; `selectors` is the file of the application `shop`."""
    application = load_application(selectors, "selectors/shop.yaml")
    with screen_desk(
        folder, browser, applications=lambda key: application, address=lambda said: pages.address, **given
    ) as desk:
        yield desk
