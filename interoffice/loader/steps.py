"""Steps: each does exactly one thing, and everything else on it modifies that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Final, Literal

from interoffice.frozen import dataclass
from interoffice.loader.step_kinds import KIND_KEYS, KINDS, STEP_KEYS
from interoffice.loader.step_parts import identifier, retry
from interoffice.loader.yaml_tree import Fields, Raw, Reading, said
from interoffice.model.workflow import Kind, Step, Unread
from interoffice.problem import Path, Position, guess

ON_FAILURE: Final[tuple[Literal["stop", "continue", "review"], ...]] = ("stop", "continue", "review")
VERBS: Final = tuple(KINDS)
VERB_LIST: Final = f"{', '.join(VERBS[:-1])} or {VERBS[-1]}"
ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {verb: (verb, *STEP_KEYS, *KIND_KEYS[verb]) for verb in VERBS}
_ALLOWED_SETS: Final = {verb: frozenset(keys) for verb, keys in ALLOWED.items()}
_ALL: Final = frozenset().union(*_ALLOWED_SETS.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """Reads steps, and remembers the ids of the whole file, since each may be used once."""

    reading: Reading
    ids: dict[str, Position] = field(default_factory=dict)
    in_loop: bool = False

    def inside_loop(self) -> Steps:
        """The same reader, for the steps of a `do:`."""
        return self if self.in_loop else replace(self, in_loop=True)

    def steps(self, fields: Fields, key: str, *, required: bool = False) -> tuple[Step, ...]:
        """The steps that stand as a list under a key."""
        place = fields.place(key)
        read = []
        entries = fields.list_of(key, required=required)
        for number, entry in enumerate(entries):
            path = (*place, number)
            if _begins_the_next(entries, number):
                self._refuse_same_id(str(entry["id"]), (*path[:-1], number + 1, "id"), self.reading.at((*path, "id")))
            elif isinstance(entry, dict):
                read.append(self.step(entry, path))
            else:
                wrong = f"a step is a map that begins with `- id:`, not {said(entry)}"
                self.reading.problem("S05", path, wrong)
        return tuple(read)

    def step(self, values: dict[str, Raw], path: Path) -> Step:
        """One step."""
        verb = self._verb(values, path)
        own = values if verb is None else self._own_keys(values, path, verb)
        name = values.get("id")
        called = f'step "{name}"' if isinstance(name, str) else "this step"
        keys = ALLOWED[verb] if verb else tuple(_ALL)
        fields = Fields(self.reading, path, values=own, keys=keys, called=called)
        step = Step(
            id=self._id(fields),
            kind=self._kind(fields, verb),
            path=path,
            name=fields.text("name"),
            if_=fields.text("if"),
            timeout=fields.duration("timeout"),
            retry=retry(fields),
            on_failure=self._on_failure(fields),
            look_up=fields.map("look_up") if fields.has("look_up") else None,
            posts=fields.text("posts"),
            tags=fields.texts("tags"),
        )
        fields.close()
        return step

    def _kind(self, fields: Fields, verb: str | None) -> Kind:
        return KINDS[verb](fields, self) if verb else Unread()

    def _verb(self, values: dict[str, Raw], path: Path) -> str | None:
        """What the step does; None when that can't be said (reported)."""
        written = [key for key in values if key in KINDS]
        if len(written) == 1:
            return written[0]
        if written and path in self.reading.tree.muddled:
            return None
        if written:
            both = f'"{written[0]}" and "{written[1]}"'
            wrong = f"a step does exactly one thing; this one has {both}: make two steps of it"
            self.reading.problem("S03", (*path, written[1]), wrong, at_key=True)
            return None
        unknown = [key for key in values if key not in _ALL]
        for key in unknown:
            meant = guess(key, _ALL)
            if meant and meant.word in KINDS:
                return meant.word
        if len(unknown) == 1 and guess(unknown[0], _ALL) is None:
            wrong = f'"{unknown[0]}" is nothing that a step can do; it can do {VERB_LIST}'
            self.reading.problem("S03", (*path, unknown[0]), wrong, at_key=True)
            del values[unknown[0]]
        else:
            wrong = f"this step does nothing; it needs one of {VERB_LIST}"
            self.reading.problem("S03", (*path, "id") if "id" in values else path, wrong)
        return None

    def _own_keys(self, values: dict[str, Raw], path: Path, verb: str) -> dict[str, Raw]:
        """The step without keys of other kinds of steps, which are reported."""
        allowed = _ALLOWED_SETS[verb]
        foreign = [key for key in values if key in _ALL and key not in allowed]
        for key in foreign:
            owners = [f'"{kind}"' for kind in VERBS if key in KIND_KEYS[kind]]
            wrong = f'"{key}" belongs to a {" or ".join(owners)} step, not to a "{verb}" step'
            meant = guess(key, [free for free in allowed if free not in values])
            suggestion = meant.word if meant and meant.is_certain else None
            self.reading.problem("S01", (*path, key), wrong, suggestion=suggestion, at_key=True)
        return {key: value for key, value in values.items() if key not in foreign} if foreign else values

    def _id(self, fields: Fields) -> str:
        name = fields.text("id", required=True)
        if not name or not identifier(fields, "id", name, "an id"):
            return name or "/".join(str(part) for part in fields.path)
        at = self.reading.at(fields.place("id"))
        first = self.ids.setdefault(name, at)
        if first is not at:
            self._refuse_same_id(name, fields.place("id"), first)
            return f"{name}#{at.line}"
        return name

    def _refuse_same_id(self, name: str, place: Path, first: Position) -> None:
        wrong = f'the id "{name}" is used twice, here and in line {first.line}; an id names one step of the file'
        self.reading.problem("S04", place, wrong, see=first)

    def _on_failure(self, fields: Fields) -> Literal["stop", "continue", "review"] | tuple[Step, ...]:
        if not fields.has("on_failure"):
            return "stop"
        if isinstance(fields.raw("on_failure"), tuple):
            return self.steps(fields, "on_failure")
        return fields.choice("on_failure", ON_FAILURE, "stop")


def _begins_the_next(entries: tuple[Raw, ...], number: int) -> bool:
    """True of an entry that is only the id of the step after it, written once too often."""
    entry, following = entries[number], entries[number + 1] if number + 1 < len(entries) else None
    return isinstance(entry, dict) and isinstance(following, dict) and entry == {"id": following.get("id")}
