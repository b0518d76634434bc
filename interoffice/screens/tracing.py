"""A trace of what failed once: the next try of it is recorded by the driver, and kept where it fails again, cleaned.

A trace holds the page at each call, the requests and what was typed: for `playwright show-trace`. It begins after the
sign-in, on the try after a failure, so that what goes well pays nothing. Before it is kept, what nobody may see is
replaced in every form it may stand in (as it is, in JSON, in HTML, in an address, in base64); a trace that can't be
cleaned is dropped.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

from playwright.sync_api import Error, Page

SHORTEST: Final = 4
"""A hidden value of fewer characters can't be replaced without breaking what stands around it: the trace is dropped."""
LARGEST: Final = 40_000_000
COVERED: Final = "(hidden)"
_HEADER: Final = re.compile(
    r'(\{"name":"(?:cookie|set-cookie|authorization|proxy-authorization)","value":")(?:[^"\\]|\\.)*', re.IGNORECASE
)


def begin_trace(page: Page) -> bool:
    """From now on the page's context is traced; False where the driver can't."""
    try:
        page.context.tracing.start(snapshots=True, screenshots=False, sources=False)
    except Error:
        return False
    return True


def end_trace(page: Page, target: Path | None = None, *, hidden: Iterable[str] = ()) -> bool:
    """Ends the trace; with `target` it is kept, cleaned of `hidden` and of cookies. False where nothing is kept."""
    if target is None:
        with suppress(Error):
            page.context.tracing.stop()
        return False
    raw = target.with_name(f".{target.name}.raw")
    try:
        cookies = [str(cookie["value"]) for cookie in page.context.cookies()]
        page.context.tracing.stop(path=raw)
        return _clean(raw, target, [*hidden, *(value for value in cookies if len(value) >= SHORTEST)])
    except (Error, OSError, zipfile.BadZipFile):
        target.unlink(missing_ok=True)
        return False
    finally:
        raw.unlink(missing_ok=True)


def _clean(raw: Path, target: Path, hidden: Iterable[str]) -> bool:
    values = sorted({value for value in hidden if value}, key=len, reverse=True)
    if raw.stat().st_size > LARGEST or any(len(value) < SHORTEST for value in values):
        return False
    forms = [form for value in values for form in forms_of(value)]
    with zipfile.ZipFile(raw) as before, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            text = _text(before.read(name))
            if text is None:
                continue  # a picture or a font: nothing that can be searched is kept
            text = _HEADER.sub(rf"\g<1>{COVERED}", text)
            for form in forms:
                text = text.replace(form, COVERED)
            after.writestr(name, text)
    os.chmod(target, 0o600)
    return True


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def forms_of(value: str) -> list[str]:
    """How a value may stand in a trace, the longest first: a text in a JSON in a JSON, too."""
    plain = [value, html.escape(value), quote(value), quote(value, safe=""), quote_plus(value)]
    plain += [base64.b64encode(value.encode()).decode(), base64.urlsafe_b64encode(value.encode()).decode()]
    found: dict[str, None] = {}
    for form in plain:
        for ascii_only in (False, True):
            inner = form
            for _ in range(4):
                found.setdefault(inner)
                inner = json.dumps(inner, ensure_ascii=ascii_only)[1:-1]
    return sorted(found, key=len, reverse=True)
