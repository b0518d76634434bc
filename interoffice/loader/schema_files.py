"""The JSON Schemas of selectors, tables, layouts, patterns, settings and schedules."""

from __future__ import annotations

from typing import Final

from interoffice.loader import contract_columns, schedules, selector_elements, selectors, settings
from interoffice.loader.contract_writing import SOURCE_KEYS
from interoffice.loader.contracts import KEYS as TABLE_KEYS
from interoffice.loader.schema_words import (
    ANY,
    DATE,
    DURATION,
    EXPRESSION,
    NAME,
    SCALAR,
    TEXT,
    TEXTS,
    VERSION,
    YES_NO,
    Schema,
    document,
    list_of,
    map_of,
    one_map,
    ref,
    said,
    whole,
    words,
    words_list,
)
from interoffice.model.contract import COLUMN_KINDS, PUBLISHERS

SIZE: Final[Schema] = {"type": "string", "pattern": r"^\d+ *(B|kB|KB|MB|GB)$"}
TIME: Final[Schema] = {"type": ["string", "number"]}


# selectors


def selectors_schema() -> Schema:
    """The schema of selectors/<app>.yaml."""
    keys: dict[str, Schema] = {
        **_plain(selectors.APPLICATION_KEYS),
        "version": VERSION,
        "office": words("front", "middle", "back"),
        "checked": said(DATE, "The day a person last saw it right."),
        "environments": map_of(ref("environment")),
        "max_sessions": said(whole(), "Sessions at once over all runs (licence seats)."),
        "settle": said(DURATION, "How long after a commit a list may not show it yet."),
        "patience": said(DURATION, "How long anything is waited for that has no `within`."),
        "formats": one_map({"date": TEXT, "number": TEXT}),
        "quiet": _quiet(),
        "keep_session": YES_NO,
        "scopes": map_of(_scope()),
        "elements": map_of(ref("element")),
        "sign_in": _sign_in(),
        "popups": map_of(one_map({"when": EXPRESSION, "press": TEXT, "at_most": whole()}, required=("when", "press"))),
        "healing": words("use", "ask", "off"),
        "evidence": words("full", "failures"),
        "screens": map_of(ref("screen")),
    }  # fmt: skip
    body = one_map(keys, required=("version", "application", "office", "environments", "screens"))
    definitions = {
        "environment": _environment(),
        "screen": _screen(),
        "element": _element(),
        "candidate": _candidate(),
        "opening": _opening(),
        "scope": list_of({"anyOf": [TEXT, map_of(TEXT)]}),
    }
    return document("Interoffice selectors", body, definitions)


def _plain(keys: tuple[str, ...]) -> dict[str, Schema]:
    return dict.fromkeys(keys, SCALAR)


def _quiet() -> Schema:
    keys = {"no_requests_for": DURATION, "no_changes_for": DURATION, "busy_while": EXPRESSION, "ignore": TEXTS}
    return one_map(keys)


def _scope() -> Schema:
    take = words("only", "first", "last", "topmost")
    return one_map({"css": TEXT, "caption": TEXT, "take": take}, required=("css",))


def _environment() -> Schema:
    keys = {
        **_plain(selectors.ENVIRONMENT_KEYS),
        "kind": words(*selectors.PLATFORMS),
        "command": list_of(SCALAR),
        "display": one_map({"size": TEXT, "dpi": whole()}),
    }
    return one_map(keys)


def _sign_in() -> Schema:
    step = one_map({"if": EXPRESSION, "fill": map_of(TEXT), "press": TEXT})
    keys = {
        "screen": TEXT,
        "steps": list_of(step),
        "done_when": EXPRESSION,
        "refused_when": EXPRESSION,
        "sign_out": TEXT,
    }
    return one_map(keys, required=("screen", "steps", "done_when"))


def _screen() -> Schema:
    find = {"screen": TEXT, "by": TEXTS, "read": TEXTS, "open_row": YES_NO}
    keys = {
        **_plain(selectors.SCREEN_KEYS),
        "open": said(ref("opening"), "An address, a menu path, `start`, or any of them by environment."),
        "again": said(ref("opening"), "The shorter way there after a commit that ended well; `stands`: none."),
        "ready_when": said(EXPRESSION, "What is true of the empty form only."),
        "fill": words("together", "one by one"),
        "scope": ref("scope"),
        "autosaves": YES_NO,
        "elements": map_of(ref("element")),
        "find_record": said(one_map(find, required=("screen", "by")), "The screen's own look-up."),
    }
    return one_map(keys, required=("ready_when",))


