"""Mouse and keyboard of one display: PyAutoGUI for hotkeys and clicks, xdotool for text (every letter of Unicode).

PyAutoGUI binds itself to the first display that it sees, so one process works on one display. Its fail-safe stays on.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from interoffice.errors import ApplicationError

TYPE_DELAY_MS = 12
"""Between two letters; xdotool has to teach the keyboard each letter that its layout lacks."""


class Stopped(ApplicationError):
    """A person moved the mouse into a corner of the screen: nothing more is typed."""

    default_code = "stopped_by_person"

    def __init__(self) -> None:
        message = "a person stopped the bot by moving the mouse into a corner; a person decides how it goes on"
        super().__init__(message, transient=False)


class Hand:
    """`may_act` is asked before every single stroke or click: it raises when the window is not the one meant."""

    def __init__(self, display: str) -> None:
        self.display = display
        self._gui = _pyautogui(display)

    def press(self, keys: Sequence[str], *, may_act: Callable[[], None]) -> None:
        """Presses keys one after another, each as `ctrl+s`."""
        for key in keys:
            may_act()
            self._acting(partial(self._gui.hotkey, *_words(key), interval=0))

    def click(self, x: int, y: int, *, may_act: Callable[[], None], twice: bool = False) -> None:
        """Clicks at a place of the display, pixels."""
        may_act()
        self._acting(lambda: self._gui.click(x, y, clicks=2 if twice else 1))

    def type(self, text: str, *, may_act: Callable[[], None]) -> None:
        """Types a text where the focus is. It goes by standard input, so no list of processes shows it."""
        may_act()
        self._acting(self._gui.failSafeCheck)
        done = subprocess.run(
            ["xdotool", "type", "--clearmodifiers", "--delay", str(TYPE_DELAY_MS), "--file", "-"],
            input=text.encode(), env={**os.environ, "DISPLAY": self.display}, capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ApplicationError(f"xdotool could not type on display {self.display}", code="not_typed")

    def _acting(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except self._gui.FailSafeException:
            raise Stopped from None


def _pyautogui(display: str) -> Any:
    os.environ["DISPLAY"] = display
    os.environ.setdefault("XAUTHORITY", os.devnull)
    try:
        import pyautogui
        from pyautogui import _pyautogui_x11 as its_display
    except ImportError as error:
        message = "desktop screens need PyAutoGUI: install the extra with `pip install interoffice[desktop]`"
        raise ApplicationError(message, code="not_installed", transient=False) from error
    from Xlib.display import Display as XDisplay

    if its_display._display.get_display_name() != display:
        its_display._display = XDisplay(display)
    pyautogui.PAUSE = 0
    pyautogui.MINIMUM_SLEEP = pyautogui.DARWIN_CATCH_UP_TIME = 0
    pyautogui.FAILSAFE = True
    return pyautogui


_NAMES = {"escape": "esc", "cmd": "win"}


def _words(key: str) -> list[str]:
    words = [part.strip().lower() for part in key.split("+")] if key != "+" else ["+"]
    return [_NAMES.get(word, word) for word in words]
