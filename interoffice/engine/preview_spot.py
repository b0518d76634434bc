"""Where in a preview a step stands, how values are shown there, and what all parts of a preview share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from interoffice.declaration import BotDescription
from interoffice.engine.attempts import inputs_of
from interoffice.engine.evaluation import scope_at, text_of, value_of
from interoffice.engine.preview_calls import Asked, Looking
from interoffice.engine.preview_mails import MailFolder
from interoffice.engine.previewed import Change, ItemSeen, State, StepSeen
from interoffice.engine.run import Place, Run
from interoffice.engine.unknown import PartlyUnknown, Unknown
from interoffice.language.errors import ExpressionError, RowError
from interoffice.model.formats import format_value
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Value
from interoffice.model.workflow import VERBS, BotCall, Raw, Step, Wait
from interoffice.store.steps import StepPlace
from interoffice.store.views import Failure

LONGEST: Final = 200
HIDDEN: Final = "not shown"
UNKNOWN: Final = "?"
_BRACES: Final = re.compile(r"\$\{\{.*?\}\}")
_VERB_OF: Final = {kind: verb for verb, kind in VERBS.items()}


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A place, and the list that takes what is seen there. `condition`: when a run would come here; "" for sure."""

    place: Place
    into: list[StepSeen]
    condition: str = ""

    def given(self, condition: str) -> Spot:
        """The same under one more condition."""
        return replace(self, condition=f"{self.condition}, {condition}" if self.condition else condition)


