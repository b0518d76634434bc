"""Calls of bots: the bot is there, its inputs have right names and types (B01 to B05), and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from interoffice.declaration import BotDescription
from interoffice.language.scopes import columns_of
from interoffice.model.contract import DecisionTable, RiskTable, TableFile
from interoffice.model.risk_points import misfit_of
from interoffice.model.types import record_of
from interoffice.model.workflow import BotCall, Raw, Step
from interoffice.plan.check_charts import check_charts
from interoffice.plan.check_mail import check_template
from interoffice.plan.check_rules import check_columns
from interoffice.plan.check_screens import SCREEN_KINDS, check_screen_inputs
from interoffice.plan.check_tables import is_open
from interoffice.plan.checking import Checking
from interoffice.plan.fitting import misfit
from interoffice.plan.flow import NOTHING, Flow
from interoffice.plan.given import GivenInput
from interoffice.plan.named_columns import ProjectColumns, find_screen
from interoffice.plan.output_types import Given, output_types
from interoffice.plan.scope import UNKNOWN, Known, Scope
from interoffice.problem import did_you_mean, guess

TABLE_KINDS: Final[Mapping[str, str]] = {
    "contract": "table contract",
    "layout": "layout",
    "decision table": "decision table",
    "risk table": "risk table",
    "queue": "queue",
}
"""Kind of input -> kind of the file that it names."""


def check_call(
    checking: Checking, step: Step, name: str, inputs: Mapping[str, Raw], here: Scope
) -> Mapping[str, Known] | None:
    """Checks a step that calls a bot; gives its outputs, None where they can't be known."""
    values = {key: checking.value(raw, (*step.path, "with", key), here) for key, raw in inputs.items()}
    bot = checking.project.registry.find(name)
    for known in values.values():
        checking.seen |= known.flow.all_rows
    verb = (*step.path, "bot") if isinstance(step.kind, BotCall) else (*step.path, "wait")
    if bot is None:
        if name and name.partition(".")[0] not in checking.project.registry.broken:
            meant = did_you_mean(name, checking.project.registry.bots)
            checking.report("B01", verb, f'there is no bot "{name}"', suggestion=meant)
        return None
    if bot.deprecated:
        checking.report("B05", verb, f'"{name}" is deprecated: {bot.deprecated}', severity="warning")
    given = _named(checking, step, bot, inputs, values)
    for one in given.values():
        _check_input(checking, bot, one, given)
    check_screen_inputs(checking, step, bot, given)
    return _outputs(checking, bot, given)


def call_known(outputs: Mapping[str, Known] | None) -> Known:
    """The outputs of a call as one record."""
    if outputs is None:
        return UNKNOWN
    return Known(type=record_of({name: known.type for name, known in outputs.items()}))


def _named(
    checking: Checking, step: Step, bot: BotDescription, inputs: Mapping[str, Raw], values: Mapping[str, Known]
) -> dict[str, GivenInput]:
    """The inputs under their right names; notes unknown (B02) and missing ones (B03)."""
    missing = [name for name, one in bot.inputs.items() if not one.optional and inputs.get(name) is None]
    given: dict[str, GivenInput] = {}
    for name, raw in inputs.items():
        path = (*step.path, "with", name)
        meant: str | None = name
        if name not in bot.inputs:
            free = [each for each in bot.inputs if each not in inputs]
            meant = did_you_mean(name, free)
            message = f'"{bot.name}" has no input "{name}"'
            checking.report("B02", path, message, suggestion=meant, at_key=True)
            meant = meant or (missing[0] if len(missing) == 1 else None)
        if meant is not None and raw is not None:
            missing = [each for each in missing if each != meant]
            given[meant] = GivenInput(declared=bot.inputs[meant], path=path, raw=raw, known=values[name])
    if missing:
        _report_missing(checking, step, bot, missing)
    return given


def _report_missing(checking: Checking, step: Step, bot: BotDescription, missing: list[str]) -> None:
    names = " and ".join(f'"{name}"' for name in missing)
    path = (*step.path, "with") if (*step.path, "with") in checking.workflow.source.keys else step.path
    verb = "bot" if isinstance(step.kind, BotCall) else "wait"
    if path == step.path:
        checking.report("B03", (*step.path, verb), f'"{bot.name}" needs {names} under "with"')
    else:
        checking.report("B03", path, f'"{bot.name}" needs {names}', at_key=True)


