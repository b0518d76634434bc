"""A commit's request leaves this machine once.

Chromium sends a request again by itself, POST or not, when a connection that it had kept open (or opened in advance)
dies before any answer came (net/http/http_network_transaction.cc, ShouldResendRequest). A server that posted and then
lost the connection would post twice. While a commit is under way its requests are therefore sent by the driver, which
never repeats them, and their answers are handed to the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Error, Request, Route

from interoffice.screens.session import Session

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
EVERYTHING: Final = "**/*"
_NOTHING_SENT: Final = (
    "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "certificate", "CERT_", "ERR_TLS",
    "ERR_SSL", "SSL routines", "wrong version number", "Protocol error",
)  # fmt: skip
"""What the driver says where it could not even begin: the browser, which has its own proxy and certificates, may."""


@contextmanager
def sent_once(session: Session, *, within_s: float) -> Iterator[None]:
    """While it holds, no request that changes something is sent twice by the browser."""
    if session.environment.kind != "web":
        yield
        return
    page = session.web.page

    def handle(route: Route) -> None:
        if route.request.method in SAFE or session.web.holds_big_file:
            _quietly(route.continue_)
        else:
            _send(session, route, within_s)

    page.route(EVERYTHING, handle)
    try:
        yield
    finally:
        _quietly(page.unroute_all, behavior="ignoreErrors")


def _send(session: Session, route: Route, within_s: float) -> None:
    try:
        answer = route.fetch(max_retries=0, max_redirects=0, timeout=within_s * 1000)
    except Error as error:
        if any(word in str(error) for word in _NOTHING_SENT):
            _let_go(session, route, str(error).splitlines()[0])
        else:
            _quietly(route.abort, "connectionfailed")
        return
    if answer.status == 401 and "negotiate" in answer.headers.get("www-authenticate", "").lower():
        _let_go(session, route, "the server wants the browser's own sign-on")
        return
    _remember_status(session, route.request, answer.status)
    _quietly(route.fulfill, response=answer)


def _let_go(session: Session, route: Route, why: str) -> None:
    session.say("commit_sent_by_browser", screen=session.here, reason=why)
    _quietly(route.continue_)


def _remember_status(session: Session, request: Request, status: int) -> None:
    if request.is_navigation_request() and request.frame == session.web.page.main_frame:
        session.web.status = status


def _quietly(act: Any, *given: Any, **named: Any) -> None:
    """Routes of a page that is gone can't be answered any more, which is no matter."""
    try:
        act(*given, **named)
    except Error:
        return
