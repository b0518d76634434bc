"""The check of one workflow under way: what was found so far, and reading its expressions and values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from interoffice.language.errors import ExpressionError
from interoffice.language.inference import Bare, infer, infer_condition
from interoffice.language.names import names_used
from interoffice.language.nodes import Logic, Node, Test
from interoffice.language.parser import parse_expression, parse_rule
from interoffice.language.templates import parse_template
from interoffice.model.types import ANY, MISSING, TEXT, Type, common_type, list_of, record_of
from interoffice.model.workflow import Raw, Step, Workflow
from interoffice.plan.flow import NOTHING, Flow, Origin, Unseen, flow_of, together
from interoffice.plan.places import in_loop, places_of
from interoffice.plan.project import Project
from interoffice.plan.scope import UNKNOWN, Known, Scope, StepFacts
from interoffice.problem import Edit, Path, Position, Problem, Severity

_BARE_EXPRESSION: Final = re.compile(r"(steps|inputs|run|workflow|trigger)(\.\w+)+")
_SAFE: Final = frozenset(("E02", "E03"))
"""Mistakes whose correction can only be the one suggested."""


ReadWorkflow = Callable[["Checking", Mapping[str, Known]], Mapping[str, Known]]
"""Checks a whole workflow that is called with these inputs; gives its outputs."""


class Typed(NamedTuple):
    """Something that a step types into an element: where it stands, and what of it was approved unseen."""

    path: Path
    element: str
    unseen: frozenset[Unseen]


@dataclass(kw_only=True)
class Checking:
    """One workflow being checked. `is_quiet` where only its types are wanted, its mistakes being reported elsewhere.

    `chain`: the workflows that call each other down to this one. `used`: names that anything reads. For the flow of
    rows: `released` by an approval, `seen` by anybody (a sub-workflow adds to both); what is `typed` into screens;
    what each call of a sub-workflow gives back (`called`).
    """

    project: Project
    workflow: Workflow
    read_workflow: ReadWorkflow
    is_quiet: bool = False
    chain: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    facts: dict[str, StepFacts] = field(default_factory=dict)
    used: set[tuple[str, ...]] = field(default_factory=set)
    outputs: Mapping[str, Known] = field(default_factory=dict)
    released: set[Origin] = field(default_factory=set)
    seen: set[Origin] = field(default_factory=set)
    typed: list[Typed] = field(default_factory=list)
    called: list[tuple[Step, frozenset[Origin]]] = field(default_factory=list)
    unlocked: set[str] = field(default_factory=set)

    def inside(self, workflow: Workflow) -> Checking:
        """The check of a sub-workflow, only for what it gives."""
        return Checking(
            project=self.project,
            workflow=workflow,
            read_workflow=self.read_workflow,
            is_quiet=True,
            chain=(*self.chain, workflow.key),
            released=self.released,
            seen=self.seen,
        )

    @cached_property
    def places(self) -> Mapping[str, Path]:
        """Step -> its place."""
        return places_of(self.workflow)

    def is_in_loop(self, step: Step) -> bool:
        """True of a step inside a loop's `do:`."""
        return in_loop(self.places[step.id])

    def says(self, *path: str | int) -> bool:
        """True where a key is written, rightly or not: then what it lacks has been reported."""
        return path in self.workflow.source.keys

    def full_name(self, step: Step) -> str:
        """The name of a step that no other workflow's step has."""
        return f"{self.workflow.key}/{step.id}"

    # reporting

    def report(
        self,
        rule: str,
        path: Path,
        message: str,
        *,
        suggestion: str | None = None,
        severity: Severity = "error",
        at_key: bool = False,
        see: Position | None = None,
    ) -> None:
        """Notes a mistake at a value, or at its key."""
        at = self.at_key(path) if at_key else self.at(path)
        self.add(Problem(rule=rule, message=message, at=at, suggestion=suggestion, severity=severity, see=see))

    def add(self, problem: Problem) -> None:
        """Notes a mistake, each once."""
        if not self.is_quiet and not any(
            known.rule == problem.rule and known.at == problem.at for known in self.problems
        ):
            self.problems.append(problem)

    def at(self, path: Path) -> Position:
        """Where a value stands; the key of a map, a list, a blank."""
        start, end = self.workflow.source.values.get(path, (0, 0))
        if end <= start or "\n" in self.workflow.source.text[start:end].rstrip():
            return self.at_key(path)
        return self.workflow.source.at(path)

    def at_key(self, path: Path) -> Position:
        """Where a key stands."""
        return self.workflow.source.at_key(path)

    def wrong_expression(self, path: Path, error: ExpressionError, *, syntax: str = "E01") -> None:
        """Notes a mistake inside an expression, at its own column."""
        source = self.workflow.source
        start, end = source.values.get(path, (0, 0))
        first, last = start + error.offset, start + error.offset + error.length
        fix: tuple[Edit, ...] = ()
        if error.code in _SAFE and error.suggestion is not None and last <= end:
            fix = (Edit(start=first, end=last, text=error.suggestion),)
        self.add(
            Problem(
                rule=syntax if error.code == "E01" else error.code,
                message=error.message,
                at=source.at(path, error.offset, error.length),
                suggestion=error.suggestion,
                fix=fix,
            )
        )

    # values and conditions

    def value(self, raw: Raw, path: Path, scope: Scope) -> Known:
        """What a value of the file is: its expressions checked, its type and flow."""
        if raw is None:
            return Known(type=MISSING)
        if isinstance(raw, str):
            return self._text(raw, path, scope)
        if isinstance(raw, Mapping):
            fields = {name: self.value(part, (*path, name), scope) for name, part in raw.items()}
            return record_known(fields)
        parts = [self.value(part, (*path, number), scope) for number, part in enumerate(raw)]
        return Known(type=list_of(_common(part.type for part in parts)), flow=together(part.flow for part in parts))

    def _text(self, text: str, path: Path, scope: Scope) -> Known:
        if "{{" not in text:
            if _BARE_EXPRESSION.fullmatch(text):
                message = f"this is the text {text} and not its value; write ${{{{ {text} }}}}"
                self.wrong_expression(path, ExpressionError("E03", message, 0, len(text), f"${{{{ {text} }}}}"))
                return UNKNOWN
            return Known(type=TEXT)
        try:
            template = parse_template(text)
        except ExpressionError as error:
            self.wrong_expression(path, error)
            return UNKNOWN
        single = template.single
        if single is not None:
            return self.node(single, path, scope)
        for node in template.nodes:
            self._inside_text(node, path, scope)
        return Known(type=TEXT, flow=together(flow_of(node, scope.flow) for node in template.nodes))

    def _inside_text(self, node: Node, path: Path, scope: Scope) -> None:
        found = self.node(node, path, scope).type
        if found.kind in ("table", "record", "list"):
            message = f"{found} can't stand inside a text; name one value of it, or count(...) it"
            self.wrong_expression(path, ExpressionError("E04", message, node.start, node.end - node.start))

    def node(self, node: Node, path: Path, scope: Scope, *, bare: Bare = "none") -> Known:
        """The type and flow of a parsed expression, its mistakes noted."""
        found = infer(node, scope, bare=bare)
        for error in found.problems:
            self.wrong_expression(path, error)
        self._note_use(node, path, scope)
        columns = NOTHING if scope.columns is None else scope.columns.flow
        return Known(type=found.type, flow=flow_of(node, scope.flow, columns))

    def expression(self, text: str, path: Path, scope: Scope, *, bare: Bare = "none") -> Known:
        """The type and flow of a bare expression (a key, a computed column)."""
        try:
            node = parse_expression(text)
        except ExpressionError as error:
            self.wrong_expression(path, error)
            return UNKNOWN
        return self.node(node, path, scope, bare=bare)

    def condition(
        self, text: str, path: Path, scope: Scope, *, bare: Bare = "none", syntax: str = "E01"
    ) -> Node | None:
        """The tree of a condition; None when it can't be read. Its mistakes are noted."""
        try:
            node = parse_rule(text)
        except ExpressionError as error:
            self.wrong_expression(path, error, syntax=syntax)
            return None
        for wrong in infer_condition(node, scope, bare=bare):
            self.wrong_expression(path, wrong, syntax=syntax)
        self._note_use(node, path, scope)
        return node

    def _note_use(self, node: Node, path: Path, scope: Scope) -> None:
        for name in names_used(node):
            self.used.add(name.path[:3])
            if scope.may_be_skipped(name):
                message = (
                    f'step "{name.path[1]}" may not have run here; read it in coalesce(...) or ask "is present" first'
                )
                self.wrong_expression(path, ExpressionError("R06", message, name.start, name.end - name.start))


def record_known(fields: Mapping[str, Known]) -> Known:
    """What is known of a record of these fields."""
    flow = Flow(fields={name: known.flow for name, known in fields.items()})
    return Known(type=record_of({name: known.type for name, known in fields.items()}), flow=flow)


def _common(types: Iterable[Type]) -> Type:
    found: Type | None = None
    for type in types:
        found = type if found is None else common_type(found, type)
        if found is None:
            return ANY
    return ANY if found is None else found


def seen_present(node: Node | None) -> frozenset[tuple[str, ...]]:
    """The names that are there where this condition holds: `a is present`, alone or joined by and."""
    from interoffice.language.names import path_of

    match node:
        case Logic(operator="and", left=left, right=right):
            return seen_present(left) | seen_present(right)
        case Test(operand=operand, test="present", negated=False) | Test(operand=operand, test="missing", negated=True):
            path = path_of(operand)
            return frozenset() if path is None else frozenset((path,))
    return frozenset()
