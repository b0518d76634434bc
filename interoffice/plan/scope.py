"""What can be read at one place of a workflow, and what it is: names, steps that came before, columns of the row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Final

from interoffice.frozen import dataclass
from interoffice.language.names import UsedName
from interoffice.language.scopes import NameProblem, columns_of
from interoffice.model.types import ANY, TEXT, Type, record_of
from interoffice.model.workflow import Step
from interoffice.plan.flow import NOTHING, Flow
from interoffice.plan.places import relation
from interoffice.problem import Path, did_you_mean

ALWAYS_THERE: Final = ("status", "error")


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known of a value before the run: its type, and where its rows come from."""

    type: Type
    flow: Flow = NOTHING


UNKNOWN: Final = Known(type=ANY)


@dataclass(frozen=True, kw_only=True)
class StepFacts:
    """What a step gives. `is_open`: its outputs can't be known (no such bot); `may_lack`: it may be skipped."""

    step: Step
    outputs: Mapping[str, Known]
    is_open: bool = False
    may_lack: bool = False

    @cached_property
    def type(self) -> Type:
        """`steps.<id>` as a record."""
        fields = {name: known.type for name, known in self.outputs.items()}
        return record_of({**fields, "status": TEXT, "error": TEXT}, open=self.is_open)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The scope of one place; a `TypeScope` of the language.

    `steps` are those worked out so far, `places` those of the whole workflow. `present` are names that a condition
    round this place has seen to be there, `conditions` are those conditions.
    """

    at: Path
    names: Mapping[str, Known]
    steps: Mapping[str, StepFacts]
    places: Mapping[str, Path]
    columns: Known | None = None
    column_word: str = "column"
    column_code: str = "C03"
    row_code: str = "C03"
    patterns: Collection[str] = ()
    measures: Mapping[str, Type] = field(default_factory=dict)
    present: frozenset[tuple[str, ...]] = frozenset()
    conditions: frozenset[str] = frozenset()
    is_screen: bool = False

    def here(self, at: Path) -> Scope:
        """The same at another place."""
        return replace(self, at=at)

    def naming(self, names: Mapping[str, Known]) -> Scope:
        """The same with these names more."""
        return replace(self, names={**self.names, **names})

    def over(self, rows: Known, *, word: str = "column", code: str = "C03") -> Scope:
        """The same where bare words are columns of these rows, fields of this record, or outputs."""
        return replace(self, columns=rows, column_word=word, column_code=code)

    def measuring(self, measures: Mapping[str, Type]) -> Scope:
        """The same with these measures of a whole table."""
        return replace(self, measures=measures)

    def assured(self, condition: str, present: Iterable[tuple[str, ...]]) -> Scope:
        """The same where a condition is known to hold."""
        return replace(self, conditions=self.conditions | {condition}, present=self.present | frozenset(present))

    def readable(self) -> Mapping[str, StepFacts]:
        """The steps that have run, or may have, before this place."""
        return {
            name: facts
            for name, facts in self.steps.items()
            if relation(self.at, self.places[name]) in ("before", "maybe")
        }

    @cached_property
    def _steps_type(self) -> Type:
        return Type("record", fields={name: facts.type for name, facts in self.readable().items()})

    def may_be_skipped(self, used: UsedName) -> bool:
        """True of an output of a step that may not have run, read where that isn't allowed for."""
        if used.guarded or len(used.path) < 3 or used.path[0] != "steps" or used.path[2] in ALWAYS_THERE:
            return False
        facts = self.steps.get(used.path[1])
        if facts is None or used.path in self.present or used.path[:3] in self.present:
            return False
        found = relation(self.at, self.places[used.path[1]])
        if found not in ("before", "maybe") or facts.step.if_ in self.conditions:
            return found == "maybe"
        return found == "maybe" or facts.may_lack

    def flow(self, chain: tuple[str, ...]) -> Flow:
        """The flow of a chain of names, for `flow_of`."""
        found, rest = NOTHING, chain[1:]
        if chain[0] == "steps":
            facts = self.steps.get(chain[1]) if len(chain) > 2 else None
            known = None if facts is None else facts.outputs.get(chain[2])
            found, rest = (NOTHING if known is None else known.flow), chain[3:]
        elif chain[0] in self.names:
            found = self.names[chain[0]].flow
        elif chain[0] == "row" and self.columns is not None:
            found = self.columns.flow
        for name in rest:
            found = found.of(name)
        return found

    # what the language asks

    def lookup(self, path: tuple[str, ...]) -> Type | NameProblem | None:
        """The type of a first name."""
        if path[0] == "steps":
            return self._steps_type
        if path[0] in self.names:
            return self.names[path[0]].type
        if path[0] == "row" and self.columns is not None:
            rows = self.columns.type
            return ANY if rows.kind == "any" else record_of(columns_of(rows), open=rows.open)
        return None

    def column(self, name: str) -> Type | None:
        """The type of a bare word."""
        if self.columns is None:
            return None
        rows = self.columns.type
        columns = columns_of(rows)
        if name in columns:
            return columns[name]
        is_open = rows.open or rows.kind == "any" or (rows.kind == "table" and rows.columns is None)
        return ANY if is_open and name not in self.names and name != "steps" else None

    def unknown(self, path: tuple[str, ...], owner: Type | None) -> NameProblem:
        """Why a name is not there, and which was meant."""
        if path[0] == "secrets":
            message = "a secret is never read in an expression; name it in the step: credential: name"
            return NameProblem("K01", message)
        if path[0] == "steps" and len(path) == 2:
            return self._unknown_step(path[1])
        if owner is None:
            return self._unknown_name(path[0])
        if path[0] == "steps" and len(path) == 3:
            meant = did_you_mean(path[2], columns_of(owner))
            return NameProblem("R03", f'step "{path[1]}" has no output "{path[2]}"', meant)
        return self._unknown_part(path, owner)

    def _unknown_step(self, name: str) -> NameProblem:
        place = self.places.get(name)
        if place is None:
            known = [*self.readable()] or [*self.places]
            return NameProblem("R01", f'there is no step "{name}"', did_you_mean(name, known))
        match relation(self.at, place):
            case "later":
                return NameProblem("R02", f'step "{name}" comes later; a step reads only those before it')
            case "around":
                return NameProblem("R02", f'step "{name}" has not ended here: this is part of it')
            case "another loop":
                message = f'step "{name}" runs once per item of a loop; outside it read the loop\'s .results'
                return NameProblem("R03", message)
            case _:
                return NameProblem("R03", f'step "{name}" stands in another branch, which does not run with this one')

    def _unknown_name(self, name: str) -> NameProblem:
        columns = [] if self.columns is None else list(columns_of(self.columns.type))
        meant = did_you_mean(name, [*columns, *self.names, "steps"])
        if self.columns is not None:
            return NameProblem(self.column_code, f'there is no {self.column_word} "{name}"', meant)
        return NameProblem("R05", f'there is no name "{name}" here', meant)

    def _unknown_part(self, path: tuple[str, ...], owner: Type) -> NameProblem:
        before = ".".join(path[:-1])
        if owner.kind not in ("record", "table", "file", "list"):
            return NameProblem("E04", f"{before} is {owner} and has no parts")
        meant = did_you_mean(path[-1], columns_of(owner))
        if path[0] == "inputs" and len(path) == 2:
            return NameProblem("R04", f'the workflow has no input "{path[1]}"', meant)
        if path[0] in ("run", "workflow", "trigger", "tables"):
            return NameProblem("R05", f'"{before}" has no "{path[-1]}"', meant)
        word = "column" if owner.kind in ("table", "record") else "part"
        code = self.row_code if path[0] == "row" else "C03"
        return NameProblem(code, f'"{before}" has no {word} "{path[-1]}"', meant)
