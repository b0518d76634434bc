"""What can't be known before the run: outputs of steps that were not done. To read one raises `Unknown`.

Rows that people have yet to approve are not quite unknown: there are none of them at least, and all that are shown at
most. So `passed + approved` has rows that are sure and rows that come if they are approved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from interoffice.engine.evaluation import scope_at, value_of
from interoffice.engine.run import Place, Results, Run
from interoffice.language.names import names_used
from interoffice.language.nodes import Attribute, Binary, Name, Node, Where
from interoffice.language.templates import parse_template
from interoffice.model.table import Table
from interoffice.model.values import Value
from interoffice.model.workflow import Raw


class Unknown(Exception):
    """An expression needs what is not known before the run: `name`. No RowError, for no rule may swallow it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """A table between two: the rows that are `sure`, and the `most` there can be.

    `filled`: columns that somebody fills in before; `corrected`: columns that somebody may change before.
    """

    sure: Table
    most: Table
    filled: frozenset[str] = frozenset()
    corrected: frozenset[str] = frozenset()


class UnknownOutputs(Mapping[str, Value]):
    """`steps.<id>` of a step that was not done: every output is there, and most can't be read."""

    def __init__(
        self, step_id: str, known: Mapping[str, Value] | None = None, bounds: Mapping[str, Bounds] | None = None
    ) -> None:
        self.step_id = step_id
        self.known = dict(known or {})
        self.bounds = dict(bounds or {})

    def __getitem__(self, name: str) -> Value:
        if name in self.known:
            return self.known[name]
        raise Unknown(f"steps.{self.step_id}.{name}")

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)

    def with_all(self, *, most: bool) -> UnknownOutputs:
        """The same where bounded outputs are known: with all that there can be, or only what is sure."""
        given = {name: bounds.most if most else bounds.sure for name, bounds in self.bounds.items()}
        return UnknownOutputs(self.step_id, {**self.known, **given})


class PartlyUnknown(Mapping[str, Value]):
    """A record of which some names can't be read before the run; `why` says of a name what it is."""

    def __init__(self, known: Mapping[str, Value], unknown: Mapping[str, str]) -> None:
        self._known = known
        self._unknown = unknown

    def __getitem__(self, name: str) -> Value:
        if name in self._unknown:
            raise Unknown(self._unknown[name])
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._unknown or name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._known, *self._unknown)))

    def __len__(self) -> int:
        return len({*self._known, *self._unknown})


class _World(Results):
    """Results as they are if all is approved that can be, or nothing."""

    def __init__(self, results: Results, *, most: bool) -> None:
        super().__init__(results)
        self._most = most

    def __getitem__(self, step_id: str) -> Value:
        given = super().__getitem__(step_id)
        return given.with_all(most=self._most) if isinstance(given, UnknownOutputs) else given


def bounds_of(run: Run, place: Place, raw: Raw) -> Bounds | None:
    """The bounds of a value that only adds tables up; None where it does anything else, or is no table."""
    found = _bounds_read(place, raw)
    if not found:
        return None
    worlds = [_World(place.results, most=most) for most in (False, True)]
    sure, most = (value_of(raw, scope_at(run, _in_world(place, world))) for world in worlds)
    if not isinstance(sure, Table) or not isinstance(most, Table):
        return None
    return Bounds(
        sure=sure,
        most=most,
        filled=frozenset().union(*(each.filled for each in found)),
        corrected=frozenset().union(*(each.corrected for each in found)),
    )


def in_worlds(place: Place) -> tuple[Place, Place]:
    """The place if nothing is approved, and if all is that can be."""
    return tuple(_in_world(place, _World(place.results, most=most)) for most in (False, True))  # type: ignore[return-value]


def _in_world(place: Place, world: Results) -> Place:
    return replace(place, results=world)


def _bounds_read(place: Place, raw: Raw) -> tuple[Bounds, ...]:
    """The bounds that an adding expression reads; none where it is no such expression."""
    node = parse_template(raw).single if isinstance(raw, str) else None
    if node is None:
        return ()
    find = _finder(place)
    read = [bounds for used in names_used(node) if (bounds := find(used.path)) is not None]
    filled = frozenset().union(*(bounds.filled for bounds in read))
    return tuple(read) if _only_adds(node, find, filled) else ()


Find = Callable[[tuple[str, ...]], Bounds | None]


def _finder(place: Place) -> Find:
    def find(path: tuple[str, ...]) -> Bounds | None:
        given = place.results.get(path[1]) if len(path) == 3 and path[0] == "steps" else None
        return given.bounds.get(path[2]) if isinstance(given, UnknownOutputs) else None

    return find


def _only_adds(node: Node, find: Find, filled: frozenset[str]) -> bool:
    match node:
        case Binary(operator="+", left=left, right=right):
            return _only_adds(left, find, filled) and _only_adds(right, find, filled)
        case Where(rows=rows, condition=condition):
            names = [used.path for used in names_used(condition)]
            free = not any(find(path) is not None or path[0] in filled or path[-1] in filled for path in names)
            return free and _only_adds(rows, find, filled)
        case Attribute(owner=Attribute(owner=Name(name="steps"))):
            return True
    return False
