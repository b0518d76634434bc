"""Healing: an element that none of its candidates finds any more is sought by what it looked like when it was used.

Every element that is typed into or pressed leaves its fingerprint (page/heal.js). When it is not on the quiet
screen, the most similar element serves for the rest of the session, if its score passes the threshold and its lead
over the second the margin; it is reported as drift, with a candidate that a person may accept (`runner.py
selectors`). Never healed: what commits, what is sensitive, the sign-in, what only shows (a number that is read must
not be another), a list that answers look-ups, and an element that shows another caption than its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from interoffice.errors import ApplicationError
from interoffice.model.selectors import Application, Screen
from interoffice.screens.finding import Finder, Place, describe
from interoffice.screens.page import PageReplaced, WebPage
from interoffice.screens.sight import Sight

THRESHOLD: Final = 0.60
"""What the most similar element must score, 0 to 1: from benchmarks/healing.py, 0 wrong among fields typed into."""
CAPTIONED: Final = 0.40
"""What it must score where it shows the element's own caption."""
MARGIN: Final = 0.08
"""What it must score above the second."""
DRIFT_FILE: Final = "drift.jsonl"
AFTER_S: Final = 1.0
"""How long a quiet screen may lack an element until it is sought."""
TYPES: Final = frozenset(
    {"text", "number", "money", "date", "choice", "multi_choice", "yes_no", "relation", "rich_text", "button"}
)
"""What may be healed: what is typed into, and buttons that do not commit."""
WORDS: Final[Mapping[str, str]] = {
    "id": "id", "name": "name", "class": "class", "type": "type", "aria": "aria-label", "label": "caption",
    "text": "text", "href": "link", "alt": "alternative text", "placeholder": "placeholder", "test_id": "test id",
    "xpath": "path", "id_xpath": "path", "place": "place", "size": "size", "near": "what stands near",
}  # fmt: skip


@dataclass(kw_only=True)
class Memory:
    """What elements looked like, by screen and element, in a file of the state; and the healings that were rejected.

    `folder`: state/selectors; None remembers nothing beyond the session.
    """

    folder: Path | None
    application: str
    environment: str
    _known: dict[str, Any] | None = None
    _kept: set[str] = field(default_factory=set)

    @property
    def file(self) -> Path | None:
        """Where it stands."""
        return None if self.folder is None else self.folder / f"{self.application}.{self.environment}.json"

    def print_of(self, key: str) -> Mapping[str, Any] | None:
        """The fingerprint of the last good use."""
        found: Mapping[str, Any] | None = self._read()["prints"].get(key)
        return found

    def rejected(self, key: str) -> list[str]:
        """Elements that a person has said are not this one."""
        return list(self._read()["rejected"].get(key, []))

    def is_kept(self, key: str) -> bool:
        """Whether this process has kept it already."""
        return key in self._kept

    def keep(self, prints: Mapping[str, Any]) -> None:
        """Fingerprints of a good use. A file that can't be written costs healing and nothing else."""
        self._kept |= prints.keys()
        known = self._read()
        if all(known["prints"].get(key) == value for key, value in prints.items()):
            return
        known = self._read(afresh=True)
        known["prints"].update(prints)
        self._write(known)

    def reject(self, key: str, trait: str) -> None:
        """A person has said that this element is not that one."""
        known = self._read(afresh=True)
        known["rejected"].setdefault(key, [])
        if trait not in known["rejected"][key]:
            known["rejected"][key].append(trait)
        self._write(known)

    def _read(self, *, afresh: bool = False) -> dict[str, Any]:
        """What is known; `afresh` what other lanes have written meanwhile too."""
        if self._known is None or (afresh and self.file is not None):
            self._known = {"prints": {}, "rejected": {}}
            if self.file is not None:
                with suppress(OSError, ValueError):
                    said = json.loads(self.file.read_text(encoding="utf-8"))
                    self._known = {"prints": dict(said["prints"]), "rejected": dict(said["rejected"])}
        return self._known

    def _write(self, known: dict[str, Any]) -> None:
        self._known = known
        if self.file is None:
            return
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.file.parent, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(known, out, ensure_ascii=False, indent=1, sort_keys=True)
            os.replace(name, self.file)


class Seeker(Protocol):
    """The session in which an element is sought."""

    web: WebPage
    screen: Screen | None
    is_signing_in: bool
    memory: Memory
    unhealed: dict[str, str]

    @property
    def application(self) -> Application: ...

    @property
    def finder(self) -> Finder: ...

    def look(self, places: Iterable[Place] = ()) -> Sight: ...

    def report_drift(
        self, place: Place, found: Mapping[str, Any], *, reason: str, was: Mapping[str, Any], is_used: bool
    ) -> None: ...


