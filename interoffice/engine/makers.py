"""Who made what a run does: its starter, and whoever edited its workflow or a value. Makers may never decide (G12).

The editor of a workflow is the git author of its last change, matched by e-mail with settings.yaml; where git doesn't
know this very text, the signed-in person under whom its digest was first seen; else nobody may approve.
"""

from __future__ import annotations

import hashlib
import subprocess
from datetime import datetime
from pathlib import Path

from interoffice.errors import Refused
from interoffice.model.settings import Settings, mailbox_of
from interoffice.plan.plan import Plan
from interoffice.store import Ledger, office
from interoffice.store.database import Transaction

SCHEDULE = "schedule "
GIT_WITHIN_S = 10


def remember(tx: Transaction, plan: Plan, person: str, now: datetime) -> None:
    """Remembers under whom each text of a plan was first seen."""
    for file, text in plan.texts.items():
        office.see_first(tx, text_digest(text), file, person, now)


def text_digest(text: str) -> str:
    """The digest of a file's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def makers_of(ledger: Ledger, settings: Settings, folder: Path, plan: Plan) -> frozenset[str]:
    """The ids of the people who may not decide in the run. Refused when one of them can't be known."""
    found = {_starter(settings, plan.started_by)}
    for file, text in plan.texts.items():
        found.add(_editor(ledger, settings, folder, file, text))
    if plan.started_by.startswith(SCHEDULE) and (folder / "schedules.yaml").is_file():
        text = (folder / "schedules.yaml").read_text(encoding="utf-8")
        found.add(_editor(ledger, settings, folder, "schedules.yaml", text))
    return frozenset(person for person in found if person is not None)


def _starter(settings: Settings, started_by: str) -> str | None:
    """The person who started the run; None for a schedule, whose editor is a maker instead."""
    if started_by in settings.people:
        return started_by
    by_email = settings.person_by_email(started_by)
    if by_email is not None:
        return by_email.id
    if started_by.startswith(SCHEDULE):
        return None
    raise Refused(
        f'The run was started by "{started_by}", who is nobody in settings.yaml, so nobody can tell who may decide; '
        "start it again signed in (runner.py people sign-in)."
    )


def _editor(ledger: Ledger, settings: Settings, folder: Path, file: str, text: str) -> str:
    email = _git_author(folder, file, text)
    person = settings.person_by_email(email) if email else None
    if person is not None:
        return person.id
    seen = ledger.read(lambda tx: office.first_seen_under(tx, text_digest(text)))
    if seen is not None:
        return seen
    who = f"its last change is by {email}, who is nobody in settings.yaml" if email else "git does not know this text"
    raise Refused(
        f"Nobody can tell who edited {file} ({who}), so nobody may approve; add the author to settings.yaml, or start "
        "the run signed in."
    )


def _git_author(folder: Path, file: str, text: str) -> str | None:
    """The author's e-mail of the file's last commit, where that commit holds exactly this text."""
    commit = _git(folder, "log", "-1", "--format=%H %ae", "--", file)
    if not commit:
        return None
    number, _, email = commit.strip().partition(" ")
    prefix = (_git(folder, "rev-parse", "--show-prefix") or "").strip()
    stored = _git(folder, "show", f"{number}:{prefix}{file}")
    return email if stored is not None and stored == text else None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says, None where there is no git, no repository, or no such thing in it."""
    command = ["git", "-C", str(folder), "-c", "core.quotepath=false", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=GIT_WITHIN_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def same_person(settings: Settings, one: str, other: str) -> bool:
    """True of two ids of one person: the same, or with e-mail addresses that reach one mailbox."""
    if one == other:
        return True
    people = settings.people
    if one not in people or other not in people:
        return False
    return mailbox_of(people[one].email) == mailbox_of(people[other].email)