def _opening() -> Schema:
    how = {"anyOf": [TEXT, one_map({"address": TEXT, "menu": TEXT, "keys": TEXTS, "press": TEXTS})]}
    return {"anyOf": [how, map_of(how)]}


def _element() -> Schema:
    candidates = list_of(ref("candidate"))
    yes_no = ("required", "sensitive", "commits", "verify_after")
    column = one_map(
        {
            **_plain(selector_elements.COLUMN_KEYS),
            "caption": TEXTS,
            "type": words(*selector_elements.COLUMN_TYPES),
            "choices": TEXTS,
        }
    )
    keys = {
        **_plain(selector_elements.ELEMENT_KEYS),
        **dict.fromkeys(yes_no, YES_NO),
        "caption": said(TEXTS, "What a person reads beside or on it; a list where it has synonyms."),
        "type": words(*selector_elements.ELEMENT_TYPES),
        "find": said({"anyOf": [candidates, map_of(candidates)]}, "Further ways to find it, sturdiest first."),
        "scope": ref("scope"),
        "typed_into": candidates,
        "max_length": whole(),
        "max_pages": whole(),
        "choices": TEXTS,
        "accepts": TEXTS,
        "key": TEXTS,
        "compare": words(*selector_elements.COMPARES),
        "holds": words(*selector_elements.HELD),
        "within": DURATION,
        "heal": words("always", "never"),
        "columns": map_of(column),
        "elements": map_of(ref("element")),
        "preset": map_of(SCALAR),
        "entry": words("inline row", "modal", "first record"),
    }
    return one_map(keys, required=("type",))


def _candidate() -> Schema:
    place = {"type": "array", "items": whole(-100_000), "minItems": 2, "maxItems": 2}
    keys = {
        **_plain(selector_elements.CANDIDATE_KEYS),
        "keys": TEXTS,
        "copy": TEXTS,
        "beside": words("right", "below"),
        "offset": place,
        "at": place,
    }
    return one_map(keys)


# tables


def table_schema() -> Schema:
    """The schema of tables/<name>.yaml: contracts, queues, decision and risk tables, screening lists."""
    kinds = ("", "decision", "queue", "risk", "list")
    keys = {key: _table_key(key) for kind in kinds for key in TABLE_KEYS[kind]}
    needed = {"decision": ["file", "given", "gives"], "queue": ["key", "columns"], "risk": ["factors", "bands"],
              "list": ["files"]}  # fmt: skip
    body = one_map(keys, required=("version",))
    body["allOf"] = [{"if": {"required": [kind]}, "then": {"required": required}} for kind, required in needed.items()]
    return document("Interoffice table", body, {"column": _column()})


def _table_key(key: str) -> Schema:
    columns = map_of(ref("column"))
    controls = said(TEXTS, "Sentences that are true of a whole file, such as row count = trailer.count.")
    return {
        "version": VERSION, "source": _source(), "columns": columns, "given": columns,
        "gives": {"anyOf": [columns, TEXT]}, "unknown_columns": words("ignore", "error", "keep"),
        "trailer": one_map({"starts_with": TEXT, "columns": {"anyOf": [TEXTS, columns]}}),
        "controls": controls, "decision": YES_NO, "queue": YES_NO, "risk": YES_NO,
        "list": words(*PUBLISHERS), "files": TEXTS, "oldest": DURATION,
        "hit": words("first", "all", "add_up"), "key": TEXTS, "priority": words("low", "normal", "high"),
        "keep": DURATION, "bands": map_of(SCALAR),
        "factors": list_of(one_map({"column": TEXT, "points": map_of(SCALAR)}, required=("column", "points"))),
    }.get(key, SCALAR)  # fmt: skip


def _source() -> Schema:
    lists = {"formats": TEXTS, "dates": TEXTS}
    return one_map({**_plain(SOURCE_KEYS), **lists})


def _column(*more: str) -> Schema:
    keys = {
        **_plain((*contract_columns.COLUMN_KEYS, *more)),
        "from": said(TEXTS, "The headers that the column may have in a file."),
        "type": words(*COLUMN_KINDS, "file"),
        "required": YES_NO,
        "unique": YES_NO,
        "choices": TEXTS,
        "scale": words("points", "fraction"),
        "sensitive": said(YES_NO, "Never shown in logs, pictures and traces."),
    }
    if "find" in more:
        keys["find"] = list_of(one_map({"right_of": TEXT, "below": TEXT}))
    return one_map(keys, required=("type",))


