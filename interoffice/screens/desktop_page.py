"""One window of a desktop application, asked and acted upon as a page of a browser is (`page.WebPage`).

What is seen comes from pictures of the display and their words (OCR); what a field holds, from the field itself, by
the clipboard, so every letter of it is right. Before every stroke the window is confirmed to have the keys.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from interoffice.errors import ApplicationError
from interoffice.model.selectors import Environment
from interoffice.resources.reading_screens import (
    Box,
    Picture,
    Word,
    changed_box,
    same_text,
    take_picture,
)
from interoffice.resources.windows import DisplayGone, Window
from interoffice.screens.finding import Place, Press, Spec
from interoffice.screens.formats import fold_caption
from interoffice.screens.sight import Movement, Sight, State

if TYPE_CHECKING:
    from interoffice.resources.desktop import Desktop, Opened

WHOLE: Final = ("home", "shift+end")
"""What selects all of a field of one line, in every toolkit."""
ANSWERS_WITHIN_S: Final = 0.5
NEAR_PX: Final = 14


class Covered(Exception):
    """Another window has the keys: nothing was typed."""

    def __init__(self, window: Window | None, *, is_dialog: bool) -> None:
        self.cover = {"dialog": is_dialog, "text": window.title if window is not None else "no window"}
        super().__init__(self.cover["text"])


class DesktopPage:
    """The window `window` of an application, and what happened to it meanwhile."""

    page = None
    status = 200
    is_error_page = False
    holds_big_file = False

    def __init__(
        self, opened: Opened, *, said: str, dpi: int = 96
    ) -> None:
        """`said`: what messages call the window; `dpi` of the display, by which places are scaled."""
        self.dialogs: list[str] = []
        self.downloads: list[Any] = []
        self.is_crashed = False
        self.acts = 0
        self.opened = opened
        self.window = opened.window
        self._said = said
        self._dpi = dpi
        self._windows = opened.windows
        self._hand = opened.hand
        self._reader = opened.reader
        self._last: Picture | None = None
        self._changed_at = time.monotonic()
        self._changes = 0
        self._secrets: dict[str, str] = {}
        self._boxes: dict[str, Box] = {}

    # going somewhere

    def go(self, address: str, *, within_s: float) -> None:
        """A window has no address: it stands where it stands."""

    # the window

    def confirm(self) -> None:
        """The window has the keys now, if need be because it was brought to the front. Covered, ApplicationError."""
        active, there = self._windows.active(), {window.id: window for window in self._windows.all()}
        dialog = next((window for window in there.values() if window.transient_for == self.window.id), None)
        if dialog is not None:
            raise Covered(dialog, is_dialog=True)  # it may hold the keys even while the window seems to have them
        if active is not None and active.id == self.window.id:
            return
        if self.window.id not in there:
            self.is_crashed = True
            message = f"the window of {self._said} is gone; the application is started again at the next try"
            raise ApplicationError(message, code="window_gone")
        if not self._windows.activate(self.window):
            raise Covered(self._windows.active(), is_dialog=False)

    def _confirm_dialog(self, title: str) -> Callable[[], None]:
        def confirm() -> None:
            active = self._windows.active()
            if active is None or fold_caption(active.title) != title:
                raise Covered(active, is_dialog=False)

        return confirm

    # looking

    def look(
        self, places: Iterable[Place], *, switches: Mapping[str, bool] | None = None, since: int | None = None,
        longest_ms: float = 100, frame: bool = False, press: Press | None = None, after_press: bool = False,
    ) -> Sight:  # fmt: skip
        """What the places show now. Nothing is aimed at ahead: a press finds its element itself."""
        try:
            pause_ms = 30 if frame else 0 if since is None else min(longest_ms, 50)
            return self._look(list(places), pause_s=pause_ms / 1000)
        except DisplayGone:
            self.is_crashed = True
            raise

    def _look(self, places: list[Place], *, pause_s: float) -> Sight:
        answers = self._windows.answers(self.window, within_s=ANSWERS_WITHIN_S)
        if pause_s:
            time.sleep(pause_s)
            answers = self._windows.answers(self.window, within_s=ANSWERS_WITHIN_S)
        cover = self._cover()
        words = self._see()
        states = {}
        for place in places:
            states[place.key] = State(place=place, said=self._statement(place.spec, words, cover, reads=answers))
        if any(state.said.get("copied") for state in states.values()):
            self._windows.answers(self.window, within_s=ANSWERS_WITHIN_S)
            self._last = take_picture(self._windows.name)
        return Sight(movement=self._movement(answers), states=states)

    def _see(self) -> list[Word]:
        """The words on the display; notes whether it changed since the last look."""
        picture = take_picture(self._windows.name)
        if self._last is None or changed_box(self._last, picture) is not None:
            self._changes += 1
            self._changed_at = time.monotonic()
        self._last = picture
        return self._reader.words(picture)

    def _movement(self, answers: bool) -> Movement:
        still_ms = (time.monotonic() - self._changed_at) * 1000
        return Movement(
            document=str(self.window.id), address="", loaded="complete" if answers else "loading", moves=self._changes,
            asked=self._changes, in_flight=0, since_request_ms=still_ms, since_change_ms=still_ms, leaving_ms=None,
        )  # fmt: skip

    def _cover(self) -> Mapping[str, Any] | None:
        try:
            self.confirm()
        except Covered as covered:
            return covered.cover
        return None

    def _statement(
        self, spec: Spec, words: list[Word], cover: Mapping[str, Any] | None, *, reads: bool = True
    ) -> dict[str, Any]:
        """What `page/door.js` says of an element: by, counts, visible, enabled, cover, shown, reading."""
        counts = []
        for number, candidate in enumerate(spec["candidates"]):
            found = self._found(spec, candidate, words)
            counts.append(len(found))
            if len(found) != 1:
                continue
            said: dict[str, Any] = {
                "by": number, "counts": counts, "why": None, "refused": None, "missing": None, "second": None,
                "visible": True, "enabled": cover is None or bool(spec["scope"]), "cover": cover,
                "shown": [], "box": found[0].box,
            }  # fmt: skip
            said["reading"] = self._reading(spec, candidate, found[0], words, said, reads=reads and cover is None)
            return said
        return {"by": -1, "counts": counts, "why": "several" if max(counts, default=0) > 1 else "none", "second": None}

    def _found(self, spec: Spec, candidate: Spec, words: list[Word]) -> list[Word]:
        """Where a candidate is on the display."""
        kind, value = candidate["kind"], str(candidate["value"])
        left, top, _, _ = self.window.box
        if kind == "access":
            titles = [window for window in self._windows.all() if fold_caption(window.title) == fold_caption(value)]
            return [Word(text=window.title, box=_box(window)) for window in titles]
        if kind == "ocr":
            return [word for word in words if _begins(word.text, value)]
        if kind == "caption":
            return [word for word in words if same_text(word.text, value)]
        if kind == "keys" or kind == "copy":
            shown = [word for word in words if any(same_text(word.text, caption) for caption in spec["captions"])]
            return shown[:1] if spec["captions"] else [Word(text="", box=(left, top, left, top))]
        if kind == "at":
            x, y = (round(each * self._dpi / 96) for each in candidate["at"])
            left, top = self._now().box[:2]
            return [Word(text="", box=(left + x, top + y, left + x, top + y))]
        return []

    def _now(self) -> Window:
        """The window where it stands now: it may have been moved."""
        found = next((window for window in self._windows.all() if window.id == self.window.id), None)
        return found or self.window

    def _reading(
        self, spec: Spec, candidate: Spec, at: Word, words: list[Word], said: dict[str, Any], *, reads: bool
    ) -> Mapping[str, Any]:
        if spec["type"] in ("button", "file"):
            return {"text": at.text}
        if spec["grid"]:
            return {"text": "", "rows": 0}
        if spec["key"] in self._secrets:
            return {"text": self._secrets[spec["key"]]}
        if candidate["kind"] == "keys":
            if not reads or spec["sensitive"]:
                return {"text": ""}
            said["copied"] = True
            try:
                return {"text": self._copied(candidate["keys"])}
            except Covered as covered:
                said.update(cover=covered.cover, enabled=False)
                return {"text": ""}
        if candidate["kind"] == "ocr" and not candidate["beside"]:
            return {"text": at.text}
        return {"text": beside(at, words, candidate.get("beside") or "right", called=str(candidate["value"]))}

    def _copied(self, keys: Iterable[str]) -> str:
        """What the field reached by these keys holds, every letter. That nothing was copied proves it empty: the
        program had worked off the keys."""
        self._windows.take_clipboard()
        self._press([*keys, *WHOLE, "ctrl+c"])
        if not self._windows.answers(self.window, within_s=5):
            raise ApplicationError(f"{self._said} does not answer", code="not_quiet")
        text = self._windows.clipboard()
        self._windows.take_clipboard()
        self.confirm()  # what came over it meanwhile may have taken the keys
        return text or ""

    # acting

    def _press(self, keys: Iterable[str]) -> None:
        self._hand.press(list(keys), may_act=self.confirm)

    def press_keys(self, keys: Iterable[str]) -> None:
        """Presses keys as `ctrl+s`, one after another, in this window."""
        self.acts += 1
        try:
            self._press(keys)
        except Covered as covered:
            message = f'"{covered}" is in front of {self._said}; no key was pressed'
            raise ApplicationError(message, code="wrong_window") from None

    def type_together(
        self, fields: list[tuple[Place, Mapping[str, Any]]], *, leave: bool = True,
        beside: Iterable[Place] | None = None,
    ) -> tuple[Any, Sight]:  # fmt: skip
        """Types values into places: the problems by key, and what all show then."""
        problems: dict[str, Any] = {}
        for place, meant in fields:
            problem = self._type(place, meant)
            if problem is not None:
                problems[place.key] = problem
                break
        wanted = {place.key: place for place in (*(place for place, _ in fields), *(beside or ()))}
        return problems, self.look(wanted.values(), frame=True)

    def _type(self, place: Place, meant: Mapping[str, Any]) -> Mapping[str, Any] | None:
        self.acts += 1
        words, cover = self._see(), self._cover()
        said = self._statement(place.spec, words, cover, reads=False)
        if said["by"] < 0:
            return {"problem": "not_found", "state": said}
        if cover is not None:
            return {"problem": "covered", "cover": cover}
        candidate, text = place.spec["candidates"][said["by"]], meant.get("text")
        if text is None or candidate["kind"] == "access":
            return {"problem": "no_input"}
        if "\n" in text:
            return {"problem": "one_line"}
        try:
            self._focus(candidate, said["box"], words)
            self._press(WHOLE)
            self._windows.answers(self.window, within_s=5)
            before = take_picture(self._windows.name)
            if text:
                self._type_text(text)
            else:
                self._press(["delete"])
            self._windows.answers(self.window, within_s=5)
        except Covered as covered:
            return {"problem": "covered", "cover": covered.cover}
        time.sleep(0.02)
        box = changed_box(before, take_picture(self._windows.name))
        if box is not None:
            self._boxes[place.key] = box
            self._refuse_other(place, box, words)
        if place.spec["sensitive"]:
            self._secrets[place.key] = text if box is not None else ""
        return None

    def _type_text(self, text: str) -> None:
        """ASCII by xdotool, each other letter by a key that is taught it (xdotool types "ä" for "Ä")."""
        for is_plain, letters in groupby(text, key=str.isascii):
            if is_plain:
                self._hand.type("".join(letters), may_act=self.confirm)
                self._windows.answers(self.window, within_s=5)
                continue
            for letter in letters:
                self.confirm()
                self._windows.type_letter(letter, self.window)

    def _focus(self, candidate: Spec, box: Box, words: list[Word]) -> None:
        if candidate["kind"] == "keys":
            self._press(candidate["keys"])
            return
        x, y = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
        if candidate.get("offset"):
            x, y = (at + round(by * self._dpi / 96) for at, by in zip((x, y), candidate["offset"], strict=True))
        elif candidate["kind"] in ("ocr", "caption"):
            x = box[2] + 40
        self._hand.click(x, y, may_act=self.confirm)

    def _refuse_other(self, place: Place, box: Box, words: list[Word]) -> None:
        """ApplicationError when what was typed appeared beside the caption of another element."""
        captions = place.spec["captions"]
        if not captions:
            return
        known = [*captions, *place.spec["others"]]
        label = nearest_label(box, [word for word in words if any(same_text(word.text, each) for each in known)])
        if label is None or any(same_text(label.text, each) for each in captions):
            return
        message = f'what was typed for "{place.element.name}" appeared at "{label.text}"; correct its `find`'
        raise ApplicationError(message, code="wrong_field", transient=False)

    def press_once(self, spec: Spec, frames: tuple[str, ...], *, row: int | None = None, twice: bool = False) -> Any:
        """Presses a button by its keys, else in its middle. None when it did, else {problem}: nothing was pressed."""
        self.acts += 1
        words, cover = self._see(), self._cover()
        dialog = next((step["value"] for step in spec["scope"] if step["kind"] == "dialog"), None)
        said = self._statement(spec, words, cover, reads=False)
        if said["by"] < 0:
            return {"problem": "not_found", "state": said}
        if cover is not None and dialog is None:
            return {"problem": "covered", "cover": cover}
        may_act = self.confirm if dialog is None else self._confirm_dialog(dialog)
        candidate, box = spec["candidates"][said["by"]], said["box"]
        try:
            if candidate["kind"] == "keys":
                self._hand.press(candidate["keys"], may_act=may_act)
            else:
                x, y = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
                self._hand.click(x, y, may_act=may_act, twice=twice)
        except Covered as covered:
            return {"problem": "covered", "cover": covered.cover}
        self._secrets.clear()
        return None

    def call(self, name: str, argument: Any = None, frames: tuple[str, ...] = ()) -> Any:
        """The calls of `page/door.js` that make sense of a window."""
        if name == "grid":
            return self._grid(argument["spec"], argument["columns"])
        if name in ("fingerprints", "cover", "uncover", "stay"):
            return {}
        raise ApplicationError(f"a desktop window can't do this ({name})", code="not_possible", transient=False)

    def _grid(self, spec: Spec, columns: list[Mapping[str, Any]]) -> Mapping[str, Any]:
        words, cover = self._see(), self._cover()
        said = self._statement(spec, words, cover)
        document, asked = str(self.window.id), self._changes
        keys = next((each["copy"] for each in spec["candidates"] if each.get("copy")), None)
        if keys is None:
            raise ApplicationError(f'the grid "{spec["key"]}" has no `copy` keys for the desktop', transient=False)
        if cover is not None:
            return {"document": document, "asked": asked, "state": said, "grid": None}
        self._windows.take_clipboard()
        self._press(keys)
        self._windows.answers(self.window, within_s=5)
        text = self._windows.clipboard()
        self._windows.take_clipboard()
        if text is None:
            return {"document": document, "asked": asked, "state": {**said, "by": -1, "why": "none"}, "grid": None}
        return {"document": document, "asked": asked, "state": said, "grid": grid_of(text, columns)}

    # evidence

    def take_picture(self, path: Path, hidden: Iterable[Spec]) -> None:
        """A JPEG of the display, the hidden places black."""
        from PIL import ImageDraw

        picture = take_picture(self._windows.name)
        image = picture.image.convert("RGB")
        words = self._reader.words(picture)
        draw = ImageDraw.Draw(image)
        for spec in hidden:
            for box in self._hidden_boxes(spec, words, image.size):
                draw.rectangle(box, fill="black")
        image.save(path, "JPEG", quality=70)

    def _hidden_boxes(self, spec: Spec, words: list[Word], size: tuple[int, int]) -> list[Box]:
        if spec["grid"]:
            return [(0, 0, *size)]
        labels = [word for word in words if any(same_text(word.text, each) for each in spec["captions"])]
        typed = [self._boxes[spec["key"]]] if spec["key"] in self._boxes and labels else []
        return [*typed, *((word.box[2] + 4, word.box[1] - NEAR_PX, size[0], word.box[3] + NEAR_PX) for word in labels)]


def beside(at: Word, words: list[Word], side: str, *, called: str) -> str:
    """The text to the right of, or below, a text; what follows it in the same run of words counts as right of it."""
    if side == "right" and len(at.text) > len(called) and _begins(at.text, called):
        return at.text[len(called) :].lstrip(" :")
    if side == "below":
        under = [word for word in words if word.box[1] >= at.box[3] - 2 and word.box[0] < at.box[2] + 40
                 and word.box[2] > at.box[0] - 10]  # fmt: skip
        return min(under, key=lambda word: word.box[1]).text if under else ""
    line = [word for word in words if word.box[0] >= at.box[2] and abs(word.middle - at.middle) < NEAR_PX]
    return min(line, key=lambda word: word.box[0]).text if line else ""


def nearest_label(box: Box, labels: list[Word]) -> Word | None:
    """The caption that a place belongs to: on its line to the left, else right above it."""
    middle = (box[1] + box[3]) // 2
    left = [word for word in labels if word.box[2] <= box[0] + 8 and abs(word.middle - middle) < NEAR_PX]
    if left:
        return max(left, key=lambda word: word.box[2])
    above = [
        word for word in labels
        if 0 <= box[1] - word.box[3] < 40 and word.box[0] <= box[2] and word.box[2] >= box[0]
    ]  # fmt: skip
    return max(above, key=lambda word: word.box[3]) if above else None


def grid_of(text: str, columns: list[Mapping[str, Any]]) -> dict[str, Any]:
    """A copied grid (a line of captions, then rows, tab-separated) as `page/read.js` gives it."""
    lines = [line.split("\t") for line in text.replace("\r\n", "\n").rstrip("\n").split("\n")]
    heads = [fold_caption(cell) for cell in lines[0]]
    at = {
        column["name"]: next((heads.index(one) for one in column["captions"] if heads.count(one) == 1), -1)
        for column in columns
    }
    missing = [name for name, place in at.items() if place < 0]
    rows = [] if missing else [
        [{"text": line[at[column["name"]]] if at[column["name"]] < len(line) else ""} for column in columns]
        for line in lines[1:]
    ]  # fmt: skip
    return {"rows": rows, "count": len(rows), "missing": missing, "shown": heads}


def _begins(text: str, value: str) -> bool:
    count = len(value.split())
    return same_text(" ".join(text.split()[:count]), value)


def _box(window: Window) -> Box:
    left, top, width, height = window.box
    return left, top, left + width, top + height


def open_window(
    desktop: Desktop, environment: Environment, address: Callable[[str], str], *, called: str
) -> DesktopPage:
    """Starts an application on the lane's desktop, and gives its window. ProjectError, ApplicationError."""
    from interoffice.resources.desktop import WINDOW_WITHIN_S

    opened = desktop.open_application(environment, address, within_s=WINDOW_WITHIN_S)
    return DesktopPage(opened, said=called, dpi=environment.display_dpi)
