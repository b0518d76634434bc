"""A recording as YAML: what is new in selectors/<app>.yaml, and the workflow. No value that was typed is written."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from interoffice.model.selectors import Application, Element, Screen
from interoffice.recording.events import Event
from interoffice.recording.guessing import date_format, name_of, number_format, type_of
from interoffice.recording.recorded import (
    COUNTS,
    LEAVES,
    NEXT,
    SEARCHES,
    Recorded,
    Recording,
    Showing,
    Visited,
    is_same,
    page_key,
)

CANDIDATES: Final = 4
"""How many candidates an element gets at most, the sturdiest first."""
INPUT_TYPES: Final[Mapping[str, str]] = {
    "money": "money", "number": "number", "date": "date", "yes_no": "yes_no", "file": "file",
}  # fmt: skip
Block = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the person said at the end: the button that commits, what shows that it worked, where the reason of a
    refusal stands, and on which list a record is searched. None: there is none."""

    commit: tuple[Visited, Recorded] | None = None
    shows: Showing | None = None
    reason: Mapping[str, Any] | None = None
    searched: Visited | None = None


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where the recording belongs. `address` as the file says it (`practice:erp`), `base` the real one."""

    application: str
    environment: str
    address: str
    base: str
    credential: str
    day: date
    owner: str
    known: Application | None = None


@dataclass(kw_only=True)
class Written:
    """What a recording adds. `screens` whole new ones; `more` elements of known screens; `keys` what known screens and
    elements get besides, by path; `notes` what the person should know."""

    head: Block
    shared: Block = field(default_factory=dict)
    sign_in: Block | None = None
    screens: dict[str, Block] = field(default_factory=dict)
    more: dict[str, Block] = field(default_factory=dict)
    keys: dict[tuple[str, ...], Block] = field(default_factory=dict)
    workflow: Block | None = None
    workflow_name: str = ""
    notes: list[str] = field(default_factory=list)


def written(recording: Recording, answers: Answers, setting: Setting) -> Written:
    """What is new, by the answers. Screens and elements that the file knows keep their names and stay as they are."""
    return _Writer(recording, answers, setting).write()


class _Writer:
    def __init__(self, recording: Recording, answers: Answers, setting: Setting) -> None:
        self.recording = recording
        self.answers = answers
        self.setting = setting
        self.known = setting.known
        self.names: dict[int, str] = {}
        self.out = Written(head=self._head())
        self.banner = ""

    def write(self) -> Written:
        self._name_screens()
        signs_in = self.recording.sign_in
        self._write_shared()
        if signs_in is not None and (self.known is None or self.known.sign_in is None):
            self._write_sign_in(signs_in)
        searched = self._write_list()
        for screen in self.recording.forms:
            if screen is not self.answers.searched and (self._commits(screen) or not self.answers.commit):
                self._write_form(screen, searched)
        self._write_workflow()
        return self.out

    # names

    def _name_screens(self) -> None:
        for screen in self.recording.screens:
            known = self._known_screen(screen)
            if known is not None:
                screen.name = known.name
            elif self.known is not None:
                screen.name = name_of(screen.title, taken=self.known.screens, otherwise="screen")
            for one in (*screen.fields, *screen.presses):
                element = self._known_element(known, one)
                if element is not None:
                    one.name = element.name

    def _known_screen(self, screen: Visited) -> Screen | None:
        if self.known is None:
            return None
        if screen.signs_in and self.known.sign_in is not None:
            return self.known.screens[self.known.sign_in.screen]
        for one in self.known.screens.values():
            opening = one.opening(self.setting.environment)
            address = opening.address if opening is not None else None
            if address is not None and page_key(address) == page_key(self._address(screen)):
                return one
        return None

    def _known_element(self, screen: Screen | None, one: Recorded) -> Element | None:
        return None if screen is None else _element_like(screen.elements, one.said, one.type)

    # the head

    def _head(self) -> Block:
        setting = self.setting
        head: Block = {
            "version": 1, "application": setting.application,
            "name": setting.application.replace("_", " ").capitalize(), "office": "back", "checked": setting.day,
            "environments": {setting.environment: {"kind": "web", "address": setting.address}},
        }  # fmt: skip
        values = [(one, value) for screen in self.recording.forms for one in screen.fields for value in one.values
                  if isinstance(value, str)]  # fmt: skip
        dates = [found for one, value in values if one.type == "date" and (found := date_format(value))]
        typed = [value for one, value in values if one.type in ("money", "number")]
        amounts = [value for value in typed if not value.lstrip("-").isdigit()]
        numbers = [found for value in amounts if (found := number_format(value))]
        formats = {"date": dates[0] if dates else None, "number": numbers[0] if numbers else None}
        if any(formats.values()):
            head["formats"] = {name: said for name, said in formats.items() if said}
        return head

    # elements

    def _element(self, one: Recorded) -> Block:
        return element_block(one, self._format(one))

    def _format(self, one: Recorded) -> Block:
        """The element's own format, where it was typed otherwise than the application's says."""
        value = next((value for value in one.values if isinstance(value, str)), "")
        if one.type not in ("date", "money", "number"):
            return {}
        said = date_format(value) if one.type == "date" else number_format(value)
        formats = self.known.formats if self.known is not None else None
        own = self.out.head.get("formats", {}) if formats is None else {"date": formats.date, "number": formats.number}
        usual = own.get("date" if one.type == "date" else "number")
        fits = said is None or said == usual or (one.type != "date" and _fits(value, usual))
        return {} if fits or usual is None else {"format": said}

    def _add(self, screen: Visited, name: str, block: Block) -> None:
        """An element for a screen, where it has none of that name."""
        known = self._known_screen(screen)
        if known is None:
            self.out.screens.setdefault(screen.name, {}).setdefault("elements", {}).setdefault(name, block)
        elif name not in known.elements and (self.known is None or name not in self.known.elements):
            self.out.more.setdefault(screen.name, {}).setdefault(name, block)

    def _write_shared(self) -> None:
        """Elements of every screen: the banner of a refusal, the way out."""
        reason = self.answers.reason
        if reason is not None:
            known = _element_like(self.known.elements, reason, "read_only") if self.known is not None else None
            self.banner = known.name if known is not None else "error_banner"
            if known is None and (self.known is None or self.banner not in self.known.elements):
                self.out.shared[self.banner] = _showing(reason)
        leaves = self.recording.control(LEAVES)
        if leaves is not None and self.known is None:
            self.out.shared["sign_out"] = {"caption": leaves["text"], "type": "button", **_where(leaves)}

    # the sign-in

    def _write_sign_in(self, screen: Visited) -> None:
        steps: list[Block] = []
        fill: dict[str, str] = {}
        for event in screen.events:
            if event.what == "typed":
                one = _recorded(screen.fields, event.element)
                if one is not None:
                    fill[one.name] = _part(one)
            elif event.what == "pressed":
                one = _recorded(screen.presses, event.element)
                if one is not None and fill:
                    steps.append({"fill": fill, "press": one.name})
                    fill = {}
        pressed = {step["press"] for step in steps}
        for one in (*screen.fields, *(each for each in screen.presses if each.name in pressed)):
            self._add(screen, one.name, self._element(one))
        first = next(one for one in screen.fields)
        block = self.out.screens[screen.name]
        self.out.screens[screen.name] = self._screen(screen, f"{first.name} is enabled") | block
        done = self._signed_in(screen)
        if not steps or done is None:
            self.out.notes.append("the sign-in was seen, but not what shows that it worked: describe sign_in yourself")
            return
        unique = {repr(step): step for step in steps}
        self.out.sign_in = {"screen": screen.name, "steps": list(unique.values()), "done_when": done}
        if self.banner:
            self.out.sign_in["refused_when"] = f"{self.banner} is visible"
        if "sign_out" in self.out.shared:
            self.out.sign_in["sign_out"] = "sign_out"

    def _signed_in(self, screen: Visited) -> str | None:
        """What is there only once somebody is signed in."""
        if "sign_out" in self.out.shared:
            return "sign_out is visible"
        before = {repr(said["candidates"]) for event in screen.seen for said in event.controls}
        for other in self.recording.screens:
            for event in other.seen if not other.signs_in else ():
                for said in event.controls:
                    if said["candidates"] and said.get("text") and repr(said["candidates"]) not in before:
                        self.out.shared["signed_in"] = {"caption": said["text"], "type": "button", **_where(said)}
                        return "signed_in is visible"
        return None

    # forms

    def _commits(self, screen: Visited) -> bool:
        return self.answers.commit is not None and self.answers.commit[0] is screen

    def _write_form(self, screen: Visited, searched: Block | None) -> None:
        if screen.has_cells:
            self.out.notes.append(f"cells of a list were typed on {screen.name}: write the grid and `lines:` yourself")
        for one in screen.fields:
            self._add(screen, one.name, self._element(one))
        shows = ""
        if self._commits(screen):
            assert self.answers.commit is not None
            shows = self._write_commit(screen, self.answers.commit[1])
        known = self._known_screen(screen)
        if known is None:
            begins = self._press_first(screen)
            ready = self._ready(screen, shows)
            block = self._screen(screen, ready, press=begins)
            if searched is not None and self._commits(screen):
                block["find_record"] = searched
            self.out.screens[screen.name] = block | self.out.screens.get(screen.name, {})
        elif searched is not None and self._commits(screen) and known.find_record is None:
            self.out.keys["screens", screen.name] = {"find_record": searched}

    def _write_commit(self, screen: Visited, button: Recorded) -> str:
        known_screen = self._known_screen(screen)
        known = self._known_element(known_screen, button)
        if known is not None and known.commit is not None:
            return ""
        shows, name = self.answers.shows, ""
        commit: Block = {"commits": True}
        if shows is not None:
            captions = shows.said.get("captions") or [""]
            test_id = next((each["value"] for each in shows.said["candidates"] if each["kind"] == "test_id"), "")
            like = _element_like(known_screen.elements, shows.said, "read_only") if known_screen is not None else None
            name = like.name if like is not None else name_of(
                captions[0], test_id, taken=[one.name for one in (*screen.fields, *screen.presses)], otherwise="saved"
            )  # fmt: skip
            self._add(screen, name, _showing(shows.said))
            commit["done_when"] = f"{name} is present"
        if self.banner:
            commit |= {"fails_when": f"{self.banner} is visible", "reason": self.banner}
        commit["within"] = "30s"
        if known is not None:
            self.out.keys["screens", screen.name, "elements", known.name] = commit
        else:
            block = self._element(button)
            find: Block = {key: block.pop(key) for key in ("scope", "find") if key in block}
            self._add(screen, button.name, {**block, "type": "button", **commit, **find})
        return name

    def _ready(self, screen: Visited, shows: str) -> str:
        first = next((one for one in screen.fields if one.type == "text" and one.said.get("blank")), screen.fields[0])
        parts = [f"{first.name} is enabled"]
        if first.said.get("blank"):
            parts.append(f"{first.name} is missing")
        if shows:
            parts.append(f"{shows} is missing")
        return " and ".join(parts)

    def _press_first(self, screen: Visited) -> list[str]:
        """Buttons that were pressed before anything was typed and led to no other page: they open the screen."""
        pressed: list[str] = []
        document = next(event.document for event in screen.events if event.what == "typed")
        for event in screen.events:
            if event.document != document:
                continue
            if event.what == "typed":
                break
            one = _recorded(screen.presses, event.element) if event.what == "pressed" else None
            if one is not None and not LEAVES.search(one.caption):
                self._add(screen, one.name, self._element(one))
                pressed.append(one.name)
        return pressed

    def _screen(self, screen: Visited, ready: str, *, press: list[str] | None = None) -> Block:
        address = self._address(screen)
        opened: Any = {"address": address, "press": press} if press else address
        return {"name": screen.title, "open": opened, "ready_when": ready}

    def _address(self, screen: Visited) -> str:
        """Behind the environment's address; a query that holds what was typed is left away."""
        base, url = self.setting.base.rstrip("/"), screen.url
        rest = url[len(base) :] if url.startswith(base) else url
        typed = {str(value) for each in self.recording.screens for one in each.fields for value in one.values}
        query = urlsplit(url).query
        if query and any(value and value in query for value in typed):
            rest = rest.replace(f"?{query}", "")
        return rest or "/"

    # the look-up

    def _write_list(self) -> Block | None:
        """The list where records are searched; gives `find_record` of the form."""
        screen, commit = self.answers.searched, self.answers.commit
        if screen is None or commit is None or screen.grid is None:
            return None
        form = commit[0]
        known = self._known_screen(screen)
        grid = self._grid_of(form, screen.grid, known)
        twins = [(one, form.field(one.caption)) for one in screen.fields]
        by = [one.name for one, twin in twins if twin is not None and self._same(one, twin)]
        read = [name for name in grid["columns"] if name not in by and self._is_on(form, name)]
        if not by:
            self.out.notes.append(
                f"{screen.name} was not searched by a field of {form.name}, so no look-up could be written: "
                f"search there while recording, or write find_record yourself"
            )
            return None
        if known is None and not self._finish_list(screen, grid):
            self.out.notes.append(
                f"what {screen.name} shows when nothing is found was not seen, so no look-up could be written: search "
                "for something that isn't there while recording, or write empty_when and find_record yourself"
            )
            return None
        return {"screen": screen.name, "by": by[0] if len(by) == 1 else by, "read": read}

    def _same(self, one: Recorded, twin: Recorded) -> bool:
        """Both screens call the field by one name."""
        if one.name != twin.name and self._known_screen_named(one) is None:
            one.name = twin.name
        return one.name == twin.name

    def _known_screen_named(self, one: Recorded) -> Screen | None:
        searched = self.answers.searched
        known = self._known_screen(searched) if searched is not None else None
        return known if known is not None and one.name in known.elements else None

    def _grid_of(self, form: Visited, grid: Mapping[str, Any], known: Screen | None) -> Block:
        if known is not None and known.grids:
            its_own = known.grids[0].grid
            return {"columns": dict(its_own.columns) if its_own is not None else {}}
        columns: Block = {}
        shows = self.answers.shows
        for caption in grid["columns"]:
            twin = form.field(caption)
            kind = twin.type if twin is not None and twin.type in ("money", "number", "date") else "text"
            is_shown = shows is not None and caption in (shows.said.get("captions") or [])
            name = twin.name if twin is not None else name_of(caption, taken=columns)
            columns[name] = {"caption": caption, "type": kind}
            if is_shown:
                self.names[id(shows)] = name
        return {"columns": columns}

    def _is_on(self, form: Visited, name: str) -> bool:
        shows = self.answers.shows
        captions = (shows.said.get("captions") or [""]) if shows is not None else [""]
        return any(one.name == name for one in form.fields) or name == name_of(captions[0], otherwise="")

    def _finish_list(self, screen: Visited, columns: Block) -> bool:
        """The list's own elements: search fields, search button, count, grid. False where nothing proves it empty."""
        grid = screen.grid
        assert grid is not None
        proof = self._empty_proof(screen)
        if proof is None:
            return False
        for one in screen.fields:
            self._add(screen, one.name, self._element(one))
        search = next((one for one in screen.presses if one.said.get("tag") != "a"), None)
        if search is not None:
            self._add(screen, search.name, self._element(search))
        elif (said := self.recording.control(SEARCHES, [screen])) is not None:
            search = Recorded(name="search", said=said, type="button")
            self._add(screen, "search", self._element(search))
        taken = [*self.out.screens[screen.name]["elements"], *proof["elements"]]
        name = name_of(grid["captions"][0] if grid["captions"] else "records", taken=taken, otherwise="records")
        for key, block in proof["elements"].items():
            self._add(screen, key, block)
        following = self.recording.control(NEXT, [screen])
        more: Block = {}
        if following is not None:
            self._add(screen, "next_page", {"caption": following["text"], "type": "button", **_where(following)})
            more = {"next_page": "next_page"}
        caption = {"caption": grid["captions"][0]} if grid["captions"] else {}
        block = {**caption, "type": "grid", **proof["keys"], **more, **_where(grid), **columns}
        self._add(screen, name, block)
        ready = f"{search.name if search is not None else screen.fields[0].name} is enabled"
        start = self._screen(screen, ready) | {"search": search.name if search is not None else "enter"}
        self.out.screens[screen.name] = start | self.out.screens[screen.name]
        return True

    def _empty_proof(self, screen: Visited) -> Block | None:
        """A number that counts the rows, else what was shown when there were none."""
        for event in screen.seen:
            rows = max((int(grid["rows"]) for grid in event.grids), default=0)
            for one in event.shows:
                said, text = one["element"], one["text"].strip()
                words = " ".join([*said.get("captions", ()), *(str(each["value"]) for each in said["candidates"])])
                if text.isdigit() and said["candidates"] and COUNTS.search(words) and int(text) >= rows:
                    name = name_of(*said.get("captions", ()), otherwise="found")
                    return {"elements": {name: _showing(said) | {"holds": "number"}},
                            "keys": {"empty_when": f"{name} = 0", "count": name}}  # fmt: skip
        full = {repr(one["element"]["candidates"]) for event in screen.seen for one in event.shows
                if any(grid["rows"] for grid in event.grids)}  # fmt: skip
        for event in screen.seen:
            if event.grids and any(grid["rows"] for grid in event.grids):
                continue
            for one in event.shows:
                if one["text"] and one["element"]["candidates"] and repr(one["element"]["candidates"]) not in full:
                    return {"elements": {"nothing_found": _showing(one["element"])},
                            "keys": {"empty_when": "nothing_found is visible"}}  # fmt: skip
        return None

    # the workflow

    def _write_workflow(self) -> None:
        commit = self.answers.commit
        screen = commit[0] if commit is not None else next(iter(self.recording.forms), None)
        if screen is None:
            return
        if commit is None:
            self.out.notes.append("no button commits, so there is no workflow: its screens can be used in one of yours")
            return
        app, fields = self.setting.application, [one for one in screen.fields if one.type in _FILLED]
        attached = [one for one in screen.fields if one.type == "file"]
        call: Block = {"screen": f"{app}.{screen.name}"}
        if self.recording.sign_in is not None or (self.known is not None and self.known.sign_in is not None):
            call["credential"] = self.setting.credential
        call["fields"] = {one.name: f"${{{{ inputs.{one.name} }}}}" for one in fields}
        if attached:
            call["attach"] = {one.name: f"${{{{ inputs.{one.name} }}}}" for one in attached}
        call["submit"] = commit[1].name
        shown = self._shown_name(screen, commit[1])
        if shown:
            call["read"] = [shown]
        title = f"Enter {screen.title[:1].lower()}{screen.title[1:]}"
        self.out.workflow_name = name_of(title)
        self.out.workflow = {
            "version": 1, "name": title,
            "description": f"Recorded on {self.setting.day:%Y-%m-%d}: {screen.title} in {app}.",
            "owner": self.setting.owner,
            "inputs": {one.name: self._input(one) for one in (*fields, *attached)},
            "defaults": {"timeout": "2m"},
            "steps": [{"id": "enter", "name": title, "bot": "screens.fill_form", "with": call}],
        }  # fmt: skip
        if shown:
            self.out.workflow["outputs"] = {shown: f"${{{{ steps.enter.values.{shown} }}}}"}
        signs_out = self.out.sign_in is not None and "sign_out" in self.out.sign_in
        if signs_out or (self.known is not None and self.known.sign_in is not None and self.known.sign_in.sign_out):
            leave = {"id": "sign_out", "name": f"Leave {app} signed out", "bot": "screens.sign_out",
                     "with": {"application": app}}  # fmt: skip
            self.out.workflow["always"] = [leave]

    def _shown_name(self, screen: Visited, button: Recorded) -> str:
        known = self._known_element(self._known_screen(screen), button)
        if known is not None and known.commit is not None:
            found = re.match(r"(\w+) is present", known.commit.done_when)
            return found[1] if found else ""
        block = self.out.screens.get(screen.name, {}).get("elements", {}).get(button.name, {})
        block = block or self.out.keys.get(("screens", screen.name, "elements", button.name), {})
        return str(block.get("done_when", "")).partition(" ")[0]

    def _input(self, one: Recorded) -> Block:
        kind = INPUT_TYPES.get(one.type, "text")
        if one.type == "choice" and one.said.get("choices"):
            return {"type": "choice", "choices": list(one.said["choices"]), "help": one.caption or one.name}
        return {"type": kind, "help": one.caption or one.name.replace("_", " ")}


