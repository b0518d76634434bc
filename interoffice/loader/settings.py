"""settings.yaml -> Settings, with every mistake at once; names that settings use among themselves are resolved here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final, Literal

from interoffice.errors import MistakesFound
from interoffice.loader.workflow import read_version
from interoffice.loader.yaml_tree import Fields, Reading, compose
from interoffice.model.settings import (
    Away,
    CalendarSetting,
    Environment,
    Evidence,
    Files,
    Limits,
    Mail,
    MailAccount,
    MailServer,
    Person,
    ReleaseLimit,
    Retention,
    Settings,
    TableLimits,
)
from interoffice.model.values import Duration
from interoffice.problem import Path, Problem, did_you_mean

TOP_KEYS: Final = (
    "version",
    "project",
    "timezone",
    "calendar",
    "date_format",
    "number_format",
    "language",
    "calendars",
    "environment",
    "environments",
    "mail",
    "people",
    "groups",
    "release_limits",
    "screening",
    "files",
    "tables",
    "evidence",
    "retention",
    "limits",
    "audit",
)
EVIDENCE: Final[tuple[Literal["full", "failures"], ...]] = ("full", "failures")

_SIZE: Final = re.compile(r"(\d+)[ ]*(B|kB|KB|MB|GB)")
_UNITS: Final = {"B": 1, "kB": 1_000, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_DATE_FORMAT: Final = re.compile(r"(?:[yMd]{1,4}|[./ -]|'[^']*')+")
_MAIL_ADDRESS: Final = {
    "imap": re.compile(r"imaps?://[^/\s:]+(:\d+)?/?|practice:imap"),
    "smtp": re.compile(r"smtps?://[^/\s:]+(:\d+)?/?|practice:smtp"),
}


def load_settings(text: str, file: str) -> Settings:
    """The settings of a file's text; MistakesFound with all its mistakes."""
    settings, problems = load_settings_with_problems(text, file)
    if settings is None or any(problem.severity == "error" for problem in problems):
        raise MistakesFound(problems)
    return settings


def load_settings_with_problems(text: str, file: str) -> tuple[Settings | None, list[Problem]]:
    """The settings as far as they can be read, and their mistakes; None where YAML itself can't be read."""
    try:
        reading = Reading(compose(text, file))
    except MistakesFound as found:
        return None, list(found.problems)
    top = reading.top(*TOP_KEYS)
    read_version(top)
    settings = _settings(top)
    top.close()
    if not reading.problems:
        _resolve(top, settings)
    return settings, reading.sorted_problems()


def _settings(top: Fields) -> Settings:
    heads_to, heads_by_mail = _texts_of(top, "audit", "heads_to", "heads_by_mail")
    return Settings(
        source=top.reading.source,
        project=top.text("project", default="interoffice"),
        timezone=zone(top, "timezone") or "UTC",
        calendar=top.text("calendar"),
        date_format=_date_format(top),
        number_format=_number_format(top),
        language=top.text("language", default="en"),
        calendars={name: _calendar(name, entry) for name, entry in top.map_of("calendars").items()},
        environment=top.text("environment"),
        environments={name: _environment(name, entry) for name, entry in top.map_of("environments").items()},
        mail=_mail(top),
        people={name: _person(name, entry) for name, entry in top.map_of("people").items()},
        groups=_groups(top),
        release_limits=tuple(_release_limit(entry) for entry in top.entries("release_limits")),
        files=_files(top),
        tables=_tables(top),
        evidence=_evidence(top),
        retention=_retention(top),
        limits=_limits(top),
        audit_heads_to=heads_to,
        audit_heads_by_mail=heads_by_mail,
        alerts_cleared_by=_texts_of(top, "screening", "cleared_by")[0],
    )


def zone(fields: Fields, key: str, rule: str = "S05") -> str | None:
    """The name of a time zone; None where it is missing or unknown (reported)."""
    import zoneinfo

    name = fields.text(key)
    if name is None:
        return None
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        meant = did_you_mean(name, zoneinfo.available_timezones())
        fields.problem(rule, key, f'"{name}" is no time zone; write one like Europe/Berlin', meant)
        return None
    return name


def _date_format(top: Fields) -> str:
    written = top.text("date_format", default="yyyy-MM-dd")
    if not _DATE_FORMAT.fullmatch(written) or not all(letter in written for letter in "yMd"):
        wrong = f'"date_format" is written with dd, MM and yyyy, like dd.MM.yyyy, not "{written}"'
        top.problem("S05", "date_format", wrong)
    return written


def _number_format(top: Fields) -> str:
    written = top.text("number_format", default="1234.56")
    if re.sub(r"\D", "", written) != "123456" or not re.fullmatch(r"1[^\d]?234[^\d]56", written):
        wrong = f'"number_format" shows how 1234.56 is written, like 1.234,56, not "{written}"'
        top.problem("S05", "number_format", wrong)
    return written


