"""Screens of web applications by name: what `Context.screens` is. One browser, one page per application and credential.

Belongs to one thread, the lane's own. A browser that went away is replaced at the next use.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from playwright.sync_api import Error

from interoffice.bot import Answer, Unclear
from interoffice.errors import ApplicationError, BotError, BusinessError, CredentialRefused, OutcomeUnclear
from interoffice.language.calendars import Times
from interoffice.language.row import ValueScope
from interoffice.model.selectors import Application, Environment, Screen
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Value
from interoffice.resources.browser import Browser
from interoffice.resources.kept_sessions import KeptSessions
from interoffice.screens.checking import Check, ScreenSeen
from interoffice.screens.committing import Gate, Outcome, commit_form
from interoffice.screens.desktop_page import open_window
from interoffice.screens.downloads import download
from interoffice.screens.evidence import Evidence, hidden_values
from interoffice.screens.filling import in_order, make_form
from interoffice.screens.finding import Finder
from interoffice.screens.healing import Memory
from interoffice.screens.lists import list_reader
from interoffice.screens.looking_up import Wanted, find_one, wanted_for
from interoffice.screens.page import WebPage
from interoffice.screens.session import Say, Session, SessionEnded
from interoffice.screens.signing import sign_in, sign_out
from interoffice.screens.tracing import begin_trace, end_trace

if TYPE_CHECKING:
    from interoffice.resources.desktop import Desktop

Result = TypeVar("Result")


@dataclass(kw_only=True)
class WebScreens:
    """Implements `interoffice.context.Screens`.

    `address` resolves an environment's (`practice:erp`), `credentials` gives the parts of one by its name, `commit` is
    the run's gate, `readable` says where a file may be read, `evidence` and `files` are folders of the run. `masked`:
    columns that no picture shows. `lists_may_lag` False (for a plan, which looks before anything was done) does not
    wait for `settle` before it says that a record is not there. `remembered`: the folder of fingerprints. `kept`: the
    signed-in states of applications that say `keep_session`.
    """

    applications: Callable[[str], Application]
    environment: str
    address: Callable[[str], str]
    credentials: Callable[[str], Mapping[str, str]]
    commit: Gate
    readable: Callable[[FileValue], Path]
    evidence: Path
    files: Path
    today: date
    say: Say
    masked: frozenset[str] = frozenset()
    pictures: str = "full"
    lists_may_lag: bool = True
    remembered: Path | None = None
    kept: KeptSessions | None = None
    browser: Browser = field(default_factory=Browser)
    desktop: Desktop | None = None
    _sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    _refused: dict[str, str] = field(default_factory=dict)
    _kept: dict[str, Evidence] = field(default_factory=dict)
    _failed: set[tuple[str, str, str]] = field(default_factory=set)

    # what bots ask for

    def fill_form(
        self,
        screen: str,
        *,
        fields: Mapping[str, Value],
        lines: Mapping[str, Table],
        attach: Mapping[str, FileValue],
        submit: str,
        read: tuple[str, ...],
        credential: str,
    ) -> dict[str, Value]:
        """Fill, read back, commit once (through `commit`), and read the elements `read`."""
        application, wanted = self._screen(screen)
        ordered = {name: fields[name] for name in in_order(wanted, fields)}
        unknown = [name for name in read if application.element(wanted, name.partition(".")[0]) is None]
        if unknown:
            raise ApplicationError(f"{screen} has no element {', '.join(unknown)} to read", transient=False)
        meant: dict[str, Value] = {**fields, **lines, **attach}

        def work(session: Session) -> dict[str, Value]:
            form = make_form(session, wanted, fields=ordered, lines=lines, attach=attach)
            outcome = Outcome.of(form, submit)
            session.hidden |= hidden_values(session, wanted, fields, lines)
            session.open(wanted)
            form.fill()
            kept = self._evidence(application)
            done = commit_form(form, outcome, read=read, meant=meant, gate=self.commit, evidence=kept)
            self.say("committed", screen=screen, submit=submit, evidence=dict(done.evidence))
            return dict(done.values)

        return self._work(application, wanted, credential, work)

    def look_up(
        self, screen: str, *, fields: Mapping[str, Value], submit: str, read: tuple[str, ...], credential: str
    ) -> Answer:
        """The `find_record` of the screen for what `fill_form` would have typed."""
        application, owner = self._screen(screen)
        find = owner.find_record
        if find is None:
            return Unclear(why=f"{screen} has no find_record, so it can't be looked up")
        wanted = wanted_for(owner, find, fields, submit)
        return self._find(application, application.screens[find.screen], owner, wanted, credential)

    def find_record(self, screen: str, *, by: Mapping[str, Value], read: tuple[str, ...], credential: str) -> Answer:
        """The one record that fits `by`: by the screen's find_record, or on the screen itself when it is a list."""
        application, owner = self._screen(screen)
        find = owner.find_record
        place = application.screens[find.screen] if find is not None else owner
        wanted = Wanted(by=by, read=read, meant={}, open_row=find.open_row if find is not None else False)
        return self._find(application, place, owner, wanted, credential)

    def read_list(
        self,
        screen: str,
        *,
        filter: Mapping[str, Value],
        columns: tuple[str, ...],
        max_pages: int | None,
        credential: str,
    ) -> Table:
        """The rows of the screen's one grid, all its pages."""
        application, wanted = self._screen(screen)

        def work(session: Session) -> Table:
            reader = list_reader(session, wanted, columns)
            session.open(wanted, searching=filter)
            if filter or wanted.search is not None:
                reader.search(filter)
            rows = reader.read_all(max_pages=max_pages)
            grid = reader.grid.grid
            types = {name: grid.columns[name].holds for name in columns or reader.fields} if grid else {}
            return Table.from_rows(types, ({name: row[name] for name in types} for row in rows))

        return self._work(application, wanted, credential, work)

    def export(self, screen: str, *, filter: Mapping[str, Value], press: str, credential: str) -> FileValue:
        """The file that a `downloads:` button brings after the search fields are filled and applied."""
        application, wanted = self._screen(screen)

        def work(session: Session) -> FileValue:
            session.open(wanted, searching=filter)
            if wanted.search is not None and wanted.grids:
                list_reader(session, wanted).search(filter)
            else:
                form = make_form(session, wanted, fields=filter)
                form.fill()
                form.make_right()
            return download(session, wanted, press, self.files)

        return self._work(application, wanted, credential, work)

    def elements(self, screen: str) -> tuple[str, ...]:
        """The elements of a screen by name, as the selectors have them; nothing is opened."""
        return tuple(self._screen(screen)[1].elements)

    def check(
        self,
        application: str,
        *,
        screens: tuple[str, ...],
        credential: str,
        pictures: Path,
        saved: Path | None = None,
    ) -> list[ScreenSeen]:
        """Every element of these screens looked for, nothing typed; last, nameless, the elements of every screen.

        `saved`: a folder of pages saved as <screen>.html to look at instead. CredentialRefused, ApplicationError.
        """
        known = self.applications(application)
        wanted = [self._screen(f"{application}.{name}")[1] for name in screens]
        check = Check(known, pictures=pictures)
        sign = known.sign_in
        seen: list[ScreenSeen] = []
        unsigned = [screen for screen in wanted if sign is not None and screen.name == sign.screen]
        if saved is not None or unsigned:
            session = self._open_session(known, credential)
            session.is_signing_in = True
            try:
                for screen in wanted if saved is not None else unsigned:
                    page = saved / f"{screen.name}.html" if saved is not None else None
                    seen.append(check.saved(session, screen, page) if page else check.live(session, screen))
            finally:
                self.browser.close_page(session.web.page)
        if saved is None:
            for screen in wanted:
                if screen not in unsigned:
                    look = partial(check.live, screen=screen)
                    seen.append(self._work(known, screen, credential, look))
        return [*seen, check.shared()]

    def sign_out(self, application: str) -> None:
        """Leave the application signed out, every session of this run."""
        for key in [key for key in self._sessions if key[0] == application]:
            session = self._sessions.pop(key)
            try:
                sign_out(session)
            except ApplicationError as error:
                self.say("sign_out_failed", application=application, reason=str(error))
            finally:
                self._close_face(session)

    def leave(self) -> None:
        """Closes every page; the browser stays. What is signed in is kept where the application says so."""
        for session in self._sessions.values():
            self._keep(session)
            self._close_face(session)
        self._sessions.clear()

    def close(self) -> None:
        """Closes every page and the browser."""
        self.leave()
        self.browser.close()
        if self.desktop is not None:
            self.desktop.close()

    # inner

    def _screen(self, name: str) -> tuple[Application, Screen]:
        key, _, screen = name.partition(".")
        application = self.applications(key)
        if screen not in application.screens:
            raise ApplicationError(f"{key} has no screen {screen}", code="unknown_screen", transient=False)
        return application, application.screens[screen]

    def _evidence(self, application: Application) -> Evidence:
        if application.key not in self._kept:
            full = self.pictures == "full" and application.evidence == "full"
            self._kept[application.key] = Evidence(folder=self.evidence, is_full=full)
        return self._kept[application.key]

    def _find(
        self, application: Application, screen: Screen, owner: Screen, wanted: Wanted, credential: str
    ) -> Answer:
        until = time.monotonic() + (float(application.settle_s) if self.lists_may_lag else 0.0)

        def work(session: Session) -> Answer:
            answer = find_one(session, screen, owner, wanted, settled=lambda: time.monotonic() >= until)
            if isinstance(answer, Unclear):
                self._keep_failure(application, screen, session, ApplicationError(answer.why, code="look_up_unclear"))
            return answer

        try:
            return self._work(application, screen, credential, work)
        except CredentialRefused:
            raise
        except ApplicationError as error:
            return Unclear(why=str(error))

    def _work(
        self, application: Application, screen: Screen, credential: str, work: Callable[[Session], Result]
    ) -> Result:
        """Works in a signed-in session; when it ended before the act, signs in once more and begins afresh."""
        for attempt in (1, 2):
            session = self._session(application, credential)
            self._trace_again(session, screen)
            try:
                result = work(session)
                self._forget_failure(session, screen)
                return result
            except SessionEnded:
                self.say("session_ended", application=application.key, credential=credential)
                self._drop(session)
                if attempt == 2:
                    message = f"{application.name} ended the session again right after a new sign-in"
                    raise ApplicationError(message, code="session_ended") from None
            except BotError as error:
                self._keep_failure(application, screen, session, error)
                if session.web.is_crashed or error.code == "session_ended":
                    self._drop(session)
                raise
        raise AssertionError("unreachable")

    def _keep_failure(
        self, application: Application, screen: Screen | None, session: Session, error: BotError
    ) -> None:
        """The picture and the DOM of a failed screen; the page is opened afresh next time."""
        session.ended_well = False
        if session.web.is_crashed or (isinstance(error, BusinessError) and error.code == "value_not_possible"):
            return
        kept = self._evidence(application)
        files = {"failure": kept.picture(session, "failure", at_failure=True)}
        if not isinstance(error, BusinessError):
            files["page"] = kept.page_copy(session, "failure")
        if session.is_traced:
            secrets = self.credentials(session.credential).values() if application.sign_in else ()
            files["trace"] = kept.trace(session, secrets)
            session.is_traced = False
        elif screen is not None and not isinstance(error, BusinessError):
            self._failed.add((application.key, screen.name, session.credential))
        found = {name: file for name, file in files.items() if file}
        what = "unclear" if isinstance(error, OutcomeUnclear) else "failed"
        self.say("screen_failed", screen=session.here, kind=what, code=error.code, evidence=found)

    def _trace_again(self, session: Session, screen: Screen) -> None:
        """What failed is traced when it is tried again; what goes well pays nothing."""
        failed = (session.application.key, screen.name, session.credential) in self._failed
        if failed and session.environment.kind == "web":
            session.is_traced = session.is_traced or begin_trace(session.web.page)

    def _forget_failure(self, session: Session, screen: Screen) -> None:
        self._failed.discard((session.application.key, screen.name, session.credential))
        if session.is_traced:
            session.is_traced = end_trace(session.web.page)

    def _session(self, application: Application, credential: str) -> Session:
        known = (application.key, credential)
        session = self._sessions.get(known)
        if session is None or session.web.is_crashed:
            session = self._sessions[known] = self._begin(application, credential)
        return session

    def _begin(self, application: Application, credential: str) -> Session:
        if credential in self._refused:
            raise CredentialRefused(self._refused[credential], credential=credential)
        environment = application.environments.get(self.environment)
        if environment is None:
            there = ", ".join(application.environments)
            message = f'{application.key} has no environment "{self.environment}"; it has {there}'
            raise ApplicationError(message, code="unknown_environment", transient=False)
        if environment.kind == "terminal":
            message = f"{application.key} is a terminal application in {self.environment}; those are not driven yet"
            raise ApplicationError(message, code="not_web", transient=False)
        kept = self.kept if application.keep_session and environment.kind == "web" else None
        state = None if kept is None else kept.take(application.key, self.environment, credential)
        session = self._open_session(application, credential, state)
        self._sign_in(session, may_be_in=state is not None)
        return session

    def _open_session(self, application: Application, credential: str, state: Any = None) -> Session:
        environment = application.environments[self.environment]
        return Session(
            finder=Finder(application=application, environment=environment, masked=self.masked),
            web=self._face(application, environment, state),
            base_address=self.address(environment.address) if environment.address else "",
            scope=ValueScope(times=Times(now=datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC))),
            say=self.say,
            readable=self.readable,
            credential=credential,
            memory=Memory(folder=self.remembered, application=application.key, environment=self.environment),
            picture=lambda here, what: self._evidence(application).picture(here, what, at_failure=True),
        )

    def _keep(self, session: Session) -> None:
        application = session.application
        is_web = session.environment.kind == "web"
        if self.kept is None or not is_web or not application.keep_session or session.web.is_crashed:
            return
        with suppress(Error):
            state = session.web.page.context.storage_state()
            self.kept.put(application.key, self.environment, session.credential, state)

    def _face(self, application: Application, environment: Environment, state: Any) -> Any:
        """What is looked at and typed into: a page of the browser, or a window of the lane's own desktop."""
        if environment.kind == "web":
            page = self.browser.open_page(file_folder=self.files, storage_state=state)
            return WebPage(page, ignore=application.quiet.ignore)
        if self.desktop is None:
            from interoffice.resources.desktop import Desktop

            self.desktop = Desktop(folder=self.files.parent)
        return open_window(self.desktop, environment, self.address, called=application.name)

    def _close_face(self, session: Session) -> None:
        if session.environment.kind == "web":
            self.browser.close_page(session.web.page)
        elif self.desktop is not None:
            window: Any = session.web
            self.desktop.close_application(window.opened)

    def _sign_in(self, session: Session, *, may_be_in: bool) -> None:
        try:
            parts = self.credentials(session.credential) if session.application.sign_in else {}
            sign_in(session, parts, may_be_in=may_be_in)
        except CredentialRefused as error:
            self._refused[session.credential] = error.message
            self._fail_sign_in(session, error)
            raise
        except ApplicationError as error:
            self._fail_sign_in(session, error)
            raise

    def _fail_sign_in(self, session: Session, error: BotError) -> None:
        self._keep_failure(session.application, None, session, error)
        self._close_face(session)

    def _drop(self, session: Session) -> None:
        self._sessions.pop((session.application.key, session.credential), None)
        self._close_face(session)


def open_screens(**given: Any) -> WebScreens:
    """The web screens of a lane; every keyword of `WebScreens` is one here."""
    return WebScreens(**given)
