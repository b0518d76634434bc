"""Where a lane's bots work: it builds the Context, opens what they borrow on first use, and closes it in reverse."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from interoffice.context import Context, RunFacts
from interoffice.engine.bot_call import Ask, Gate, perform
from interoffice.engine.lane_setting import LaneSetting, OnNote
from interoffice.engine.messages import Message
from interoffice.errors import ProjectError
from interoffice.model import codec
from interoffice.model.values import Value
from interoffice.plan.project import Project, open_project
from interoffice.resources.masking import Masker


class Borrowed:
    """A resource that is opened when it is first used, and remembered for closing."""

    def __init__(self, open_it: Callable[[], Any], opened: list[Any]) -> None:
        self._open_it = open_it
        self._opened = opened
        self._resource: Any = None

    def leave(self) -> None:
        """Its sessions are over; a resource that can't do less is closed, and opened again when it is used again."""
        resource = self._resource
        leave = getattr(resource, "leave", None)
        if leave is None and resource is not None:
            self._opened.remove(resource)
            self._resource, leave = None, resource.close
        if leave is not None:
            with contextlib.suppress(Exception):
                leave()

    def __getattr__(self, name: str) -> Any:
        if self._resource is None:
            self._resource = self._open_it()
            self._opened.append(self._resource)
        return getattr(self._resource, name)