def layout_schema() -> Schema:
    """The schema of tables/layouts/<name>.yaml."""
    keys = {
        **_plain(TABLE_KEYS["layout"]),
        "version": VERSION,
        "layout": words("fields", "table"),
        "dates": TEXTS,
        "decimal": TEXTS,
        "columns": map_of(_column("find")),
        "controls": said(TEXTS, "Sentences that are true of every row, such as net + vat = total within 0.02."),
    }
    return document("Interoffice layout", one_map(keys, required=("version", "layout", "columns")))


def patterns_schema() -> Schema:
    """The schema of tables/patterns.yaml."""
    pattern = one_map({"like": TEXT, "example": TEXT}, required=("like",))
    keys = {"version": VERSION, "name": TEXT, "patterns": map_of(pattern, names=NAME)}
    return document("Interoffice patterns", one_map(keys, required=("version", "patterns")))


# settings and schedules


def settings_schema() -> Schema:
    """The schema of settings.yaml."""
    away = one_map({"from": DATE, "to": DATE, "instead": TEXT}, required=("from", "to"))
    kept = {"anyOf": [DURATION, words("forever")]}
    limit = {"workflow": TEXT, "step": TEXT, "amount": TEXT, "currency": TEXT, "up_to": map_of(SCALAR)}
    keys: dict[str, Schema] = {
        **_plain(settings.TOP_KEYS),
        "version": VERSION,
        "calendars": map_of(one_map({"country": TEXT, "financial": TEXT, "also_closed": TEXTS})),
        "environments": map_of(one_map({"mail": TEXT, "workflows_released_by": TEXTS})),
        "mail": _mail(),
        "people": map_of(one_map({"name": TEXT, "email": TEXT, "away": away}, required=("name", "email"))),
        "groups": map_of(TEXTS),
        "release_limits": list_of(one_map(limit, required=("workflow", "step", "amount", "up_to"))),
        "files": one_map(
            {"roots": one_map({"read": TEXTS, "write": TEXTS}), "largest": SIZE, "unpacked_at_most": SIZE}
        ),
        "tables": one_map({"rows_at_most": whole(), "read_within": DURATION}),
        "evidence": one_map({"use": words(*settings.EVIDENCE), "keep_in": TEXT}),
        "retention": one_map(dict.fromkeys(("runs", "evidence", "waiting_runs", "audit"), kept)),
        "limits": one_map(
            dict.fromkeys(("runs_at_once", "items_at_once", "failures_in_a_row", "rows_in_a_mail"), whole())
        ),
        "audit": one_map({"heads_to": TEXTS, "heads_by_mail": TEXTS}),
        "screening": one_map({"cleared_by": TEXTS}),
    }
    return document("Interoffice settings", one_map(keys, required=("version",)))


def _mail() -> Schema:
    server = one_map({"imap": TEXT, "smtp": TEXT, "only_to": TEXTS})
    account = {"address": TEXT, "credential": TEXT, "trusted_senders": TEXTS, "allowed_senders": TEXTS}
    accounts = map_of(one_map(account, required=("address", "credential")))
    return one_map({"servers": map_of(server), "send_from": TEXT, "accounts": accounts})


def schedules_schema(workflows: tuple[str, ...] = ()) -> Schema:
    """The schema of schedules.yaml."""
    keys: dict[str, Schema] = {
        **_plain(schedules.KEYS),
        "id": {"type": "string", "pattern": NAME},
        "workflow": {"enum": list(workflows)} if workflows else TEXT,
        "every": said(TEXT, '"20 minutes", "business day at 06:30", "business day 2 of the month at 18:00"'),
        "between": {"type": "array", "items": TIME, "minItems": 2, "maxItems": 2},
        "days": words_list(("business", "all", *schedules.WEEKDAYS)),
        "must_finish_by": TIME,
        "if_missed": said(words(*schedules.IF_MISSED), "What happens to runs that an outage missed."),
        **dict.fromkeys(("catch_up_window", "late_after", "jitter", "settle"), DURATION),
        "enabled": YES_NO,
        "with": map_of(ANY),
        "min_items": whole(),
        "max_runs": whole(),
        "one_run_per": words("file", "batch"),
    }
    entry = one_map(keys, required=("id", "workflow"))
    entry["oneOf"] = [{"required": [trigger]} for trigger in schedules.TRIGGERS]
    top = {"version": VERSION, "timezone": TEXT, "calendar": TEXT, "alarms_to": TEXTS, "schedules": list_of(entry)}
    top["calls_at"] = whole()
    return document("Interoffice schedules", one_map(top, required=("version", "schedules")))
