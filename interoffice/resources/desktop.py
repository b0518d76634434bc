"""The lane's own desktop: a display opened on first use, one started application per session, closed with the lane."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interoffice.errors import ApplicationError, ProjectError
from interoffice.model.selectors import Environment
from interoffice.resources.display import Display, open_display, refuse_incomplete
from interoffice.resources.hand import Hand
from interoffice.resources.reading_screens import ScreenReader
from interoffice.resources.windows import Window, Windows, is_called

WINDOW_WITHIN_S = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """An application that was started: its window, and what watches and moves the display it is on."""

    window: Window
    windows: Windows
    hand: Hand
    reader: ScreenReader
    process: Any = None


@dataclass(kw_only=True)
class Desktop:
    """The display of one thread and what runs on it. Nothing is started before the first application is opened.

    An environment with a `command` gets a display of its own; one with a `window` alone means a window that stands on
    the display of whoever started this (DISPLAY).
    """

    folder: Path
    _display: Display | None = None
    _windows: Windows | None = None
    _hand: Hand | None = None
    _opened: list[Opened] = field(default_factory=list)

    def open_application(self, environment: Environment, address: Callable[[str], str], *, within_s: float) -> Opened:
        """Starts the application and waits for its window. ProjectError: no desktop; ApplicationError: no window."""
        windows, hand = self._running(environment)
        before = {window.id for window in windows.all()}
        process = None
        if environment.command and self._display is not None:
            process = self._display.start(_command(environment.command, address), **_utf8())
        elif environment.window is None and environment.process is None:
            raise ProjectError(f'the environment "{environment.name}" names neither window nor command')
        window = self._await_window(environment, windows, before, process, within_s)
        opened = Opened(window=window, windows=windows, hand=hand, reader=ScreenReader(), process=process)
        self._opened.append(opened)
        return opened

    def close_application(self, opened: Opened) -> None:
        """Ends an application that was started here; a window that stood there before stays."""
        if opened in self._opened:
            self._opened.remove(opened)
        if opened.process is not None:
            with contextlib.suppress(OSError):
                opened.process.kill()
            opened.process.wait(5)

    def close(self) -> None:
        """Ends the applications and the display."""
        for opened in self._opened.copy():
            self.close_application(opened)
        if self._windows is not None:
            self._windows.close()
        if self._display is not None:
            self._display.close()
        self._display = self._windows = self._hand = None

    def _running(self, environment: Environment) -> tuple[Windows, Hand]:
        wanted = (environment.display_size or (1280, 800), environment.display_dpi)
        if self._display is not None and (not self._display.is_alive or not self._fits(wanted)):
            self.close()
        if self._windows is None or self._hand is None:
            self._windows, self._hand = self._begin(environment)
        return self._windows, self._hand

    def _fits(self, wanted: tuple[tuple[int, int], int]) -> bool:
        return self._display is None or (self._display.size, self._display.dpi) == wanted

    def _begin(self, environment: Environment) -> tuple[Windows, Hand]:
        if not environment.command:
            refuse_incomplete()
            name = os.environ.get("DISPLAY")
            if not name:
                raise ProjectError(
                    f'the environment "{environment.name}" means a window that is open already, but there is no '
                    "display here (DISPLAY is not set): start this inside the desktop, or name a `command`"
                )
        else:
            self._display = open_display(
                self.folder, size=environment.display_size, dpi=environment.display_dpi
            )
            name = self._display.name
        windows = Windows(name)
        return windows, Hand(name)

    def _await_window(
        self, environment: Environment, windows: Windows, before: set[int], process: Any, within_s: float
    ) -> Window:
        """The application's window: one that came after the start, or, where nothing was started, one that is there."""
        until = time.monotonic() + within_s
        wanted = environment.window or environment.process
        others: list[str] = []
        while True:
            there = [window for window in windows.all() if process is None or window.id not in before]
            fitting = [each for each in there if is_called(each, environment.window, environment.process)]
            if not environment.window and not environment.process:
                fitting = there
            if len(fitting) == 1:
                return fitting[0]
            others = [window.title or "without a title" for window in there]
            ended = process is not None and process.poll() is not None
            if ended or time.monotonic() > until:
                break
            time.sleep(0.05)
        if len(fitting) > 1:
            message = f'{len(fitting)} windows are called "{wanted}"; close all but one, or name the title more closely'
            raise ApplicationError(message, code="window_ambiguous", transient=False)
        instead = f"; there is {', '.join(others)}" if others else ""
        how = f"its program ended with code {process.returncode}" if ended else f"within {within_s:g} s"
        message = f'no window "{wanted}" came up: {how}{instead}; nothing was typed'
        raise ApplicationError(message, code="no_window")


def _command(command: tuple[str, ...], address: Callable[[str], str]) -> list[str]:
    """The words of a command: `python3` is this interpreter, `practice:erp` the address of that server."""
    words = [address(word) if word.startswith("practice:") else word for word in command]
    return [sys.executable if words[0] in ("python", "python3") else words[0], *words[1:]]


def _utf8() -> dict[str, str]:
    """A locale in which programs take every letter of Unicode from the keyboard."""
    source = str(Path(__file__).parents[2])
    path = os.pathsep.join(part for part in (source, os.environ.get("PYTHONPATH", "")) if part)
    return {"LC_ALL": "C.UTF-8", "PYTHONPATH": path, "NO_AT_BRIDGE": os.environ.get("NO_AT_BRIDGE", "0")}