class SharedScreens:
    """`ctx.screens`: to sign out means every session of the run, those of other lanes too."""

    def __init__(self, screens: Any, told: Callable[[str], None]) -> None:
        self._screens = screens
        self._told = told

    def sign_out(self, application: str) -> None:
        self._screens.sign_out(application)
        self._told(application)

    def leave_signed_out(self, application: str) -> None:
        """The sessions of this lane alone."""
        self._screens.sign_out(application)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._screens, name)


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneLog:
    """`ctx.log`: every event goes to the engine, what was revealed masked."""

    note: OnNote
    mask: Callable[[str], str]

    def info(self, event: str, **fields: object) -> None:
        self._say("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._say("warning", event, fields)

    def progress(self, done: int, total: int | None, what: str) -> None:
        self.note({"t": "progress", "done": done, "total": total, "what": self.mask(what)})

    def _say(self, level: str, event: str, fields: Mapping[str, object]) -> None:
        words = " ".join([event, *(f"{name}={value}" for name, value in fields.items())])
        self.note({"t": "log", "level": level, "text": self.mask(words)})


class Desk:
    """One lane's desk in one run."""

    def __init__(self, setting: LaneSetting, *, note: OnNote) -> None:
        self.setting = setting
        self._note = note
        self._gate: Gate | None = None
        self._ask: Ask | None = None
        self._facts: RunFacts | None = None
        self._names: Mapping[str, Value] = {}
        self._masker = Masker()
        self._opened: list[Any] = []
        self._borrowed = self._lay_out()
        self.project: Project = replace(open_project(setting.project), environment_name=setting.environment or None)

    # calls

    def perform(self, request: Message, *, ask: Ask, note: OnNote) -> Message:
        """The reply to a call; what was revealed does not leave in it."""
        self._note = note
        if request.get("fresh"):
            self.refresh()
        try:
            self._names = _names(request)
            bot = self.project.registry.load(request["bot"])
        except Exception as error:
            from interoffice.engine.bot_call import error_reply

            return self._masked(error_reply(error))
        self._ask = ask
        with self._evidence_noted():
            reply = perform(request, bot, self._context, ask, self.setting.folder / "tables")
        return self._masked(reply)

    def sign_out(self, application: str) -> None:
        """Leaves the application signed out in this lane, where it has screens open at all."""
        for resource in self._opened:
            if isinstance(resource, SharedScreens):
                with contextlib.suppress(Exception):
                    resource.leave_signed_out(application)

    def refresh(self) -> None:
        """Sessions are left, so that the next call opens them afresh; the browser, and what has no session, stay."""
        for name in ("screens", "mail", "http"):
            self._borrowed[name].leave()

    def close(self) -> None:
        """Closes what was opened, the last first; one that can't be closed does not keep the others open."""
        while self._opened:
            resource = self._opened.pop()
            close = getattr(resource, "close", None)
            if close is not None:
                with contextlib.suppress(Exception):
                    close()
        self._borrowed = self._lay_out()

    def _masked(self, reply: Message) -> Message:
        if reply["t"] != "error":
            return reply
        mask = self._masker.mask
        return {**reply, "message": mask(reply["message"]), "traceback": mask(reply["traceback"])}

    @contextlib.contextmanager
    def _evidence_noted(self) -> Iterator[None]:
        """Pictures and records that a call left are named to the engine, which keeps them with the attempt."""
        before = self._evidence_files()
        try:
            yield
        finally:
            new = sorted(self._evidence_files() - before)
            if new:
                self._note({"t": "evidence", "name": "files", "value": codec.encode(new)})

    def _evidence_files(self) -> frozenset[str]:
        folder = self._evidence_folder
        if not folder.is_dir():
            return frozenset()
        return frozenset(str(path.relative_to(self.setting.folder)) for path in folder.iterdir())

    @cached_property
    def _evidence_folder(self) -> Path:
        return self.setting.folder / "evidence" / f"{os.getpid()}-{id(self) % 10000:04d}"

    # what bots borrow

    def _context(self, facts: RunFacts, gate: Gate) -> Context:
        self._gate, self._facts = gate, facts
        return Context(
            run=facts,
            commit=gate,
            log=LaneLog(note=self._note, mask=self._masker.mask),
            **self._borrowed,
        )

    def _lay_out(self) -> dict[str, Any]:
        makers = {
            "screens": self._screens, "mail": self._mail, "files": lambda: self._files, "tables": lambda: self._tables,
            "http": self._http, "queues": self._queues, "alerts": self._alerts,
        }  # fmt: skip
        return {name: Borrowed(make, self._opened) for name, make in makers.items()}

    def _commit(self, meant: Mapping[str, Value], *, evidence: Mapping[str, str] | None = None) -> str:
        """The gate of the call in hand: sessions outlive calls."""
        if self._gate is None:
            raise RuntimeError("a commit outside of a call")
        return self._gate(meant, evidence=evidence)

    def _address(self, said: str) -> str:
        if not said.startswith("practice:"):
            return said
        from interoffice.practice.address import practice_address

        return practice_address(self.setting.state / "practice", said.removeprefix("practice:"))

    def _certificate(self) -> Path:
        from interoffice.practice.address import practice_certificate

        return practice_certificate(self.setting.state / "practice")

    @cached_property
    def _store(self) -> Any:
        from interoffice.resources.secrets import CredentialStore

        return CredentialStore(self.setting.state, masker=self._masker)

    def _credential(self, name: str) -> Mapping[str, str]:
        revealed: Mapping[str, str] = self._store.get(name).revealed()
        return revealed

    @cached_property
    def _files(self) -> Any:
        from interoffice.resources.files import FileRoots

        roots = self.project.settings.files
        return FileRoots(
            project=self.project.folder,
            read=roots.read,
            write=roots.write,
            run_folder=self.setting.folder,
            largest_bytes=roots.largest_bytes,
        )

    @property
    def _tables(self) -> Any:
        from interoffice.resources.tables_in import TableFiles, TableReader

        settings = self.project.settings
        reader = TableReader(
            out=self.setting.folder / "tables",
            zone=self.setting.zone,
            patterns=self.project.patterns,
            largest_bytes=settings.files.largest_bytes,
            unpacked_bytes=settings.files.unpacked_at_most_bytes,
            rows=settings.tables.rows_at_most,
            within_s=float(settings.tables.read_within.total_seconds),
        )
        return TableFiles(contracts=self.project.contract, files=self._files, reader=reader, formats=self._formats)

    @property
    def _formats(self) -> Any:
        from interoffice.plan.times import formats_of

        return formats_of(self.project.settings, self.setting.zone)

    def _http(self) -> Any:
        from interoffice.resources.http import HttpClient

        return HttpClient(address=self._address, credentials=self._credential)

    def _queues(self) -> Any:
        from interoffice.engine.queue_rows import AskedQueues

        return AskedQueues(ask=lambda message: self._asked(message), contract=self.project.contract)

    def _alerts(self) -> Any:
        from interoffice.engine.alerts_of_bot import AskedAlerts

        return AskedAlerts(ask=lambda message: self._asked(message))

    def _asked(self, message: Message) -> Message:
        """The engine's answer to the call in hand: what is borrowed outlives calls."""
        if self._ask is None:
            raise RuntimeError("a question to the ledger outside of a call")
        return self._ask(message)

    def _mail(self) -> Any:
        from interoffice.resources.mailbox import Mailboxes

        settings = self.project.settings
        return Mailboxes(
            settings=settings.mail,
            server=settings.mail_server(self.setting.environment or None),
            credentials=self._credential,
            address=self._address,
            commit=self._commit,
            files=self._files,
            template=self._template,
            names=lambda: self._names,
            formats=self._formats,
            warn=self._warn,
            certificate=self._certificate,
            rows_in_a_mail=settings.limits.rows_in_a_mail,
        )

    def _template(self, name: str) -> str:
        text = self.project.template(name)
        if text is None:
            raise ProjectError(f'there is no mail template "{name}" in workflows/; add it or correct the step')
        return text

    def _warn(self, event: str, **fields: object) -> None:
        LaneLog(note=self._note, mask=self._masker.mask).warning(event, **fields)

    def _say(self, event: str, **fields: object) -> None:
        LaneLog(note=self._note, mask=self._masker.mask).info(event, **fields)

    def _screens(self) -> Any:
        from interoffice.resources.kept_sessions import KeptSessions
        from interoffice.screens.web import open_screens

        folder = self._evidence_folder
        folder.mkdir(parents=True, exist_ok=True)
        facts = self._facts
        assert facts is not None
        screens = open_screens(
            applications=self.project.application,
            environment=self.setting.environment,
            address=self._address,
            credentials=self._credential,
            commit=self._commit,
            readable=self._files.readable,
            evidence=folder,
            files=self.setting.folder / "files",
            today=facts.day,
            say=self._say,
            masked=frozenset(self.setting.mask),
            pictures=self.project.settings.evidence.use,
            lists_may_lag=not facts.rehearse,
            remembered=self.setting.state / "selectors",
            kept=KeptSessions(folder=self.setting.state / "sessions"),
        )
        return SharedScreens(screens, lambda application: self._note({"t": "sign_out", "application": application}))


def _names(request: Message) -> Mapping[str, Value]:
    said = codec.decode(request.get("names") or {})
    return said if isinstance(said, Mapping) else {}