_FILLED: Final = frozenset({"text", "number", "money", "date", "choice", "yes_no", "relation", "rich_text"})


def _fits(value: str, usual: str | None) -> bool:
    """Whether a number reads the same by the usual format: 5 and 1200 fit all."""
    if usual is None or value.strip().lstrip("-").isdigit():
        return True
    return number_format(value) in (usual, usual.replace("1.234", "1234").replace("1,234", "1234"))


def _recorded(those: list[Recorded], said: Mapping[str, Any]) -> Recorded | None:
    return next((one for one in those if is_same(one.said, said)), None)


def _part(one: Recorded) -> str:
    """The part of a credential that was typed here."""
    words = f"{one.said.get('name', '')} {one.caption}".lower()
    if any("one-time-code" in str(each["value"]) for each in one.said.get("candidates", ())) or "code" in words:
        return "totp"
    return "password" if one.said.get("secret") else "user"


def _where(said: Mapping[str, Any], frame: str = "") -> Block:
    block: Block = {}
    scope = [{"frame": frame}] if frame else []
    for step in said.get("scope", ()):
        scope.append(step["kind"] if step["value"] is None else {step["kind"]: step["value"]})
    if scope:
        block["scope"] = scope
    found = [{each["kind"]: each["value"], **({"name": each["name"]} if each.get("name") else {})}
             for each in said.get("candidates", ())[:CANDIDATES]]  # fmt: skip
    return block | ({"find": found} if found else {})


