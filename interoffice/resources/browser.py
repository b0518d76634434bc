"""The lane's own browser: opened on first use, one window context per session, replaced when it went away."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import Error, Page, Playwright, sync_playwright

from interoffice.errors import ApplicationError
from interoffice.resources.browser_found import find_browser, launch_options

WINDOW = {"width": 1280, "height": 900}


@dataclass(kw_only=True)
class Browser:
    """A browser of one thread. Nothing is started before the first page is opened."""

    options: dict[str, Any] | None = None
    _playwright: Playwright | None = None
    _browser: PlaywrightBrowser | None = None
    _pages: list[Page] = field(default_factory=list)

    def open_page(self, *, file_folder: Path | None = None, storage_state: Any = None) -> Page:
        """A page in a context of its own: no cookie is shared with another. ProjectError where no browser starts."""
        browser = self._running()
        context = browser.new_context(
            viewport=WINDOW,  # type: ignore[arg-type]
            accept_downloads=True,
            storage_state=storage_state,
            service_workers="block",
            reduced_motion="reduce",
        )
        page = context.new_page()
        self._pages.append(page)
        return page

    def close_page(self, page: Page) -> None:
        """Closes a page with its context; one that is gone already is no matter."""
        if page in self._pages:
            self._pages.remove(page)
        with contextlib.suppress(Error):
            page.context.close()

    def close(self) -> None:
        """Closes pages, browser and driver, in reverse of how they were opened."""
        for page in reversed(self._pages.copy()):
            self.close_page(page)
        if self._browser is not None:
            with contextlib.suppress(Error):
                self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()
        self._browser = self._playwright = None

    def _running(self) -> PlaywrightBrowser:
        if self._browser is not None and self._browser.is_connected():
            return self._browser
        self._pages.clear()
        if self._playwright is None:
            self._playwright = sync_playwright().start()
        if self.options is None:
            self.options = launch_options(find_browser(install=False, say=_silent))
        try:
            self._browser = self._playwright.chromium.launch(**self.options)
        except Error as error:
            raise ApplicationError(f"the browser does not start: {str(error).splitlines()[0]}") from error
        return self._browser


def _silent(text: str) -> None:
    """Opening a page is no place to tell what was tried; `runner.py doctor` tells it."""
