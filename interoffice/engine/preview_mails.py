"""Mails of a preview: composed as they would be sent, every refusal included, and put into files instead."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from interoffice.declaration import BotDescription
from interoffice.engine.run import Run
from interoffice.errors import ProjectError
from interoffice.model.values import FileValue, Value
from interoffice.resources.files import FileRoots, write_durably

_LONGEST_NAME: Final = 80


class _Composed(Exception):
    """The mail is composed; what follows would open a connection."""


class _MailFiles(FileRoots):
    """The files of a preview; what a mail is kept as goes to its own place, under a name that people can read."""

    place: Path

    def keep_bytes(self, content: bytes, name: str) -> FileValue:
        """The mail, in its place."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self.place, content)
        return self.held(self.place)


class MailFolder:
    """The folder of the mails that a run would send. Several threads may use it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._folder = run.folder / "mails"
        self._lock = threading.Lock()
        self.files: list[Path] = []

    def is_mail(self, bot: BotDescription, inputs: Mapping[str, Value]) -> bool:
        """Whether the call sends a mail made of a template."""
        return bot.effect == "sends" and bot.named("template") is not None and {"to", "subject"} <= inputs.keys()

    def render(self, path: str, bot: BotDescription, inputs: Mapping[str, Value], names: Mapping[str, Value]) -> Path:
        """The file of the mail. BusinessError or ProjectError where it could not be sent; nothing is connected."""
        place = self._place(path)
        template, data = bot.named("template"), bot.named("values")
        assert template is not None
        mail = self._mailboxes(place, names)
        with contextlib.suppress(_Composed):
            mail.send(
                to=cast(tuple[str, ...], inputs["to"]),
                subject=str(inputs["subject"]),
                template=str(inputs[template.name]),
                data=cast(Mapping[str, Value], inputs.get(data.name) or {}) if data is not None else {},
                attach=cast(tuple[FileValue, ...], inputs.get("attach") or ()),
            )
        return place

    def _place(self, path: str) -> Path:
        bare = re.sub(r"[^\w.-]+", "_", path).strip("_")[:_LONGEST_NAME]
        with self._lock:
            place = self._folder / f"{bare}.eml"
            number = 2
            while place in self.files:
                place, number = self._folder / f"{bare}_{number}.eml", number + 1
            self.files.append(place)
        return place

    def _mailboxes(self, place: Path, names: Mapping[str, Value]) -> Any:
        from interoffice.resources.mailbox import Mailboxes

        run, settings = self._run, self._run.project.settings
        files = _MailFiles(
            project=run.project.folder,
            read=settings.files.read,
            write=settings.files.write,
            run_folder=run.folder,
            largest_bytes=settings.files.largest_bytes,
        )
        files.place = place
        return Mailboxes(
            settings=settings.mail,
            server=settings.mail_server(run.environment or None),
            credentials=_no_further,
            address=_no_further,
            commit=_no_further,
            files=files,
            template=self._template,
            names=lambda: names,
            formats=run.formats,
            warn=lambda event, **fields: None,
            rows_in_a_mail=settings.limits.rows_in_a_mail,
            now=lambda: run.times.now,
        )

    def _template(self, name: str) -> str:
        text = self._run.project.template(name)
        if text is None:
            raise ProjectError(f'there is no mail template "{name}" in workflows/; add it or correct the step')
        return text



def _no_further(*arguments: object, **named: object) -> NoReturn:
    raise _Composed
