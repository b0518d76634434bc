"""The windows of one X display: found, activated, asked whether they still answer; and what is on the clipboard.

Sources: the Extended Window Manager Hints (_NET_ACTIVE_WINDOW, _NET_WM_PING), ICCCM 2 (selections).
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from interoffice.errors import ApplicationError

CONNECT_WITHIN_S = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A top-level window. `box`: left, top, width, height of its inside on the display, pixels."""

    id: int
    title: str
    classes: tuple[str, ...]
    pid: int | None
    transient_for: int | None
    box: tuple[int, int, int, int]


class Windows:
    """One connection to a display. DisplayGone where there is none."""

    def __init__(self, name: str) -> None:
        from Xlib import X
        from Xlib.display import Display as XDisplay

        self._X = X
        os.environ.setdefault("XAUTHORITY", os.devnull)  # the library insists on such a file
        self._x: Any = _connected(XDisplay, name)
        self.name = name
        self._root: Any = self._x.screen().root
        self._root.change_attributes(event_mask=X.SubstructureNotifyMask)
        self._own: Any = self._root.create_window(-5, -5, 1, 1, 0, X.CopyFromParent)
        self._pings = int(time.monotonic() * 1000) & 0xFFFFFF
        self._spare: int | None = None
        self._x.sync()

    def close(self) -> None:
        """Lets go of the display."""
        with contextlib.suppress(Exception):
            self._x.close()

    # windows

    def all(self) -> list[Window]:
        """The windows that the window manager knows, the topmost last."""
        with self._talking():
            ids = self._property(self._root, "_NET_CLIENT_LIST_STACKING") or ()
            found = [self._window(number) for number in ids]
        return [window for window in found if window is not None]

    def active(self) -> Window | None:
        """The window that gets the keys now."""
        with self._talking():
            ids: Any = self._property(self._root, "_NET_ACTIVE_WINDOW") or ()
            return self._window(ids[0]) if len(ids) and ids[0] else None

    def activate(self, window: Window) -> bool:
        """Brings a window to the front; True once it is seen to have the keys."""
        from Xlib.protocol import event

        with self._talking():
            data = (32, [2, self._X.CurrentTime, 0, 0, 0])
            said = event.ClientMessage(window=window.id, client_type=self._atom("_NET_ACTIVE_WINDOW"), data=data)
            self._root.send_event(said, event_mask=self._X.SubstructureRedirectMask | self._X.SubstructureNotifyMask)
            self._x.flush()
        until = time.monotonic() + 2
        while time.monotonic() < until:
            active = self.active()
            if active is not None and active.id == window.id:
                return True
            time.sleep(0.02)
        return False

    def answers(self, window: Window, *, within_s: float) -> bool:
        """Whether the window's program has worked off all that it was sent before (its events come in order)."""
        from Xlib.protocol import event

        with self._talking():
            self._pings = (self._pings + 1) & 0xFFFFFF
            number, ping = self._pings, self._atom("_NET_WM_PING")
            said = event.ClientMessage(
                window=window.id, client_type=self._atom("WM_PROTOCOLS"), data=(32, [ping, number, window.id, 0, 0])
            )
            self._x.create_resource_object("window", window.id).send_event(said)
            self._x.flush()

            def is_ours(each: Any) -> bool:
                return bool(each.type == self._X.ClientMessage and list(each.data[1][:2]) == [ping, number])

            return self._await(is_ours, within_s) is not None

    def _window(self, number: int) -> Window | None:
        from Xlib.error import XError

        it = self._x.create_resource_object("window", number)
        try:
            name = self._property(it, "_NET_WM_NAME") or self._property(it, "WM_NAME")
            classes = it.get_wm_class() or ()
            pid, leader = self._property(it, "_NET_WM_PID"), self._property(it, "WM_TRANSIENT_FOR")
            shape, at = it.get_geometry(), it.translate_coords(self._root, 0, 0)
        except XError:
            return None
        return Window(
            id=number, title=_text(name), classes=tuple(map(str, classes)), pid=int(pid[0]) if pid else None,
            transient_for=int(leader[0]) if leader else None, box=(-at.x, -at.y, shape.width, shape.height),
        )  # fmt: skip

    # letters that the keyboard lacks

    def type_letter(self, letter: str, window: Window) -> None:
        """Types one letter of Unicode: a spare key is taught it, pressed, and taught the next only once the window has
        worked it off. The letter stands in all columns of the key: of one that stands alone X makes a small letter."""
        from Xlib.ext import xtest

        with self._talking():
            spare = self._spare_key()
            sign = ord(letter) if ord(letter) < 0x100 else 0x01000000 + ord(letter)
            self._x.change_keyboard_mapping(spare, [[sign] * 4])
            self._x.sync()
            for what in (self._X.KeyPress, self._X.KeyRelease):
                xtest.fake_input(self._x, what, spare)
            self._x.sync()
        self.answers(window, within_s=2)

    def _spare_key(self) -> int:
        if self._spare is None:
            first = self._x.display.info.min_keycode
            count = self._x.display.info.max_keycode - first + 1
            mapping = self._x.get_keyboard_mapping(first, count)
            free = [first + at for at, signs in enumerate(mapping) if not any(signs)]
            if not free:
                raise ApplicationError("the keyboard has no spare key for other letters", transient=False)
            self._spare = free[-1]
        return self._spare

    # the clipboard

    def take_clipboard(self) -> None:
        """The clipboard is ours and holds nothing: what was on it (a secret, too) is gone."""
        with self._talking():
            self._own.set_selection_owner(self._atom("CLIPBOARD"), self._X.CurrentTime)
            self._x.sync()

    def clipboard(self, *, within_s: float = 3) -> str | None:
        """The text that a program put there since `take_clipboard`; None where none did. ApplicationError."""
        with self._talking():
            clipboard, here = self._atom("CLIPBOARD"), self._atom("INTEROFFICE")
            owner = self._x.get_selection_owner(clipboard)
            if owner == self._X.NONE or getattr(owner, "id", None) == self._own.id:
                return None
            self._own.convert_selection(clipboard, self._atom("UTF8_STRING"), here, self._X.CurrentTime)
            self._x.flush()
            came = self._await(lambda each: each.type == self._X.SelectionNotify, within_s)
            if came is None or came.property == self._X.NONE:
                raise ApplicationError("what was copied could not be fetched from the clipboard", code="clipboard")
            held = self._own.get_full_property(here, self._X.AnyPropertyType)
            self._own.delete_property(here)
            if held is None or held.property_type == self._atom("INCR"):
                raise ApplicationError("the clipboard holds no text, or too much of it", code="clipboard")
            return _text(held.value)

    # X itself

    def _atom(self, name: str) -> int:
        return int(self._x.intern_atom(name))

    def _property(self, window: Any, name: str) -> Any:
        held = window.get_full_property(self._atom(name), self._X.AnyPropertyType)
        return None if held is None else held.value

    def _await(self, wanted: Any, within_s: float) -> Any:
        until = time.monotonic() + within_s
        while True:
            while self._x.pending_events():
                each = self._x.next_event()
                if wanted(each):
                    return each
            left = until - time.monotonic()
            if left <= 0:
                return None
            select.select([self._x.fileno()], [], [], left)

    @contextlib.contextmanager
    def _talking(self) -> Any:
        from Xlib.error import ConnectionClosedError

        try:
            yield
        except (ConnectionClosedError, OSError, BrokenPipeError) as error:
            raise DisplayGone(self.name) from error


def _connected(open_display: Any, name: str) -> Any:
    """The connection; a server that has only just begun may refuse the first."""
    until = time.monotonic() + CONNECT_WITHIN_S
    while True:
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                return open_display(name)
        except Exception as error:  # the library raises its own, OSError, and what its parsing meets
            if time.monotonic() > until:
                raise DisplayGone(name) from error
            time.sleep(0.1)


class DisplayGone(ApplicationError):
    """The X server of a display does not answer."""

    default_code = "display_gone"

    def __init__(self, name: str) -> None:
        super().__init__(f"the display {name} is gone (its X server ended); it is started again at the next try")


def is_called(window: Window, pattern: str | None, process: str | None = None) -> bool:
    """Whether a window is the one that an environment means: by title (`*` allowed), else by class or program."""
    if pattern is not None:
        return fnmatchcase(window.title, pattern)
    return process is not None and process.casefold() in {each.casefold() for each in window.classes}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")
