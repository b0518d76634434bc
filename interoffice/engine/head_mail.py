"""The audit's head by mail, once a day, to the addresses of settings.yaml (`audit: heads_by_mail:`).

A mailbox is a place that nobody who can write the state file can rewrite. What was sent stands in the audit
(`audit.head_mailed`), written just before the mail's content goes out. A server that can't be reached is tried again
with the next engine that ends, an hour later at the soonest, so that no command waits for it twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from interoffice.engine.lane_setting import LaneSetting
from interoffice.engine.notice_desk import notice_desk
from interoffice.model.values import Value
from interoffice.plan.project import Project
from interoffice.store import Ledger, audit
from interoffice.store.audit_heads import Head

MAILED: Final = "audit.head_mailed"
TRIED: Final = "head_mail"
AGAIN_AFTER: Final = timedelta(hours=1)
TEXT: Final = """\
<p>The head of the audit of {{ project }}. Keep this mail: whoever changes the audit later can't change it here.</p>
<p>Entry {{ seq }} of {{ at }} UTC</p>
<p><code>{{ hash }}</code></p>
<p>To compare: <code>runner.py audit show --limit 1000000 --format json</code>, the entry with this number.</p>
"""


def mail_head(project: Project, state: Path, ledger: Ledger, now: datetime) -> None:
    """Sends today's head, where addresses are named and it was not sent today. InterofficeError: it can't be sent."""
    settings = project.settings
    if not settings.audit_heads_by_mail:
        return
    today = now.astimezone(ZoneInfo(settings.timezone)).date().isoformat()
    last = ledger.audit(act=MAILED, limit=1)
    head = ledger.read(lambda tx: audit.head(tx, now))
    if head is None or (last and last[0].details["day"] == today) or _was_tried(state / TRIED, now):
        return
    environment = settings.environment or ""
    setting = LaneSetting(
        project=project.folder.resolve(), state=state, run_id="", workflow="", environment=environment,
        folder=state / "heads", zone=settings.timezone,
    )  # fmt: skip
    data: dict[str, Value] = {
        "project": settings.project, "seq": str(head.seq), "hash": head.hash, "at": head.at[:19].replace("T", " "),
    }  # fmt: skip
    to = settings.audit_heads_by_mail
    with notice_desk(setting, {}) as desk:
        desk.send(
            to=to, subject=f"Audit head {head.seq} of {settings.project}, {today}", text=TEXT, data=data,
            gate=_Gate(ledger, head, today, to, now),
        )  # fmt: skip


def _was_tried(mark: Path, now: datetime) -> bool:
    """Whether it was tried within the hour; marks this try."""
    try:
        if datetime.fromtimestamp(mark.stat().st_mtime, now.tzinfo) > now - AGAIN_AFTER:
            return True
    except OSError:
        pass
    mark.touch()
    return False


class _Gate:
    """The gate before the mail's content: it is written that the head is sent."""

    def __init__(self, ledger: Ledger, head: Head, day: str, to: tuple[str, ...], now: datetime) -> None:
        self._ledger, self._now = ledger, now
        self._details = {"day": day, "seq": head.seq, "hash": head.hash, "to": list(to)}

    def __call__(self, meant: Mapping[str, Value], *, evidence: Mapping[str, str] | None = None) -> str:
        self._ledger.write(
            lambda tx: audit.write(tx, now=self._now, actor="engine", act=MAILED, details=self._details)
        )
        return f"audit-head.{self._details['seq']}"