class Sources:
    """The files that were read, by their digest; what stands in the preview's own folder is none."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.digests: dict[str, str] = {}

    def note(self, value: Value) -> None:
        """Every file in a value."""
        if isinstance(value, FileValue):
            place = (self._run.project.folder / value.path).resolve()
            if not place.is_relative_to(self._run.folder.resolve()):
                self.digests[value.path] = value.sha256
        elif isinstance(value, Table):
            for name, type in value.columns.items():
                if type.kind == "file":
                    self.note(value.column(name))
        elif isinstance(value, Mapping):
            self.note(tuple(value.values()))
        elif isinstance(value, tuple | list):
            for part in value:
                self.note(part)

    def note_inputs(self, bot: BotDescription, inputs: Mapping[str, Value]) -> None:
        """The files that a call was given, by name too."""
        for name, value in inputs.items():
            declared = bot.inputs.get(name)
            if declared is not None and declared.type.kind == "file":
                for file in value if isinstance(value, tuple) else (value,):
                    self.note_file(file) if isinstance(file, str) else self.note(file)

    def note_file(self, file: str) -> None:
        """A file of the project by its path."""
        digest = self._run.project.digest(file)
        if digest is not None:
            self.digests[file] = digest


@dataclass(frozen=True, kw_only=True)
class Tour:
    """What all parts of a preview share. `held`: what a run of the kept plan is held to, by path."""

    run: Run
    masked: frozenset[str]
    looking: Looking
    mails: MailFolder
    sources: Sources
    make_known: Callable[[], None]
    held: dict[str, object] = field(default_factory=dict)

    # seeing

    def see(
        self,
        spot: Spot,
        step: Step,
        state: State,
        text: str = "",
        *,
        inputs: Mapping[str, str] | None = None,
        change: Change | None = None,
        rows: tuple[Mapping[str, str], ...] = (),
        steps: tuple[StepSeen, ...] = (),
        items: tuple[ItemSeen, ...] | None = None,
    ) -> None:
        """Notes what was seen of a step."""
        spot.into.append(
            StepSeen(
                path=spot.place.prefix + step.id,
                title=self.title(spot.place, step),
                verb=verb_of(step),
                bot=bot_name(step),
                state=state,
                text=text,
                condition=spot.condition,
                inputs=inputs or {},
                change=change,
                rows=rows,
                steps=steps,
                items=items,
            )
        )

    def title(self, place: Place, step: Step) -> str:
        """What a person calls the step; a part that can't be known is a question mark."""
        if step.name is None or "${{" not in step.name:
            return step.title
        try:
            return text_of(step.name, scope_at(self.run, place), self.run)
        except (Unknown, RowError, ExpressionError):
            return _BRACES.sub(UNKNOWN, step.name)

    def shown(self, name: str, value: Value) -> str:
        """A value as a person may see it."""
        if name in self.masked:
            return HIDDEN
        if isinstance(value, Mapping):
            return ", ".join(f"{part}: {self.shown(part, each)}" for part, each in value.items())
        if isinstance(value, tuple | list):
            text = ", ".join(self.shown(name, each) for each in value)
        else:
            text = format_value(value, self.run.formats)
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

    def shown_row(self, row: Mapping[str, Value], names: tuple[str, ...] = ()) -> dict[str, str]:
        """A row's cells, all or these; tables and groups as their number of rows."""
        found = {}
        for name in names or tuple(row):
            try:
                value = row.get(name)
            except Unknown:
                found[name] = UNKNOWN
                continue
            is_group = isinstance(value, tuple | list) and bool(value) and isinstance(value[0], Mapping)
            found[name] = f"{len(value)} rows" if is_group else self.shown(name, value)  # type: ignore[arg-type]
        return found

    def outputs_text(self, outputs: Mapping[str, Value]) -> str:
        """Outputs in one line."""
        return ", ".join(f"{name}: {self.shown(name, value)}" for name, value in outputs.items() if value is not None)

    # values

    def inputs(
        self, place: Place, bot: BotDescription, said: Mapping[str, Raw]
    ) -> tuple[dict[str, Value], dict[str, str]]:
        """The inputs of a call that are known; and those that aren't, with what they need."""
        run, scope = self.run, scope_at(self.run, place)
        known, unknown = dict[str, Value](), dict[str, str]()
        for name, raw in said.items():
            try:
                found = inputs_of(
                    run,
                    bot,
                    lambda raw: value_of(raw, scope),  # type: ignore[arg-type]
                    {name: raw},
                    for_people=lambda raw: value_of(raw, scope, run.formats),  # type: ignore[arg-type]
                )
            except Unknown as missing:
                unknown[name] = missing.name
            else:
                known.update(found)
        return known, unknown

    def inputs_text(self, place: Place, said: Mapping[str, Raw]) -> dict[str, str]:
        """Inputs as a person reads them, entries of maps one by one."""
        return dict(self._texts(place, said, ""))

    def _texts(self, place: Place, said: Mapping[str, Raw], prefix: str) -> Iterator[tuple[str, str]]:
        for name, raw in said.items():
            if isinstance(raw, Mapping):
                yield from self._texts(place, raw, f"{prefix}{name}.")
                continue
            try:
                text = self.shown(name, value_of(raw, scope_at(self.run, place)))
            except Unknown:
                text = UNKNOWN
            except (RowError, ExpressionError) as error:
                text = f"{UNKNOWN} ({error})"
            yield f"{prefix}{name}", text

    def call(self, spot: Spot, step: Step, bot: BotDescription, inputs: Mapping[str, Value]) -> Asked:
        """The call of a bot at a place."""
        run, place = self.run, spot.place
        at = StepPlace(
            run_id=run.run_id,
            path=place.prefix + step.id,
            position=next(run.control.positions),
            step_id=step.id,
            kind=verb_of(step),
            bot=bot.name,
            office=bot.office,
        )
        plain = {name: value for name, value in place.names.items() if name != "run"}
        title = self.title(place, step)
        named = replace(step, name=None if "${{" in title else title)
        call = Asked(run, replace(place, names=plain), named, at, bot, inputs)
        if call.credentials or place.workflow.locks:
            self.make_known()
        return call


def verb_of(step: Step) -> str:
    """bot, check, for_each ..."""
    return _VERB_OF.get(type(step.kind), type(step.kind).__name__)


def bot_name(step: Step) -> str:
    """The bot of a step, "" where it has none."""
    return step.kind.bot or "" if isinstance(step.kind, BotCall | Wait) else ""


def facts_of(run: Run, failure: Failure | None = None, *, ending: bool = False) -> Mapping[str, Value]:
    """`run.` in a preview: the run's id and its report come with the run."""
    known: dict[str, Value] = {"date": run.times.today, "started_by": run.started_by}
    unknown = {"id": "run.id"}
    if ending:
        known["failed_step"] = None if failure is None else failure.step
        known["error"] = None if failure is None else failure.message
        unknown["report"] = "run.report"
    return PartlyUnknown(known, unknown)