def _check_input(checking: Checking, bot: BotDescription, one: GivenInput, given: Mapping[str, GivenInput]) -> None:
    kind = one.declared.kind
    if kind in SCREEN_KINDS:
        return
    if kind in ("column", "columns"):
        _check_columns(checking, bot, one, given)
    elif kind in TABLE_KINDS:
        found = _check_table_name(checking, one, TABLE_KINDS[kind])
        if isinstance(found, DecisionTable | RiskTable):
            _check_asked(checking, one, found, given)
    elif kind == "screening lists":
        _check_lists(checking, one)
    elif kind == "mail account":
        _check_account(checking, one)
    elif kind == "template":
        if needs_name(checking, one):
            check_template(checking, one, given)
    elif kind == "credential":
        _check_credential(checking, one)
    elif kind == "sheet tables":
        _check_sheets(checking, one)
    elif kind == "charts":
        check_charts(checking, one, given)
    else:
        _check_value(checking, one)


def _check_value(checking: Checking, one: GivenInput) -> None:
    declared = one.declared
    if declared.kind == "table or record":
        if one.known.type.kind in ("table", "record", "any"):
            return
        wrong_value(checking, one, f"must be a table or a record, not {_said(one)}")
        return
    if declared.kind == "values" and one.known.type.kind in ("record", "any"):
        return
    wrong = misfit(declared.type, one.known.type, one.raw, many=declared.many)
    if wrong is not None:
        wrong_value(checking, one, wrong.message, suggestion=wrong.suggestion)


def wrong_value(
    checking: Checking, one: GivenInput, message: str, *, rule: str = "B04", suggestion: str | None = None
) -> None:
    """Notes a value that doesn't fit its input."""
    checking.report(rule, one.path, f'"{one.declared.name}" {message}', suggestion=suggestion)


def _said(one: GivenInput) -> str:
    if isinstance(one.raw, str) and "${{" not in one.raw:
        return f'the text "{one.raw}"'
    return str(one.known.type)


def needs_name(checking: Checking, one: GivenInput) -> bool:
    """True of a name that is written out; one made by an expression is reported."""
    if isinstance(one.raw, str) and "${{" not in one.raw:
        return True
    if one.known.type.kind != "any" or not isinstance(one.raw, str):
        wrong_value(checking, one, f"is the name of a {one.declared.kind}, written out and not made from data")
    return False


def _check_credential(checking: Checking, one: GivenInput) -> None:
    """K02 for a name that is nearly one of those stored; that one is not stored yet stops a run, not a check."""
    if isinstance(one.raw, str) and "${{" not in one.raw:
        known = checking.project.credentials or frozenset()
        meant = None if not known or one.raw in known else guess(one.raw, known)
        if meant is not None and meant.is_certain:
            checking.report("K02", one.path, f'there is no credential "{one.raw}"', suggestion=meant.word)
    elif one.known.type.kind not in ("credential", "any"):
        wrong_value(checking, one, "is the name of a credential, written out and not made from data")


def _check_account(checking: Checking, one: GivenInput) -> None:
    settings = checking.project.known_settings
    if not needs_name(checking, one) or settings is None or one.raw in settings.mail.accounts:
        return
    meant = did_you_mean(str(one.raw), settings.mail.accounts)
    checking.report("R05", one.path, f'there is no mail account "{one.raw}" in settings.yaml', suggestion=meant)


def _check_table_name(checking: Checking, one: GivenInput, wanted: str) -> TableFile | None:
    if not needs_name(checking, one):
        return None
    project, name = checking.project, str(one.raw)
    loaded = project.table_file(name)
    if loaded is None:
        meant = did_you_mean(name, project.tables())
        checking.report("R09", one.path, f'there is no {wanted} "{name}" in tables/', suggestion=meant)
    elif loaded.content is not None and loaded.content.kind != wanted:
        checking.report("R09", one.path, f'"{name}" is a {loaded.content.kind}, and a {wanted} is needed')
    return None if loaded is None else loaded.content


def _check_lists(checking: Checking, one: GivenInput) -> None:
    """Each name is that of a screening list in tables/."""
    for number, name in enumerate(one.raw if isinstance(one.raw, tuple) else (one.raw,)):
        place = (*one.path, number)
        path = place if place in checking.workflow.source.values else one.path
        _check_table_name(checking, replace(one, raw=name, path=path), "screening list")