def _calendar(name: str, entry: Fields) -> CalendarSetting:
    closed = []
    for number, day in enumerate(entry.texts("also_closed")):
        try:
            closed.append(date.fromisoformat(day))
        except ValueError:
            several = isinstance(entry.raw("also_closed"), tuple)
            path = (*entry.place("also_closed"), number) if several else entry.place("also_closed")
            entry.reading.problem("S05", path, f'"{day}" is no date; write it like 2026-12-24')
    read = CalendarSetting(
        name=name, country=entry.text("country"), financial=entry.text("financial"), also_closed=tuple(closed)
    )
    entry.close()
    return read


def _environment(name: str, entry: Fields) -> Environment:
    released_by = entry.texts("workflows_released_by")
    read = Environment(name=name, mail=entry.text("mail"), workflows_released_by=released_by)
    entry.close()
    return read


def _mail(top: Fields) -> Mail:
    fields = top.sub("mail", "servers", "send_from", "accounts")
    if fields is None:
        return Mail()
    mail = Mail(
        servers={name: _server(name, entry) for name, entry in fields.map_of("servers").items()},
        accounts={name: _account(name, entry) for name, entry in fields.map_of("accounts").items()},
        send_from=fields.text("send_from"),
    )
    fields.close()
    return mail


def _server(name: str, entry: Fields) -> MailServer:
    addresses = {}
    for key, shape in _MAIL_ADDRESS.items():
        address = addresses[key] = entry.text(key)
        if address is not None and not shape.fullmatch(address):
            wrong = f'"{key}" must be an address like {key}s://mail.example.com, not "{address}"'
            entry.problem("S05", key, wrong)
    read = MailServer(name=name, imap=addresses["imap"], smtp=addresses["smtp"], only_to=entry.texts("only_to"))
    entry.close()
    return read


def _account(name: str, entry: Fields) -> MailAccount:
    read = MailAccount(
        name=name,
        address=_email(entry, "address"),
        credential=entry.text("credential", required=True),
        trusted_senders=entry.texts("trusted_senders"),
        allowed_senders=entry.texts("allowed_senders"),
    )
    entry.close()
    return read


def _email(entry: Fields, key: str) -> str:
    written = entry.text(key, required=True)
    if written and not _EMAIL.fullmatch(written):
        entry.problem("S05", key, f'"{key}" must be an e-mail address, not "{written}"')
    return written


def _person(id: str, entry: Fields) -> Person:
    read = Person(id=id, name=entry.text("name", required=True), email=_email(entry, "email"), away=_away(entry))
    entry.close()
    return read


def _away(entry: Fields) -> Away | None:
    fields = entry.sub("away", "from", "to", "instead")
    if fields is None:
        return None
    first, last = fields.date("from", required=True), fields.date("to", required=True)
    instead = fields.text("instead")
    if first and last and last < first:
        fields.problem("S05", "to", f'"to" ({last}) is before "from" ({first})')
    fields.close()
    return Away(from_=first, to=last, instead=instead) if first and last else None


def _groups(top: Fields) -> dict[str, tuple[str, ...]]:
    fields = top.sub("groups")
    return {name: fields.texts(name) for name in fields.names()} if fields else {}


def _release_limit(entry: Fields) -> ReleaseLimit:
    up_to = entry.sub("up_to", required=True)
    amounts = {}
    for group in up_to.names() if up_to else ():
        amount = up_to.decimal(group) if up_to else None
        if amount is not None:
            amounts[group] = format(amount, "f")
    read = ReleaseLimit(
        workflow=entry.text("workflow", required=True),
        step=entry.text("step", required=True),
        amount=entry.text("amount", required=True),
        currency=entry.text("currency"),
        up_to=amounts,
    )
    entry.close()
    return read


def _files(top: Fields) -> Files:
    fields = top.sub("files", "roots", "largest", "unpacked_at_most")
    plain = Files()
    if fields is None:
        return plain
    roots = fields.sub("roots", "read", "write")
    read = Files(
        read=_folders(roots, "read") if roots and roots.has("read") else plain.read,
        write=_folders(roots, "write") if roots and roots.has("write") else plain.write,
        largest_bytes=_size(fields, "largest", plain.largest_bytes),
        unpacked_at_most_bytes=_size(fields, "unpacked_at_most", plain.unpacked_at_most_bytes),
    )
    if roots:
        roots.close()
    fields.close()
    return read


def _folders(roots: Fields, key: str) -> tuple[str, ...]:
    folders = roots.texts(key)
    for number, folder in enumerate(folders):
        if folder.startswith(("/", "\\", "~")) or ".." in folder.replace("\\", "/").split("/") or ":" in folder:
            path = (*roots.place(key), number) if isinstance(roots.raw(key), tuple) else roots.place(key)
            wrong = f'"{folder}" leads out of the project; a root is a folder inside it'
            roots.reading.problem("S05", path, wrong)
    return folders


def _size(fields: Fields, key: str, default: int) -> int:
    written = fields.text(key)
    if written is None:
        return default
    found = _SIZE.fullmatch(written)
    if found is None or len(found[1]) > 9 or not int(found[1]):
        fields.problem("S05", key, f'"{key}" must be a size like 50 MB, not "{written}"')
        return default
    return int(found[1]) * _UNITS[found[2]]


