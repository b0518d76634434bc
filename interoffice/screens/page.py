"""One page of a browser, as far as screens need it: looking, typing, pressing, and what happened to it meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Final

from playwright.sync_api import Dialog, Download, ElementHandle, Error, Frame, Page, Response

from interoffice.errors import ApplicationError
from interoffice.screens.finding import Place, Press, Spec
from interoffice.screens.sight import NOWHERE, Movement, Sight, State

PARTS: Final = ("count.js", "name.js", "find.js", "heal.js", "read.js", "type.js", "door.js")
CALL: Final = """async (asked) => {
  if (!window.__interoffice) return null;
  const [name, argument] = JSON.parse(asked);
  const said = await window.__interoffice[name](argument);
  return said === undefined ? null : JSON.stringify(said);
}"""
"""Questions and answers go as one text each: the driver takes nested values apart piece by piece, which costs more than
the question itself."""
_GONE: Final = ("context was destroyed", "Cannot find context", "Frame was detached", "frame got detached",
                "because of a navigation", "Inspected target navigated")  # fmt: skip
_CLOSED: Final = ("has been closed", "Target closed", "crashed", "Connection closed", "Browser closed")
_MOVEMENT: Final = tuple(Movement.__dataclass_fields__)


class PageReplaced(Exception):
    """The document went away while it was asked; ask again."""


@lru_cache(maxsize=1)
def page_script() -> str:
    """What runs inside every page, as one script."""
    folder = resources.files("interoffice.screens").joinpath("page")
    parts = "\n".join(folder.joinpath(part).read_text(encoding="utf-8") for part in PARTS)
    return f"(() => {{ if (window.__interoffice) return;\n{parts}\n}})();"


class WebPage:
    """A page and what the browser said about it: dialogs that came up, downloads, the last answer of the server."""

    def __init__(self, page: Page, *, ignore: Iterable[str] = ()) -> None:
        self.page = page
        self.dialogs: list[str] = []
        self.downloads: list[Download] = []
        self.status = 200
        self.is_crashed = False
        self.holds_big_file = False
        self.acts = 0
        self._ignore = list(ignore)
        page.add_init_script(page_script() + f"window.__interoffice.ignore({self._ignore!r});")
        page.on("dialog", self._on_dialog)
        page.on("download", self._on_download)
        page.on("response", self._on_response)
        page.on("crash", self._on_crash)

    def _on_dialog(self, dialog: Dialog) -> None:
        """A dialog of the browser's own is never accepted; leaving a page that asks is its one exception."""
        if dialog.type == "beforeunload":
            dialog.accept()
            return
        self.dialogs.append(dialog.message or dialog.type)
        dialog.dismiss()

    def _on_response(self, response: Response) -> None:
        request = response.request
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self.status = response.status

    def _on_download(self, arrived: Download) -> None:
        self.downloads.append(arrived)

    def _on_crash(self, page: Page) -> None:
        self.is_crashed = True

    # going somewhere

    def go(self, address: str, *, within_s: float) -> None:
        """Opens an address anew; ApplicationError (transient) when it does not answer.

        An address that differs behind the # only would stay in the same document, with whatever it still holds.
        """
        try:
            if "#" in address and address.partition("#")[0] == self.page.url.partition("#")[0]:
                self.page.goto("about:blank")
            self.acts += 1
            self.page.goto(address, wait_until="commit", timeout=within_s * 1000)
        except Error as error:
            self._refuse_closed(error)
            if "interrupted by another navigation" in str(error):
                return
            raise ApplicationError(f"{address} does not answer: {_first_line(error)}", code="no_answer") from error

    # looking

    def look(
        self,
        places: Iterable[Place],
        *,
        switches: Mapping[str, bool] | None = None,
        since: int | None = None,
        longest_ms: float = 100,
        frame: bool = False,
        press: Press | None = None,
        after_press: bool = False,
    ) -> Sight:
        """What the places show now. A page that is just being replaced shows nothing (`Movement.is_there`).

        `press`: what to aim at in the same breath, in the main frame; `press_aimed` presses it. `after_press`: what
        became of that press is asked too (`Sight.missed`).
        """
        by_frames: dict[tuple[str, ...], list[Place]] = {(): []}
        for place in places:
            by_frames.setdefault(place.frames, []).append(place)
        states: dict[str, State] = {}
        movement, aimed, missed = NOWHERE, None, None
        for frames, here in by_frames.items():
            specs = [place.asked(**(switches or {})) for place in here]
            main = not frames
            wanted = {"specs": specs, "since": since if main else None, "longest": longest_ms, "frame": frame and main,
                      "press": press.asked if press is not None and main else None,
                      "disarm": after_press and main}  # fmt: skip
            said = self._asked("look", wanted, frames)
            if main:
                movement = _movement(said)
                if said is None:
                    break
                aimed, missed = said["aimed"], None if said["seen"] is None else _missed(said["seen"])
            for place in here:
                states[place.key] = State(place=place, said=_state_of(said, place))
        return Sight(movement=movement, states=states, aimed=aimed, missed=missed)

    def _asked(self, call: str, argument: Any, frames: tuple[str, ...]) -> Any:
        try:
            return self.call(call, argument, frames)
        except PageReplaced:
            return None

    def call(self, name: str, argument: Any = None, frames: tuple[str, ...] = ()) -> Any:
        """A call of page/door.js; PageReplaced when the document goes away, or has no door yet."""
        frame = self.frame(frames)
        if frame is None:
            raise PageReplaced
        try:
            told = frame.evaluate(CALL, json.dumps([name, argument], ensure_ascii=False))
        except Error as error:
            self._refuse_closed(error)
            if any(word in str(error) for word in _GONE):
                raise PageReplaced from None
            message = f"the page can't be asked: {_reason(error)}"
            raise ApplicationError(message, code="page_error", transient=False) from error
        said = None if told is None else json.loads(told)
        if said is None and name not in ("cover", "uncover", "stay", "leave"):
            self._wait_a_moment()
            raise PageReplaced
        return said

    def _wait_a_moment(self) -> None:
        """A document without the door (the browser's own error page, one not yet begun) tells nobody when it changes:
        let events in, and look again after a moment."""
        try:
            self.page.wait_for_timeout(20)
        except Error as error:
            self._refuse_closed(error)

    def frame(self, names: tuple[str, ...]) -> Frame | None:
        """The frame reached through frames by name, title or a part of their address."""
        frame: Frame | None = self.page.main_frame
        for name in names:
            frame = next((child for child in (frame.child_frames if frame else ()) if _is_called(child, name)), None)
        return frame

    @property
    def is_error_page(self) -> bool:
        """True on the browser's own page about an address that could not be reached."""
        return self.page.url.startswith("chrome-error:")

    # acting

    def type_together(
        self, fields: list[tuple[Place, Mapping[str, Any]]], *, leave: bool = True,
        beside: Iterable[Place] | None = None,
    ) -> tuple[Any, Sight]:
        """Types values into places of one frame in one call: the problems by key, and what all show then.

        `beside`: places of the same frame that are looked at too, once the page has drawn.
        """
        self.acts += 1
        frames, more = fields[0][0].frames, None if beside is None else list(beside)
        asked = [{"spec": place.asked(thorough=True), "meant": meant} for place, meant in fields]
        looked = None if more is None else [place.asked() for place in more]
        said = self.call("fill", {"fields": asked, "leave_field": leave, "beside": looked}, frames)
        places = {place.key: place for place in (*(place for place, _ in fields), *(more or ()))}
        states = {key: State(place=places[key], said=state) for key, state in said["states"].items()}
        return said["problems"], Sight(movement=_movement(said), states=states)

    def press_once(self, spec: Spec, frames: tuple[str, ...], *, row: int | None = None, twice: bool = False) -> Any:
        """Presses the middle of an element; nothing else can get the press. None when it did, else {problem}."""
        aimed = self.call("aim", {"spec": spec, "row": row}, frames)
        return aimed if aimed["problem"] else self._press(aimed, frames, clicks=2 if twice else 1)

    def press_aimed(self, aimed: Mapping[str, Any]) -> None:
        """Presses what a look has aimed at. Nothing else can get the press, and nothing gets it when a place that
        is held shows something else by then: the next look says so (`after_press`)."""
        self.acts += 1
        self.guarded(lambda: self.page.mouse.click(aimed["x"], aimed["y"]))

    def _press(self, aimed: Any, frames: tuple[str, ...], *, clicks: int = 1) -> Any:
        self.acts += 1
        left, top = self._corner(frames)
        self.guarded(lambda: self.page.mouse.click(aimed["x"] + left, aimed["y"] + top, click_count=clicks))
        try:
            seen = self.call("disarm", None, frames)
        except PageReplaced:
            return None
        return _missed(seen)

    def options(self, css: str, frames: tuple[str, ...]) -> list[str]:
        """The entries that a completion list shows."""
        try:
            entries: list[str] = self.call("options", {"css": css}, frames)
        except PageReplaced:
            return []
        return entries

    def press_option(self, css: str, at: int, frames: tuple[str, ...]) -> Any:
        """Presses an entry of a completion list; None when it did, else {problem}."""
        aimed = self.call("aimAtOption", {"css": css, "at": at}, frames)
        return aimed if aimed["problem"] else self._press(aimed, frames)

    def handle(self, place: Place) -> ElementHandle | None:
        """The element itself, for what only the browser can do to it (giving it a file)."""
        frame = self.frame(place.frames)
        if frame is None:
            return None
        found = frame.evaluate_handle("(asked) => window.__interoffice.element(asked)", {"spec": place.asked()})
        return found.as_element()

    def _corner(self, frames: tuple[str, ...]) -> tuple[float, float]:
        if not frames:
            return 0.0, 0.0
        frame = self.frame(frames)
        box = frame.frame_element().bounding_box() if frame else None
        return (box["x"], box["y"]) if box else (0.0, 0.0)

    def type_keys(self, text: str) -> None:
        """Types a text by real keys into what has the focus."""
        self.acts += 1
        self.page.keyboard.type(text)

    def press_keys(self, keys: Iterable[str]) -> None:
        """Presses keys as `ctrl+s`, one after another."""
        self.acts += 1
        for key in keys:
            self.page.keyboard.press("+".join(_key(part) for part in key.split("+")))

    def guarded(self, act: Callable[[], Any]) -> Any:
        """What an act of the browser gives; a browser that is gone is an ApplicationError."""
        try:
            return act()
        except Error as error:
            self._refuse_closed(error)
            raise

    def _refuse_closed(self, error: Error) -> None:
        if self.is_crashed or any(word in str(error) for word in _CLOSED):
            self.is_crashed = True
            raise ApplicationError("the browser has gone away", code="browser_gone") from error