def _check_asked(
    checking: Checking, one: GivenInput, found: DecisionTable | RiskTable, given: Mapping[str, GivenInput]
) -> None:
    """The rows have the columns that a decision or risk table asks for (C03), and values that it has keys for (S05)."""
    rows = next((each for each in given.values() if each.declared.kind in ("table", "table or record")), None)
    if rows is None:
        return
    asked = tuple(found.given) if isinstance(found, DecisionTable) else tuple(each.column for each in found.factors)
    known = columns_of(rows.known.type)
    missing = [] if is_open(rows.known.type) else [name for name in asked if name not in known]
    if missing:
        checking.report("C03", one.path, f"the rows lack {', '.join(missing)}, which {one.raw} asks for")
    for factor in found.factors if isinstance(found, RiskTable) else ():
        wrong = misfit_of(factor, known[factor.column]) if factor.column in known else None
        if wrong is not None:
            checking.report("B04", one.path, f"{one.raw} {wrong}")


def _check_columns(checking: Checking, bot: BotDescription, one: GivenInput, given: Mapping[str, GivenInput]) -> None:
    """Names of columns: of the screen's grid where the bot has a screen, else of the table given."""
    raw = one.raw if isinstance(one.raw, tuple) else (one.raw,)
    if any(not isinstance(part, str) or "${{" in part for part in raw):
        needs_name(checking, one)
        return
    names = tuple(str(part) for part in raw)
    if bot.named("screen") is not None:
        return
    table = next((each for each in given.values() if each.declared.kind in ("table", "table or record")), None)
    if table is not None:
        check_columns(checking, table.known.type, names, one.path)


def _check_sheets(checking: Checking, one: GivenInput) -> None:
    if not isinstance(one.raw, Mapping):
        wrong_value(checking, one, "is a map of names to tables")
        return
    fields = columns_of(one.known.type)
    for name in one.raw:
        found = fields.get(name)
        if found is not None and found.kind not in ("table", "any"):
            checking.report("B04", (*one.path, name), f'"{name}" must be a table, not {found}')


# what it gives


def _outputs(checking: Checking, bot: BotDescription, given: Mapping[str, GivenInput]) -> Mapping[str, Known]:
    files = ProjectColumns(project=checking.project, module=bot.module)
    said = {name: Given(raw=one.raw, type=one.known.type) for name, one in given.items()}
    types = output_types(bot, said, files)
    return {name: Known(type=type, flow=_flow(bot, name, given)) for name, type in types.items()}


def _flow(bot: BotDescription, output: str, given: Mapping[str, GivenInput]) -> Flow:
    """The flow of the rows that a bot gives back with more columns."""
    says = bot.outputs[output].says
    word, _, name = says.split(" plus ")[0].partition(" ")
    if word != "input" or name.strip() not in given:
        return NOTHING
    return given[name.strip()].known.flow


# modifiers of a step with a bot


def check_timeout(checking: Checking, step: Step) -> None:
    """F05: a bot that may run for ever."""
    says = checking.says("defaults", "timeout") or checking.says(*step.path, "timeout")
    if step.timeout is None and checking.workflow.default_timeout is None and not says:
        message = 'this step may run for ever; give it a "timeout", or all steps one under "defaults"'
        checking.report("F05", (*step.path, "bot"), message, at_key=True)


def check_retry(checking: Checking, step: Step, call: BotCall) -> None:
    """F04: a repeat of what can't be looked up."""
    bot = checking.project.registry.find(call.bot)
    if bot is None or not bot.writes or step.retry is None or step.retry.attempts < 2 or step.look_up is not None:
        return
    if not can_look_up(checking, bot, call):
        reason = "sends" if bot.effect == "sends" else "changes something"
        message = f'"{bot.name}" {reason} and can\'t look up whether it did; without look_up it is never repeated'
        checking.report("F04", (*step.path, "retry"), message, at_key=True)


def can_look_up(checking: Checking, bot: BotDescription, call: BotCall) -> bool:
    """True of a bot that finds out itself whether its act happened; of a screen's only with its find_record."""
    if not bot.has_look_up:
        return False
    screen = bot.named("screen")
    raw = None if screen is None else call.inputs.get(screen.name)
    if not isinstance(raw, str):
        return True
    found = find_screen(checking.project, raw, bot.module)
    return found is None or found[1].find_record is not None