def _showing(said: Mapping[str, Any]) -> Block:
    captions = said.get("captions") or []
    return {**({"caption": captions[0]} if captions and captions[0] else {}), "type": "read_only", **_where(said)}


def _element_like(elements: Mapping[str, Element], said: Mapping[str, Any], kind: str) -> Element | None:
    """The element of a file that is the one the page described: by caption and type, or by a candidate."""
    captions = {str(one).casefold() for one in said.get("captions", ())}
    for element in elements.values():
        is_same_kind = (element.type in ("button", "read_only", "grid")) is (kind in ("button", "read_only", "grid"))
        if captions & {one.casefold().rstrip(" :*") for one in element.caption} and is_same_kind:
            return element
    found = {(each["kind"], each["value"], each.get("name")) for each in said.get("candidates", ())}
    for element in elements.values():
        for candidates in element.find.values():
            if any((one.kind, one.value, one.name) in found for one in candidates):
                return element
    return None


def dumped(block: Mapping[str, Any], indent: int = 0) -> str:
    """A map as YAML in the style of the project's own files."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    yaml.default_flow_style = False
    out = io.StringIO()
    yaml.dump(dict(block), out)
    lines = out.getvalue().splitlines(keepends=True)
    return "".join(" " * indent + line if line.strip() else line for line in lines)


def element_block(one: Recorded, more: Block | None = None) -> Block:
    """An element as a selectors file has it."""
    said = one.said
    block: Block = {}
    if one.caption:
        block["caption"] = one.caption
    block["type"] = one.type
    if one.type != "button" and said.get("required"):
        block["required"] = True
    if one.type == "text" and said.get("max_length"):
        block["max_length"] = int(said["max_length"])
    if one.type in ("choice", "multi_choice") and said.get("choices"):
        block["choices"] = list(said["choices"])
    if one.type == "relation":
        block["options"] = '[role="option"]'
    if one.type == "file" and re.fullmatch(r"(\.\w+,?\s*)+", str(said.get("accepts", ""))):
        block["accepts"] = [each.strip(" .") for each in str(said["accepts"]).split(",") if each.strip(" .")]
    if said.get("secret"):
        block["sensitive"] = True
    return block | (more or {}) | _where(said, one.frame)


def element_text(picked: Event) -> str:
    """The YAML of one element that somebody has clicked."""
    said = picked.element
    if said.get("columns"):
        columns = {name_of(caption): {"caption": caption, "type": "text"} for caption in said["columns"]}
        captions = said.get("captions") or []
        caption = {"caption": captions[0]} if captions else {}
        block: Block = {**caption, "type": "grid", **_where(said), "columns": columns}
        return dumped({name_of(*captions, otherwise="rows"): block})
    if picked.is_shown:
        block = _showing(said)
        test_ids = [str(each["value"]) for each in said["candidates"] if each["kind"] == "test_id"]
        return dumped({name_of(*said.get("captions", ()), *test_ids, otherwise="shown"): block})
    words = [str(one) for one in (*said.get("captions", ()), said.get("name"), said.get("placeholder")) if one]
    one = Recorded(name=name_of(*words), said=said, type=type_of(said, None), frame=picked.frame)
    return dumped({one.name: element_block(one)})