def may_heal(session: Seeker, place: Place) -> bool:
    """Whether an element of this kind may be sought at all."""
    element = place.element
    return (
        session.application.healing != "off"
        and session.finder.environment.kind == "web"
        and not session.is_signing_in
        and not _answers_look_ups(session, place)
        and element.heals
        and not element.commits
        and not element.sensitive
        and element.type in TYPES
        and not place.frames
    )


def _answers_look_ups(session: Seeker, place: Place) -> bool:
    """Whether a look-up is answered by this screen: a wrong search field finds nothing, and what is not found is posted
    again. There a person decides, and until then the answer is unclear."""
    asked = {screen.find_record.screen for screen in session.application.screens.values() if screen.find_record}
    here = {place.key.partition("/")[0], session.screen.name if session.screen is not None else ""}
    return bool(asked & here)


def keep_prints(session: Seeker, places: Iterable[Place]) -> None:
    """Keeps the fingerprints of elements that were just used, each once per process."""
    memory = session.memory
    wanted = [place for place in places if may_heal(session, place) and not memory.is_kept(_key(place))]
    if not wanted:
        return
    with suppress(PageReplaced, ApplicationError):
        said = session.web.call("fingerprints", {"specs": [place.spec for place in wanted]}) or {}
        memory.keep({_key(place): said[place.key] for place in wanted if place.key in said})


def heal(session: Seeker, places: Iterable[Place]) -> bool:
    """Seeks elements that are not there; True when one was healed, so that it is worth trying again."""
    healed = False
    for place in places:
        if may_heal(session, place):
            healed = _heal_one(session, place) or healed
    return healed


def _heal_one(session: Seeker, place: Place) -> bool:
    memory, key = session.memory, _key(place)
    print_ = memory.print_of(key)
    if print_ is None or session.look([place]).state(place).is_found:
        return False
    asked = {
        "spec": place.spec, "print": print_, "rivals": _rivals(session, place), "rejected": memory.rejected(key),
        "threshold": THRESHOLD, "captioned": CAPTIONED, "margin": MARGIN,
    }  # fmt: skip
    try:
        said = session.web.call("heal", asked)
    except PageReplaced:
        return False
    if said is None:
        return False
    found = said.get("healed")
    if found is None:
        session.unhealed[place.key] = str(said["refused"])
        return False
    reason = _reason(found)
    uses = session.application.healing == "use"
    session.report_drift(place, found, reason=reason, was=print_, is_used=uses)
    if not uses:
        session.unhealed[place.key] = f"{reason}; a person decides whether it is the one (healing: ask)"
        return False
    place.spec["candidates"].append({**found["candidate"], "healed": True})
    return True


def _rivals(session: Seeker, place: Place) -> list[Any]:
    """The other elements of the screen, as the page is asked for them."""
    screen = session.screen
    if screen is None:
        return []
    inner = (
        f"{name}.{each}" for name, element in screen.elements.items() if element.many for each in element.many.elements
    )
    others = (session.finder.place(screen, name) for name in (*screen.elements, *inner))
    return [
        {"spec": other.spec, "print": session.memory.print_of(_key(other)), "called": other.element.name}
        for other in others
        if other.key != place.key and other.frames == place.frames
    ]


def _reason(found: Mapping[str, Any]) -> str:
    """In words: "same caption, name; other id, place; 0.91 alike, the next 0.42"."""
    same = list(dict.fromkeys(WORDS[name] for name in found["kept"] if name in WORDS))
    other = list(dict.fromkeys(WORDS[name] for name in found["changed"] if name in WORDS))
    parts = [f"same {', '.join(same)}" if same else "", f"other {', '.join(other)}" if other else ""]
    words = "; ".join(part for part in parts if part)
    return f"{words}; {found['score']:.2f} alike, the next {found['next']:.2f}; found by {describe(found['candidate'])}"


def _key(place: Place) -> str:
    return place.key


def drift_id(application: str, environment: str, key: str, trait: str) -> str:
    """The same drift has the same name in every run."""
    said = "\x1f".join((application, environment, key, trait))
    return "D-" + hashlib.sha256(said.encode()).hexdigest()[:8]


def write_drift(folder: Path | None, said: Mapping[str, Any]) -> None:
    """One line of JSON a drift in state/selectors/drift.jsonl; the same one is written once."""
    if folder is None:
        return
    file = folder / DRIFT_FILE
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        known = file.read_text(encoding="utf-8") if file.exists() else ""
        if f'"id": "{said["id"]}"' in known:
            return
        line = json.dumps({**said, "at": datetime.now(UTC).isoformat()}, ensure_ascii=False) + "\n"
        with file.open("a", encoding="utf-8") as out:
            out.write(line)