def _tables(top: Fields) -> TableLimits:
    fields = top.sub("tables", "rows_at_most", "read_within")
    plain = TableLimits()
    if fields is None:
        return plain
    read = TableLimits(
        rows_at_most=fields.whole("rows_at_most", default=plain.rows_at_most),
        read_within=fields.duration("read_within") or plain.read_within,
    )
    fields.close()
    return read


def _evidence(top: Fields) -> Evidence:
    fields = top.sub("evidence", "use", "keep_in")
    if fields is None:
        return Evidence()
    read = Evidence(
        use=fields.choice("use", EVIDENCE, "full"), keep_in=fields.text("keep_in", default="state/evidence")
    )
    fields.close()
    return read


def _retention(top: Fields) -> Retention:
    fields = top.sub("retention", "runs", "evidence", "waiting_runs", "audit")
    plain = Retention()
    if fields is None:
        return plain
    read = Retention(
        runs=_kept(fields, "runs", plain.runs),
        evidence=_kept(fields, "evidence", plain.evidence),
        waiting_runs=_kept(fields, "waiting_runs", plain.waiting_runs),
        audit=_kept(fields, "audit", plain.audit),
    )
    fields.close()
    return read


def _kept(fields: Fields, key: str, default: Duration | None) -> Duration | None:
    if fields.raw(key) == "forever":
        return None
    return fields.duration(key) or default


def _limits(top: Fields) -> Limits:
    fields = top.sub("limits", "runs_at_once", "items_at_once", "failures_in_a_row", "rows_in_a_mail")
    plain = Limits()
    if fields is None:
        return plain
    read = Limits(
        runs_at_once=fields.whole("runs_at_once", default=plain.runs_at_once),
        items_at_once=fields.whole("items_at_once", default=plain.items_at_once),
        failures_in_a_row=fields.whole("failures_in_a_row", default=plain.failures_in_a_row),
        rows_in_a_mail=fields.whole("rows_in_a_mail", default=plain.rows_in_a_mail),
    )
    fields.close()
    return read


def _texts_of(top: Fields, key: str, *inner: str) -> list[tuple[str, ...]]:
    """Lists of texts below one key, in the order of their names."""
    fields = top.sub(key, *inner)
    if fields is None:
        return [() for _ in inner]
    read = [tuple(fields.texts(name)) for name in inner]
    fields.close()
    return read


def _resolve(top: Fields, settings: Settings) -> None:
    """Reports names in the settings that nothing in the settings has, each once. Asked of a sound shape only."""
    names = _Names(top.reading)
    names.know(("calendar",), settings.calendar, settings.calendars, "calendar", rule="R09")
    names.know(("environment",), settings.environment, settings.environments, "environment")
    names.know(("mail", "send_from"), settings.mail.send_from, settings.mail.accounts, "mail account")
    for name, environment in settings.environments.items():
        path: Path = ("environments", name)
        names.know((*path, "mail"), environment.mail, settings.mail.servers, "mail server")
        names.know_all((*path, "workflows_released_by"), environment.workflows_released_by, settings.groups, "group")
    for group, people in settings.groups.items():
        names.know_all(("groups", group), people, settings.people, "person")
    for id, person in settings.people.items():
        if person.away:
            names.know(("people", id, "away", "instead"), person.away.instead, settings.people, "person")
    for number, limit in enumerate(settings.release_limits):
        for group in limit.up_to:
            path = ("release_limits", number, "up_to", group)
            names.know(path, group, settings.groups, "group", at_key=True)
    names.know_all(("screening", "cleared_by"), settings.alerts_cleared_by, settings.groups, "group")
    _one_address_each(top, settings)


def _one_address_each(top: Fields, settings: Settings) -> None:
    """Two people with one e-mail address would be one person to four eyes."""
    seen: dict[str, str] = {}
    for id, person in settings.people.items():
        first = seen.setdefault(person.email.casefold(), id)
        if person.email and first != id:
            wrong = f'"{person.email}" is the address of {first} already; four eyes need one address for each person'
            top.reading.problem("S04", ("people", id, "email"), wrong)


class _Names:
    """Looks names up, and reports an unknown one where it stands first."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.reported: set[tuple[str, str]] = set()

    def know_all(self, path: Path, names: Iterable[str], known: Iterable[str], what: str) -> None:
        """Every name of a list (or the one text that stands for it)."""
        words = tuple(known)
        for number, name in enumerate(names):
            place = (*path, number)
            self.know(place if place in self.reading.source.values else path, name, words, what)

    def know(
        self,
        path: Path,
        name: str | None,
        known: Iterable[str],
        what: str,
        *,
        rule: str = "R05",
        at_key: bool = False,
    ) -> None:
        """One name; None is none."""
        words = tuple(known)
        if name is None or name in words or (what, name) in self.reported:
            return
        self.reported.add((what, name))
        wrong = f'there is no {what} "{name}" in these settings'
        self.reading.problem(rule, path, wrong, suggestion=did_you_mean(name, words), at_key=at_key)
