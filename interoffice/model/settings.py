"""settings.yaml: names and limits of a project; never a secret's value."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import field
from datetime import date
from typing import Final, Literal

from interoffice.frozen import dataclass
from interoffice.model.values import Duration
from interoffice.problem import Source

MB: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarSetting:
    """When no business is done. `country` (DE, US-NY) and `financial` (ECB) are codes of the holidays library."""

    name: str
    country: str | None = None
    financial: str | None = None
    also_closed: tuple[date, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """One set of addresses. `mail` names a mail server.

    Where `workflows_released_by` names groups, only workflows that one of their people released run.
    """

    name: str
    mail: str | None = None
    workflows_released_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """Where mail is fetched and sent: `imaps://host:port`, `smtps://host`, or `practice:imap`.

    `only_to` patterns like `*@example.com`; () for anybody.
    """

    name: str
    imap: str | None = None
    smtp: str | None = None
    only_to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MailAccount:
    """A mailbox. `trusted_senders`: servers whose Authentication-Results count; `allowed_senders`: addresses let in."""

    name: str
    address: str
    credential: str
    trusted_senders: tuple[str, ...] = ()
    allowed_senders: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """Servers and accounts by name; `send_from` is the account that mails go out from."""

    servers: Mapping[str, MailServer] = field(default_factory=dict)
    accounts: Mapping[str, MailAccount] = field(default_factory=dict)
    send_from: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Away:
    """A person's absence, both days included; `instead` decides meanwhile (None: nobody does)."""

    from_: date
    to: date
    instead: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody who may start, approve or edit. `id` is the name in settings.yaml."""

    id: str
    name: str
    email: str
    away: Away | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseLimit:
    """The most that one approver may release per row; `amount` and `currency` are columns, `up_to` group -> number."""

    workflow: str
    step: str
    amount: str
    currency: str | None
    up_to: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """Folders (relative to the project) that bots may read and write, and how big a file may be."""

    read: tuple[str, ...] = ("inbox", "data", "tables")
    write: tuple[str, ...] = ("data", "reports", "out", "archive")
    largest_bytes: int = 50 * MB
    unpacked_at_most_bytes: int = 500 * MB


@dataclass(frozen=True, kw_only=True, slots=True)
class TableLimits:
    """Bounds of a table that is read from a file."""

    rows_at_most: int = 2_000_000
    read_within: Duration = field(default=Duration(seconds=120))


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What is kept of a run's pictures. `keep_in` is a folder relative to the project."""

    use: Literal["full", "failures"] = "full"
    keep_in: str = "state/evidence"


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How long things are kept; None: for ever."""

    runs: Duration | None = field(default=Duration(days=400))
    evidence: Duration | None = field(default=Duration(days=180))
    waiting_runs: Duration | None = field(default=Duration(days=120))
    audit: Duration | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds over all runs. `failures_in_a_row`: application errors that stop a workflow."""

    runs_at_once: int = 4
    items_at_once: int = 8
    failures_in_a_row: int = 5
    rows_in_a_mail: int = 200


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a project."""

    source: Source
    project: str = "interoffice"
    timezone: str = "UTC"
    calendar: str | None = None
    date_format: str = "yyyy-MM-dd"
    number_format: str = "1234.56"
    language: str = "en"
    calendars: Mapping[str, CalendarSetting] = field(default_factory=dict)
    environment: str | None = None
    environments: Mapping[str, Environment] = field(default_factory=dict)
    mail: Mail = field(default_factory=Mail)
    people: Mapping[str, Person] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    release_limits: tuple[ReleaseLimit, ...] = ()
    files: Files = field(default_factory=Files)
    tables: TableLimits = field(default_factory=TableLimits)
    evidence: Evidence = field(default_factory=Evidence)
    retention: Retention = field(default_factory=Retention)
    limits: Limits = field(default_factory=Limits)
    audit_heads_to: tuple[str, ...] = ()
    """Folders beside state/ that get the audit's head too."""
    audit_heads_by_mail: tuple[str, ...] = ()
    """Addresses that get the audit's head once a day."""
    alerts_cleared_by: tuple[str, ...] = ()
    """Groups whose people decide on alerts of screening."""

    def mail_server(self, environment: str | None = None) -> MailServer | None:
        """The mail server of an environment (left out: the project's own); None where it has none."""
        found = self.environments.get(environment or self.environment or "")
        return self.mail.servers.get(found.mail) if found and found.mail else None

    def calendar_setting(self, name: str | None = None) -> CalendarSetting | None:
        """A calendar by name (left out: the project's own); None: Monday to Friday."""
        return self.calendars.get(name or self.calendar or "")

    def why_no_alerts(self, person: str) -> str:
        """Why a person may not decide on alerts of screening, as a sentence; "" where they may."""
        groups = self.alerts_cleared_by
        if not groups:
            return "settings.yaml names no group that decides on alerts; add screening: cleared_by."
        if not any(person in self.groups.get(group, ()) for group in groups):
            return f"{person} may not decide on alerts; settings.yaml lets {', '.join(groups)} (screening)."
        return ""

    def members(self, group: str) -> tuple[Person, ...]:
        """The people of a group."""
        return tuple(self.people[id] for id in self.groups.get(group, ()) if id in self.people)

    def person_by_email(self, email: str) -> Person | None:
        """Whose address it is, whatever its capitals; None for a stranger."""
        wanted = mailbox_of(email)
        return next((person for person in self.people.values() if mailbox_of(person.email) == wanted), None)


def mailbox_of(email: str) -> str:
    """The mailbox that an address reaches, to compare: without capitals, wide letters, and what stands after a plus
    (RFC 5233, "subaddress")."""
    local, at, domain = unicodedata.normalize("NFKC", email).strip().casefold().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