def _missed(seen: Mapping[str, Any]) -> dict[str, str] | None:
    """Why a press did not reach its element; None when it did."""
    if seen["hits"] or not (seen["strays"] or seen["changed"]):
        return None
    return {"problem": "changed" if seen["changed"] else "moved"}


def _movement(said: Any) -> Movement:
    return NOWHERE if said is None else Movement(**{name: said[name] for name in _MOVEMENT})


def _state_of(said: Any, place: Place) -> Mapping[str, Any]:
    if said is None:
        return {"by": -1, "counts": [], "why": "scope", "missing": f"frame: {place.frames[-1]}" if place.frames else ""}
    state: Mapping[str, Any] = said["states"][place.key]
    return state


def _is_called(frame: Frame, name: str) -> bool:
    if frame.name == name or (name and name in frame.url):
        return True
    try:
        return frame.frame_element().get_attribute("title") == name
    except Error:
        return False


_KEYS: Final[Mapping[str, str]] = {
    "ctrl": "Control", "alt": "Alt", "shift": "Shift", "cmd": "Meta", "enter": "Enter", "tab": "Tab", "space": "Space",
    "escape": "Escape", "esc": "Escape", "up": "ArrowUp", "down": "ArrowDown", "left": "ArrowLeft",
    "right": "ArrowRight", "home": "Home", "end": "End", "pageup": "PageUp", "pagedown": "PageDown",
    "delete": "Delete", "backspace": "Backspace",
}  # fmt: skip


def _key(word: str) -> str:
    lower = word.strip().lower()
    if lower in _KEYS:
        return _KEYS[lower]
    return lower.upper() if lower.startswith("f") and lower[1:].isdigit() else lower


def _reason(error: Error) -> str:
    """What a script said, without the names of the calls around it."""
    line = str(error).splitlines()[0]
    return line.split("Error: ")[-1].strip()


def _first_line(error: Error) -> str:
    line = str(error).splitlines()[0]
    return line.removeprefix("Page.goto: ").split(" at ")[0]
