"""The practice ERP's web client: sign-in, forms that post into the ledger, lists, exports."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, make_response, redirect, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from interoffice.practice.accounts import Account, users_of
from interoffice.practice.client_answers import client_answer
from interoffice.practice.documents import KINDS, NAVIGATION, DocumentKind, Field
from interoffice.practice.dressing import dress, names_seed, plain_names, rename_attributes
from interoffice.practice.entry import read_entry, shown, typed_lines
from interoffice.practice.erp_exports import EXPORT_FIELDS, export_answer
from interoffice.practice.faults import Faults
from interoffice.practice.ledger import Ledger, Posting, Signature
from interoffice.practice.master_data import MasterData
from interoffice.practice.one_time_code import is_current_code
from interoffice.practice.web import FaultyWeb, PageFaults, Session, Sessions, control, is_aside, local_path

COOKIE = "practice_erp_session"
HALF_COOKIE = "practice_erp_first_factor"
PAGE_SIZE = 25
PASSWORDS_BEFORE_LOCK = 5
MAX_UPLOAD_BYTES = 20_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Erp:
    """What the ERP works with; its pages hold no state of their own."""

    folder: Path
    ledger: Ledger
    master: MasterData
    faults: Faults
    token: str
    stopping: threading.Event
    sessions: Sessions = field(default_factory=Sessions)
    first_factor: Sessions = field(default_factory=Sessions)

    def unlock(self, user: str) -> None:
        """An administrator lets a locked account in again."""
        self.ledger.note_sign_in("unlocked", Signature(user=user, session="", request=""))


def erp_app(erp: Erp) -> Flask:
    """The web application."""
    app = Flask("interoffice.practice")
    app.config["MAX_CONTENT_LENGTH"] = MAX_UPLOAD_BYTES
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(navigation=NAVIGATION)
    pages = _Pages(erp)
    app.before_request(pages.load_session)
    pages.web.install(app, end_session=pages.end_session)
    app.before_request(pages.gate)
    app.register_blueprint(control(erp.faults, erp.token, erp.unlock))
    app.add_url_rule("/", "home", pages.home)
    app.add_url_rule("/sign-in", "sign_in", pages.sign_in, methods=["GET", "POST"])
    app.add_url_rule("/sign-out", "sign_out", pages.sign_out, methods=["POST"])
    app.add_url_rule("/exports", "exports", pages.exports)
    app.add_url_rule("/exports/download", "exports.download", pages.download)
    for kind in KINDS.values():
        _add_document(app, pages, kind)
    return app


def _add_document(app: Flask, pages: _Pages, kind: DocumentKind) -> None:
    def form() -> AnyResponse:
        return pages.enter(kind) if request.method == "POST" else pages.empty_form(kind)

    def listing() -> AnyResponse:
        return pages.listing(kind)

    def record(number: str) -> AnyResponse:
        return pages.record(kind, number)

    app.add_url_rule(f"{kind.path}/new", kind.screen, form, methods=["GET", "POST"])
    app.add_url_rule(kind.path, kind.list_page.screen, listing)
    app.add_url_rule(f"{kind.path}/<number>", f"{kind.screen}.record", record)


class _Pages:
    def __init__(self, erp: Erp) -> None:
        self._erp = erp
        self._accounts = users_of("erp")
        self.web = FaultyWeb("erp", erp.faults, erp.stopping, commits_in=KINDS)

    # Who is asking?

    def load_session(self) -> None:
        g.request_id = secrets.token_hex(8)
        g.session = self._erp.sessions.find(request.cookies.get(COOKIE))

    def end_session(self) -> None:
        self._erp.sessions.end(g.session.token)
        g.session = None

    def gate(self) -> AnyResponse | None:
        if g.session is not None or is_aside() or request.endpoint == "sign_in":
            return None
        return self._sign_in_page(wanted=request.full_path if request.method == "GET" else "/")

    def sign_in(self) -> AnyResponse:
        if request.method == "GET":
            return self._sign_in_page(wanted=request.args.get("wanted", "/"))
        half = self._erp.first_factor.find(request.cookies.get(HALF_COOKIE))
        if half is not None and "code" in request.form:
            return self._second_factor(half)
        user = request.form.get("user_name", "").strip()
        account = self._accounts.get(user)
        if account is None:
            return self._refused("unknown_user", user, "User name or password is wrong.")
        wrong = self._erp.ledger.wrong_passwords(user)
        if wrong >= PASSWORDS_BEFORE_LOCK:
            return self._refused("locked", user, "This account is locked. Ask an administrator to unlock it.")
        if not secrets.compare_digest(request.form.get("password", "").encode(), account.password.encode()):
            return self._refused("wrong_password", user, _wrong(wrong + 1))
        if account.totp:
            return self._ask_code(account)
        return self._welcome(user)

    def _second_factor(self, half: Session) -> AnyResponse:
        account = self._accounts[half.user]
        if not is_current_code(account.totp, request.form.get("code", ""), datetime.now(UTC)):
            self._erp.first_factor.end(half.token)
            return self._refused("wrong_code", half.user, "The one-time code is wrong. Sign in again.")
        self._erp.first_factor.end(half.token)
        return self._welcome(half.user)

    def _ask_code(self, account: Account) -> AnyResponse:
        half = self._erp.first_factor.begin(account.user)
        response = self._sign_in_page(wanted=request.form.get("wanted", "/"), ask_code=True)
        response.set_cookie(HALF_COOKIE, half.token, httponly=True, samesite="Lax")
        return response

    def _welcome(self, user: str) -> AnyResponse:
        session = self._erp.sessions.begin(user)
        self._note("signed_in", user, session.label)
        response = redirect(local_path(request.form.get("wanted", "/")), 303)
        response.set_cookie(COOKIE, session.token, httponly=True, samesite="Lax")
        response.delete_cookie(HALF_COOKIE)
        return response

    def _refused(self, outcome: str, user: str, reason: str) -> AnyResponse:
        self._note(outcome, user, "")
        return self._sign_in_page(wanted=request.form.get("wanted", "/"), problem=reason, user_name=user)

    def _sign_in_page(self, **values: Any) -> Response:
        return self._page("erp/sign_in.html", PageFaults(by_kind={}), **values)

    def sign_out(self) -> AnyResponse:
        self._note("signed_out", g.session.user, g.session.label)
        self.end_session()
        response = redirect("/sign-in", 303)
        response.delete_cookie(COOKIE)
        return response

    def _note(self, outcome: str, user: str, session: str) -> None:
        self._erp.ledger.note_sign_in(outcome, Signature(user=user, session=session, request=g.request_id))

    # Pages

    def home(self) -> AnyResponse:
        counts = [(kind, len(self._erp.ledger.postings(kind.screen))) for kind in KINDS.values()]
        latest = [(KINDS[posting.kind], posting) for posting in reversed(self._erp.ledger.postings()[-8:])]
        return self._page("erp/home.html", self.web.page_faults(), counts=counts, latest=latest)

    def empty_form(self, kind: DocumentKind) -> AnyResponse:
        return self._form(kind, {}, [])

    def enter(self, kind: DocumentKind) -> AnyResponse:
        """A form was sent: posted, and shown again with its number, or shown again with the reasons against it."""
        typed = self._typed(kind)
        lines = typed_lines(kind, typed)
        problems = self._refusals(kind, typed)
        entry = read_entry(kind, typed, self._erp.master)
        if problems or entry.problems:
            return self._form(kind, typed, lines, problem=" ".join([*problems, *entry.problems]))
        fields = dict(entry.fields)
        if kind.has_file:
            fields["attachment"] = self._keep(request.files.get("attachment"))
        posting = self._erp.ledger.post(kind=kind.screen, numbers=kind.numbers, fields=fields, by=self._signature())
        self.web.committed()
        return self._form(kind, _shown_fields(kind, posting), _shown_lines(kind, posting), posting=posting)

    def record(self, kind: DocumentKind, number: str) -> AnyResponse:
        faults = self.web.page_faults()
        for posting in self._erp.ledger.postings(kind.screen):
            if posting.number == number:
                return self._page(
                    "erp/record.html", faults, kind=kind, number=number, posting=posting,
                    values=_shown_fields(kind, posting), lines=_shown_lines(kind, posting),
                )
        if kind.screen == "customer" and number in self._erp.master.customers:
            known = self._erp.master.customers[number]
            return self._page("erp/record.html", faults, kind=kind, number=number, values=known)
        return make_response(self._page("erp/record.html", faults, kind=kind, number=number, values=None), 404)

    def listing(self, kind: DocumentKind) -> AnyResponse:
        page = kind.list_page
        typed = plain_names(request.args.to_dict(), [f.name for f in page.search])
        wanted = {f.name: typed.get(f.name, "").strip() for f in page.search}
        rows = self._rows(kind, wanted)
        number = max(1, request.args.get("page", 1, type=int))
        faults = self.web.page_faults()
        return self._page(
            "erp/list.html", faults, kind=kind, page=page, search=dress(page.search, wanted, faults),
            columns=page.columns, rows=rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE], found=len(rows),
            number=number, last=max(1, -(-len(rows) // PAGE_SIZE)), wanted=wanted,
        )

    def exports(self) -> AnyResponse:
        faults = self.web.page_faults()
        return self._page("erp/exports.html", faults, fields=dress(EXPORT_FIELDS, request.args.to_dict(), faults))

    def download(self) -> AnyResponse:
        answer = export_answer(plain_names(request.args.to_dict(), [f.name for f in EXPORT_FIELDS]),
                               self._erp.master, self.web)
        if isinstance(answer, Response):
            return answer
        faults = self.web.page_faults()
        fields = dress(EXPORT_FIELDS, request.args.to_dict(), faults)
        return self._page("erp/exports.html", faults, fields=fields, problem=answer)

    # What they are made of

    def _form(
        self, kind: DocumentKind, values: Mapping[str, str], lines: list[dict[str, str]], *,
        problem: str = "", posting: Posting | None = None,
    ) -> Response:
        faults = self.web.page_faults()
        return self._page(
            "erp/document.html", faults, kind=kind, fields=dress(kind.fields, values, faults),
            lines=lines or ([{}] if kind.lines is not None else []), problem=problem, posting=posting,
            total=shown(Field(name="total", caption="Total", kind="money"), posting.fields["total"])
            if posting is not None and kind.shows_total else "",
        )

    def _page(self, template: str, faults: PageFaults, **values: Any) -> Response:
        if request.headers.get("Accept") == "application/json":
            return client_answer(template, faults, values)
        html = render_template(
            template, session=g.session, faults=faults, names_seed=names_seed(faults), here=request.path, **values
        )
        return make_response(rename_attributes(html, faults))

    def _typed(self, kind: DocumentKind) -> dict[str, str]:
        known = [f.name for f in kind.fields] + [f.name for f in (kind.lines.fields if kind.lines else ())]
        return plain_names(request.form.to_dict(), known)

    def _refusals(self, kind: DocumentKind, typed: Mapping[str, str]) -> list[str]:
        if kind.screen not in self._accounts[g.session.user].may_post:
            return [f"User {g.session.user} may not enter a {kind.title.lower()}."]
        reference = kind.list_page.search[-1]
        used = [p for p in self._erp.ledger.postings(kind.screen)
                if p.fields.get(reference.name) == typed.get(reference.name, "").strip()]
        if used and self.web.take("refuse_doubled_reference") is not None:
            return [f"{reference.caption} {typed[reference.name]} was already used in {used[0].number}."]
        return []

    def _rows(self, kind: DocumentKind, wanted: Mapping[str, str]) -> list[dict[str, str]]:
        posted = self._erp.ledger.postings(kind.screen)
        lag = self.web.take("list_lag")
        if lag is not None:
            horizon = datetime.now(UTC) - timedelta(seconds=lag.seconds)
            posted = [posting for posting in posted if posting.at <= horizon]
        rows = [dict(row) for row in self._erp.master.customers.values()] if kind.screen == "customer" else []
        rows += [{**_shown_fields(kind, p), kind.number.name: p.number} for p in posted]
        return [
            row for row in rows
            if all(text.casefold() in row.get(name, "").casefold() for name, text in wanted.items())
        ]

    def _keep(self, upload: FileStorage | None) -> dict[str, Any] | None:
        if upload is None or not upload.filename:
            return None
        content = upload.read()
        digest = hashlib.sha256(content).hexdigest()
        folder = self._erp.folder / "attachments"
        folder.mkdir(exist_ok=True)
        with open(folder / digest, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        return {"name": upload.filename, "sha256": digest, "size_bytes": len(content)}

    def _signature(self) -> Signature:
        return Signature(user=g.session.user, session=g.session.label, request=g.request_id)


def _shown_fields(kind: DocumentKind, posting: Posting) -> dict[str, str]:
    values = {f.name: shown(f, posting.fields.get(f.name) or "") for f in kind.fields if f.kind != "file"}
    if kind.has_file and posting.fields.get("attachment"):
        values["attachment"] = posting.fields["attachment"]["name"]
    if kind.shows_total:
        values["total"] = shown(Field(name="total", caption="Total", kind="money"), posting.fields["total"])
    return values


def _shown_lines(kind: DocumentKind, posting: Posting) -> list[dict[str, str]]:
    if kind.lines is None:
        return []
    return [{f.name: shown(f, line[f.name]) for f in kind.lines.fields} for line in posting.fields["lines"]]


def _wrong(count: int) -> str:
    left = PASSWORDS_BEFORE_LOCK - count
    if left <= 0:
        return "User name or password is wrong. The account is now locked."
    return f"User name or password is wrong. {left} more wrong passwords lock the account."
