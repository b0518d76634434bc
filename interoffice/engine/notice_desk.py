"""The engine's own mails, sent as bots send theirs: from the account that settings.yaml names for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from interoffice.engine.desk import Desk
from interoffice.engine.lane_setting import LaneSetting
from interoffice.model.values import Value
from interoffice.plan.project import Project

NOTICE: Final = "notice"


class NoticeDesk(Desk):
    """A desk that sends mails whose text is the engine's, and sees whether mails have arrived."""

    def __init__(self, setting: LaneSetting, names: Mapping[str, Value]) -> None:
        super().__init__(setting, note=lambda message: None)
        self._names = names
        self._text = ""

    def send(self, *, to: tuple[str, ...], subject: str, text: str, data: Mapping[str, Value], gate: Any) -> None:
        """One mail of a template's text; the gate is asked just before its content goes out."""
        self._gate, self._text = gate, text
        self._mail().send(to=to, subject=subject, template=NOTICE, data=data)

    def message_ids(self, account: str, folder: str) -> tuple[str, ...]:
        """The Message-IDs of the mails of a folder, oldest first."""
        mail = self._mail()
        try:
            found: tuple[str, ...] = mail.message_ids(account, folder=folder)
        finally:
            mail.close()
        return found

    def _template(self, name: str) -> str:
        return self._text if name == NOTICE else super()._template(name)


def notice_setting(project: Project, state: Path, name: str) -> LaneSetting:
    """What a desk of no run is told; `name`: its folder below state/."""
    return LaneSetting(
        project=project.folder.resolve(), state=state, run_id="", workflow="", environment=project.environment or "",
        folder=state / name, zone=project.settings.timezone,
    )  # fmt: skip


@contextmanager
def notice_desk(setting: LaneSetting, names: Mapping[str, Value]) -> Iterator[NoticeDesk]:
    """A desk for one mail, closed afterwards."""
    desk = NoticeDesk(setting, names)
    try:
        yield desk
    finally:
        desk.close()
