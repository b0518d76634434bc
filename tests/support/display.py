"""A display of its own (Xvfb, a window manager) and a person at it (xdotool): real keys into real windows."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from interoffice.testing.ground import wait_until

NEEDED = ("Xvfb", "openbox", "xdotool")


class Person:
    """Types into the window that has the focus."""

    def __init__(self, display: str) -> None:
        self.display = display

    def _xdotool(self, *words: str) -> str:
        environment = {**os.environ, "DISPLAY": self.display}
        done = subprocess.run(("xdotool", *words), env=environment, capture_output=True, text=True, timeout=60)
        return done.stdout.strip()

    def press(self, *keys: str) -> None:
        """Keys one after another: Tab, Return, ctrl+l."""
        self._xdotool("key", "--delay", "40", *keys)

    def type(self, text: str) -> None:
        """A text."""
        self._xdotool("type", "--delay", "25", text)

    @property
    def title(self) -> str:
        """The title of the window in front."""
        return self._xdotool("getactivewindow", "getwindowname")

    def await_title(self, start: str) -> None:
        """Until the window in front is called so."""
        wait_until(lambda: self.title.startswith(start), f'the window "{start}" is in front')

    def go(self, address: str, title: str) -> None:
        """Types an address into the browser's address line."""
        self.press("ctrl+l")
        self.type(address)
        self.press("Return")
        time.sleep(1.5)  # a page may be called what the one before it was
        self.await_title(title)


@contextmanager
def display() -> Iterator[Person]:
    """A display and its person; skipped where something that it needs is missing."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ("Xvfb", "-displayfd", str(write_end), "-screen", "0", "1280x1000x24", "-nolisten", "tcp"),
        pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write_end)
    with os.fdopen(read_end) as said:
        name = f":{said.readline().strip()}"
    manager = subprocess.Popen(
        ("openbox",), env={**os.environ, "DISPLAY": name}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield Person(name)
    finally:
        for process in (manager, server):
            process.terminate()
            process.wait(10)
