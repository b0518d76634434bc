"""The practice CRM: sign-in, the lists of deals, accounts and tasks with their filters, and their exports."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Flask, Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from interoffice.practice.accounts import users_of
from interoffice.practice.amounts import crm_money
from interoffice.practice.crm_data import CrmData
from interoffice.practice.csv_export import csv_answer
from interoffice.practice.documents import Field
from interoffice.practice.dressing import dress, names_seed, plain_names, rename_attributes
from interoffice.practice.faults import Faults
from interoffice.practice.web import FaultyWeb, PageFaults, Sessions, control, is_aside, local_path

COOKIE = "practice_crm_session"
COOKIES_ANSWER = "practice_crm_cookies"
PAGE_SIZE = 20

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class CrmList:
    """One page of the CRM: its filters, the columns of its table, and the headings of its export."""

    name: str
    caption: str
    filters: tuple[Field, ...]
    columns: tuple[Field, ...]
    export: Mapping[str, str]
    fits: Callable[[Row, Mapping[str, str]], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Crm:
    """What the CRM works with."""

    data: CrmData
    faults: Faults
    token: str
    stopping: threading.Event
    sessions: Sessions = field(default_factory=Sessions)

    def rows(self, name: str) -> Sequence[Row]:
        """deals, accounts or tasks."""
        rows: Sequence[Row] = getattr(self.data, name)
        return rows


def _choice(name: str, caption: str, *choices: str) -> Field:
    return Field(name=name, caption=caption, kind="choice", choices=("All", *choices))


def _column(name: str, caption: str, kind: str = "text") -> Field:
    return Field(name=name, caption=caption, kind=kind)


def _is(row: Row, name: str, wanted: Mapping[str, str]) -> bool:
    return wanted[name] in ("", "All", row[name])


_DEAL_COLUMNS = (
    _column("deal_id", "Deal"),
    _column("customer_id", "Customer id"),
    _column("customer_name", "Customer"),
    _column("erp_customer_no", "ERP customer no."),
    _column("stage", "Stage"),
    _column("amount", "Amount", "money"),
    _column("currency", "Currency"),
    _column("discount_percent", "Discount %", "number"),
    _column("region", "Region"),
    _column("closed", "Closed", "date"),
)
_ACCOUNT_COLUMNS = (
    _column("account_id", "Account id"),
    _column("legal_name", "Legal name"),
    _column("country", "Country"),
    _column("register_no", "Register no."),
    _column("vat_number", "VAT id"),
    _column("contact_email", "Contact e-mail"),
    _column("stage", "Stage"),
    _column("erp_customer_no", "ERP customer no."),
)
_TASK_COLUMNS = (
    _column("reference", "Reference"),
    _column("kind", "Type"),
    _column("contact", "Contact"),
    _column("subject", "Subject"),
    _column("due", "Due", "date"),
    _column("status", "Status"),
    _column("owner", "Owner"),
)
_PROSPECT_NAMES = (
    "account_id", "requested_on", "legal_name", "street", "city", "country", "contact_email", "vat_number",
    "register_no", "industry", "channel", "id_document_expiry", "credit_wished", "erp_customer_no", "stage",
)

LISTS = (
    CrmList(
        name="deals",
        caption="Deals",
        filters=(
            _choice("stage", "Stage", "Open", "Won", "Lost"),
            Field(name="closed_from", caption="Closed from", kind="date"),
            Field(name="closed_to", caption="Closed to", kind="date"),
        ),
        columns=_DEAL_COLUMNS,
        export={column.name: column.caption for column in _DEAL_COLUMNS},
        fits=lambda row, wanted: _is(row, "stage", wanted) and _within(row["closed"], wanted),
    ),
    CrmList(
        name="accounts",
        caption="Accounts",
        filters=(
            Field(name="account_id", caption="Account id"),
            _choice("stage", "Stage", "Prospect", "Onboarding requested", "In review", "Customer", "Not accepted"),
        ),
        columns=_ACCOUNT_COLUMNS,
        export={name: name for name in _PROSPECT_NAMES},
        fits=lambda row, wanted: _is(row, "stage", wanted) and wanted["account_id"] in row["account_id"],
    ),
    CrmList(
        name="tasks",
        caption="Tasks",
        filters=(
            _choice("status", "Status", "Open", "Done"),
            _choice("kind", "Type", "Call", "Mail", "Visit"),
            Field(name="due_to", caption="Due to", kind="date"),
        ),
        columns=_TASK_COLUMNS,
        export={column.name: column.caption for column in _TASK_COLUMNS},
        fits=lambda row, wanted: _is(row, "status", wanted)
        and _is(row, "kind", wanted)
        and (not wanted["due_to"] or row["due"] <= wanted["due_to"]),
    ),
)


def crm_app(crm: Crm) -> Flask:
    """The web application."""
    app = Flask("interoffice.practice")
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(lists=LISTS)
    pages = _Pages(crm)
    app.before_request(pages.load_session)
    pages.web.install(app, end_session=pages.end_session)
    app.before_request(pages.gate)
    app.register_blueprint(control(crm.faults, crm.token))
    app.add_url_rule("/", "home", pages.home)
    app.add_url_rule("/sign-in", "sign_in", pages.sign_in, methods=["GET", "POST"])
    app.add_url_rule("/sign-out", "sign_out", pages.sign_out, methods=["POST"])
    for of in LISTS:
        _add_list(app, pages, of)
    return app


def _add_list(app: Flask, pages: _Pages, of: CrmList) -> None:
    app.add_url_rule(f"/{of.name}", of.name, lambda: pages.listing(of))
    app.add_url_rule(f"/{of.name}/export", f"{of.name}.export", lambda: pages.export(of), methods=["GET", "POST"])


class _Pages:
    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._accounts = users_of("crm")
        self.web = FaultyWeb("crm", crm.faults, crm.stopping)

    def load_session(self) -> None:
        g.session = self._crm.sessions.find(request.cookies.get(COOKIE))

    def end_session(self) -> None:
        self._crm.sessions.end(g.session.token)
        g.session = None

    def gate(self) -> AnyResponse | None:
        if g.session is not None or is_aside() or request.endpoint == "sign_in":
            return None
        return self._sign_in_page(wanted=request.full_path if request.method == "GET" else "/")

    def home(self) -> AnyResponse:
        return redirect("/deals")

    def sign_in(self) -> AnyResponse:
        wanted = request.values.get("wanted", "/")
        if request.method == "GET":
            return self._sign_in_page(wanted=wanted)
        user = request.form.get("email", "").strip().lower()
        account = self._accounts.get(user)
        password = request.form.get("password", "").encode()
        if account is None or not secrets.compare_digest(password, account.password.encode()):
            return self._sign_in_page(wanted=wanted, problem="E-mail or password is wrong.", email=user)
        response = redirect(local_path(wanted), 303)
        response.set_cookie(COOKIE, self._crm.sessions.begin(user).token, httponly=True, samesite="Lax")
        return response

    def sign_out(self) -> AnyResponse:
        self.end_session()
        response = redirect("/sign-in", 303)
        response.delete_cookie(COOKIE)
        return response

    def listing(self, of: CrmList) -> AnyResponse:
        wanted, problem = self._wanted(of)
        rows = [] if problem else self._rows(of, wanted)
        number = max(1, request.args.get("page", 1, type=int))
        faults = self.web.page_faults()
        return self._page(
            "crm/list.html", faults, of=of, filters=dress(of.filters, wanted, faults), wanted=wanted, problem=problem,
            rows=[_shown(of, row) for row in rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]], found=len(rows),
            number=number, last=max(1, -(-len(rows) // PAGE_SIZE)),
        )

    def export(self, of: CrmList) -> AnyResponse:
        wanted, problem = self._wanted(of)
        if problem:
            return self.listing(of)
        return csv_answer(self.web, f"{of.name}.csv", of.export, self._rows(of, wanted))

    def _wanted(self, of: CrmList) -> tuple[dict[str, str], str]:
        typed = plain_names(request.args.to_dict(), [f.name for f in of.filters])
        wanted = {f.name: typed.get(f.name, "").strip() for f in of.filters}
        wrong = [f for f in of.filters if f.kind == "date" and wanted[f.name] and not _is_date(wanted[f.name])]
        if wrong:
            return wanted, f"{wrong[0].caption}: {wanted[wrong[0].name]} is not a date like 2026-12-31."
        return wanted, ""

    def _rows(self, of: CrmList, wanted: Mapping[str, str]) -> list[Row]:
        return [row for row in self._crm.rows(of.name) if of.fits(row, wanted)]

    def _sign_in_page(self, **values: Any) -> Response:
        return self._page("crm/sign_in.html", PageFaults(by_kind={}), **values)

    def _page(self, template: str, faults: PageFaults, **values: Any) -> Response:
        html = render_template(
            template, session=g.session, faults=faults, names_seed=names_seed(faults), here=request.path,
            ask_cookies=COOKIES_ANSWER not in request.cookies, **values,
        )
        return make_response(rename_attributes(html, faults))


def _shown(of: CrmList, row: Row) -> dict[str, str]:
    return {
        column.name: crm_money(Decimal(row[column.name])) if column.kind == "money" else row[column.name]
        for column in of.columns
    }


def _within(closed: str, wanted: Mapping[str, str]) -> bool:
    first, last = wanted["closed_from"], wanted["closed_to"]
    return (not first or (closed != "" and closed >= first)) and (not last or (closed != "" and closed <= last))


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
