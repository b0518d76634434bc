"""`selectors check`: every element of an application's screens against the application as it is now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from interoffice.errors import CredentialRefused, ProjectError, Refused, UsageError
from interoffice.model.selectors import Application
from interoffice.model.values import FileValue, Value
from interoffice.office.desk import Desk
from interoffice.office.open_browser import address_of, application_of, credential_for, web_environment

if TYPE_CHECKING:
    from interoffice.screens.checking import ElementSeen, ScreenSeen

COUNTED: Final = ("found", "later", "healed", "ambiguous", "missing", "empty", "not reached")


class Workshop(Desk, Protocol):
    """The office that it works in, with its state folder."""

    @property
    def state(self) -> Path: ...

    def actor(self) -> str:
        """Who is at the keyboard."""


@dataclass(frozen=True, kw_only=True)
class ScreensChecked:
    """What a check saw. `counts`: how many elements by outcome; `pictures` the folder they are in."""

    application: Application
    environment: str
    at: datetime
    screens: tuple[ScreenSeen, ...]
    pictures: Path

    @property
    def counts(self) -> Mapping[str, int]:
        """Elements by outcome, every outcome named."""
        found = Counter(element.outcome for screen in self.screens for element in screen.elements)
        return {outcome: found[outcome] for outcome in COUNTED}

    @property
    def exit_code(self) -> int:
        """0 all found or empty, 3 drift or healed, 1 missing, ambiguous, or a screen that did not become ready."""
        counts = self.counts
        if counts["missing"] or counts["ambiguous"] or any(screen.problem for screen in self.screens):
            return 1
        return 3 if counts["later"] or counts["healed"] else 0

    def place(self, element: ElementSeen) -> str:
        """file:line of an element."""
        at = self.application.source.at_key(element.path)
        return f"{at.file}:{at.line}"


def check_application(
    desk: Workshop,
    name: str,
    *,
    environment: str | None,
    screen: str | None,
    credential: str | None,
    saved: Path | None,
) -> ScreensChecked:
    """Signs in, opens every screen (or one), types nothing, commits nothing; or looks at saved pages."""
    from interoffice.resources.secrets import CredentialStore
    from interoffice.screens.web import open_screens

    application = application_of(desk, name)
    where = web_environment(desk, application, environment)
    if screen is not None and screen not in application.screens:
        raise UsageError(f'{name} has no screen "{screen}"; it has {", ".join(application.screens)}.')
    if saved is not None and not saved.is_dir():
        raise UsageError(f"--saved {saved}: there is no such folder; it holds one page per screen, as <screen>.html.")
    used = "" if saved is not None else credential_for(desk, application, credential)
    _refuse_paused(desk, used, where)
    store = CredentialStore(desk.state)
    now = datetime.now(UTC)
    pictures = desk.state / "selectors" / "checks" / f"{name}-{now:%Y%m%d-%H%M%S}"
    screens = open_screens(
        applications=desk.project.application,
        environment=where,
        address=lambda said: "" if saved is not None else address_of(desk.state, said),
        credentials=lambda key: store.get(key).revealed(),
        commit=_no_commit,
        readable=_no_file,
        evidence=pictures,
        files=pictures,
        today=now.date(),
        say=lambda event, **fields: None,
        pictures="failures",
        remembered=desk.state / "selectors",
    )
    names = (screen,) if screen is not None else tuple(application.screens)
    try:
        seen = screens.check(name, screens=names, credential=used, pictures=pictures, saved=saved)
        screens.sign_out(name)
    except CredentialRefused as refused:
        _pause(desk, refused, where)
        raise
    finally:
        screens.close()
    return ScreensChecked(application=application, environment=where, at=now, screens=tuple(seen), pictures=pictures)


def _refuse_paused(desk: Workshop, credential: str, environment: str) -> None:
    for each in desk.ledger.paused_credentials():
        if (each.name, each.environment) == (credential, environment):
            from interoffice.engine.refused_credentials import paused_sentence

            raise Refused(paused_sentence(credential))


def _pause(desk: Workshop, refused: CredentialRefused, environment: str) -> None:
    from interoffice.engine.refused_credentials import pause

    now, actor = datetime.now(UTC), desk.actor()
    desk.ledger.write(
        lambda tx: pause(tx, environment, refused.credential, refused.message, now, actor=actor)
    )


def _no_commit(meant: Mapping[str, Value], *, evidence: Mapping[str, str] | None = None) -> str:
    raise ProjectError("a check of selectors commits nothing")


def _no_file(file: FileValue) -> Path:
    raise ProjectError("a check of selectors reads no file")
