"""What set-up says while it works: a line for each thing it does, and one moving line for what goes by."""

from __future__ import annotations

import time
from typing import TextIO

PLAIN_EVERY_S = 5.0
WIDTH = 78


class Saying:
    """Lines for a person. On a terminal progress moves within one line; elsewhere it is a plain line now and then."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.terminal = stream.isatty()
        self.open_line = False
        self.last_plain = time.monotonic()

    def line(self, text: str) -> None:
        """One thing that is done now, or one sentence about why not."""
        self.live_ends()
        self.last_plain = time.monotonic()
        print(text, file=self.stream, flush=True)

    def live(self, text: str) -> None:
        """How far it is. Only the last one matters."""
        if self.terminal:
            self.open_line = True
            print("\r" + f"  {text}"[:WIDTH].ljust(WIDTH), end="", file=self.stream, flush=True)
        elif time.monotonic() - self.last_plain >= PLAIN_EVERY_S:
            self.line(f"  {text}")

    def live_ends(self) -> None:
        """Clear the moving line."""
        if self.open_line:
            print("\r" + " " * WIDTH + "\r", end="", file=self.stream, flush=True)
            self.open_line = False
