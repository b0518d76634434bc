"""The browser that somebody works in while it is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import resources
from queue import Queue
from threading import Thread
from typing import Any, TextIO

from playwright.sync_api import BrowserContext, Error, Frame, Page, sync_playwright

from interoffice.errors import ApplicationError
from interoffice.recording.events import Event, event_of
from interoffice.resources.browser_found import find_browser, launch_options
from interoffice.screens.page import PARTS

BINDING = "__interoffice_record"
LOOK_EVERY_MS = 100
LAST_LOOK_MS = 600


@lru_cache(maxsize=1)
def recording_script() -> str:
    """What runs inside every page that is recorded: the parts that find elements, and record.js."""
    folder = resources.files("interoffice.screens").joinpath("page")
    parts = "\n".join(folder.joinpath(part).read_text(encoding="utf-8") for part in (*PARTS, "record.js"))
    return f"(() => {{ if (window.__interoffice) return;\n{parts}\n}})();"


class Listener:
    """Hears what is done in a browser's context; `events` grows while its pages are let in (`wait`)."""

    def __init__(self, context: BrowserContext) -> None:
        self.events: list[Event] = []
        context.expose_binding(BINDING, self._hear)
        context.add_init_script(recording_script())

    def _hear(self, source: dict[str, Any], said: dict[str, Any]) -> None:
        frame, page = source["frame"], source["page"]
        if frame != page.main_frame:  # what is done in a frame belongs to the page round it
            around = next((event for event in reversed(self.events) if not event.frame), None)
            said = {**said, "url": page.url, "document": around.document if around else said["document"]}
            said |= {"title": around.title, "heading": around.heading} if around else {}
        self.events.append(event_of(said, frame=_frame_name(frame, page)))


def _frame_name(frame: Frame, page: Page) -> str:
    return "" if frame == page.main_frame else frame.name or frame.url.partition("?")[0].rpartition("/")[2]


@contextmanager
def headed_browser() -> Iterator[BrowserContext]:
    """A browser with a window. ApplicationError where there is no display to show it on."""
    with sync_playwright() as playwright:
        options = launch_options(find_browser(install=False, say=lambda text: None)) | {"headless": False}
        try:
            browser = playwright.chromium.launch(**options)
        except Error as error:
            has_none = "display" in str(error).lower() or "headed" in str(error).lower()
            why = "there is no display to show a window on" if has_none else str(error).splitlines()[0]
            raise ApplicationError(f"the browser's window does not open: {why}", transient=False) from error
        try:
            yield browser.new_context(no_viewport=True, service_workers="block")
        finally:
            with suppress(Error):
                browser.close()


def open_page(context: BrowserContext, address: str) -> Page:
    """A page at an address; ApplicationError when it does not answer."""
    page = context.new_page()
    try:
        page.goto(address, wait_until="domcontentloaded")
    except Error as error:
        raise ApplicationError(f"{address} does not answer: {str(error).splitlines()[0]}", code="no_answer") from error
    return page


def listen(context: BrowserContext, *, is_done: Callable[[], bool]) -> None:
    """Until the window is closed or `is_done`."""
    with suppress(Error):
        while context.pages and not is_done():
            context.pages[0].wait_for_timeout(LOOK_EVERY_MS)


def let_in(context: BrowserContext) -> None:
    """Hears what the pages have still to tell: what came up last is looked at a moment after it did."""
    with suppress(Error):
        if context.pages:
            context.pages[0].wait_for_timeout(LAST_LOOK_MS)


class Lines:
    """Lines of standard input, read beside the browser: what was typed while it was open is there afterwards."""

    def __init__(self, source: TextIO) -> None:
        self._lines: Queue[str] = Queue()
        self._source = source
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._source:
            self._lines.put(line)
        self._lines.put("")

    @property
    def is_there(self) -> bool:
        """Whether a line waits; the end of the input counts as one."""
        return not self._lines.empty()

    def take(self) -> str:
        """The next line without its end; '' from the end of the input on."""
        line = self._lines.get()
        if line == "":
            self._lines.put("")
        return line.rstrip("\r\n")
