"""What a run tells while it goes on: one line a step, and a bar for loops on a terminal."""

from __future__ import annotations

import os
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from interoffice.cli.show import TONES, paint, say, took

if TYPE_CHECKING:
    from interoffice.office import Event

MARKS = {"good": "✓", "bad": "✗", "wait": "…", "warn": "!"}


class Story:
    """Prints what the engine tells, from whichever thread. Use it as `with Story() as story: ... hear=story.hear`.

    INTEROFFICE_VERBOSE=1 shows what bots log, too.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._verbose = "INTEROFFICE_VERBOSE" in os.environ
        self._began: dict[str, float] = {}
        self._bar: Any = None
        self._task: Any = None
        self._lock = threading.Lock()

    def __enter__(self) -> Story:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_bar()

    def hear(self, event: Event) -> None:
        """One event of the run. Steps inside items are told by their item."""
        if self._quiet:
            return
        with self._lock:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        inside = "[" in event.path
        match event.name:
            case "step_began" | "loop_began" if not inside:
                self._began.setdefault(event.path, time.monotonic())
            case "step_ended" if not inside:
                self._end_bar()
                say(self._line(event))
            case "item_ended":
                self._item(event)
            case "attempt_failed":
                self._above_bar(f"    {paint('!', 'warn')} {event.title or event.path}: {event.text}")
            case "message" if event.text and (self._verbose or event.level != "info"):
                self._above_bar(f"    {event.text}")
            case "progress":
                self._move_bar(event)
            case _:
                pass

    def _line(self, event: Event) -> str:
        tone = TONES.get(event.state, "")
        mark = paint(MARKS.get(tone, "·"), tone)
        began = self._began.pop(event.path, None)
        seconds = None if began is None else time.monotonic() - began
        parts = [part for part in (event.text, took(seconds) if event.state != "skipped" else "") if part]
        return f"  {mark} {event.title or event.path}" + (f"  {paint(' · '.join(parts), 'soft')}" if parts else "")

    def _item(self, event: Event) -> None:
        if event.total and sys.stdout.isatty():
            self._move_bar(event)
        if event.state not in ("successful", "new", "in_progress"):
            tone = TONES.get(event.state, "")
            words = event.state.replace("_", " ") + (f": {event.text}" if event.text else "")
            self._above_bar(f"    {paint(MARKS.get(tone, '·'), tone)} {event.title or event.path}  {words}")

    def _above_bar(self, text: str) -> None:
        if self._bar is None:
            say(text)
        else:
            from rich.text import Text

            self._bar.console.print(Text.from_ansi(text))

    def _move_bar(self, event: Event) -> None:
        if not sys.stdout.isatty() or not event.total:
            return
        if self._bar is None:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self._bar = Progress(TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(event.title, total=event.total)
        self._bar.update(self._task, completed=event.done, total=event.total, description=event.title)

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
