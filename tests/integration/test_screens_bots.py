"""The screens bots with a real Context, against the practice ERP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from bots.back_office import screens as bots
from interoffice.bot import BotMark, Found, NotFound
from interoffice.context import Context, RunFacts
from interoffice.errors import ApplicationError
from interoffice.practice.faults import Fault
from interoffice.practice.office import PracticeOffice
from interoffice.resources.browser import Browser
from tests.support.screens import TODAY, ScreenDesk, practice_desk

FIELDS = {"customer_no": "C-100017", "customer_reference": "D-1", "amount": Decimal("10.5"), "currency": "GBP"}


class Lines:
    """The run's log, kept."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def info(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    warning = info

    def progress(self, done: int, total: int | None, what: str) -> None:
        self.events.append((what, {"done": done}))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    opened = Browser()
    yield opened
    opened.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PracticeOffice]:
    with PracticeOffice.start(tmp_path / "practice", only=("erp",), today=TODAY) as started:
        yield started


@pytest.fixture
def desk(tmp_path: Path, browser: Browser, office: PracticeOffice) -> Iterator[ScreenDesk]:
    with practice_desk(tmp_path, browser, office) as opened:
        yield opened


@pytest.fixture
def ctx(desk: ScreenDesk) -> Context:
    facts = RunFacts(
        run_id="r", workflow="w", environment="practice", step="s",
        planned=datetime(2026, 11, 23, 9, tzinfo=ZoneInfo("Europe/Berlin")),
    )  # fmt: skip
    nothing = cast(Any, None)
    return Context(
        run=facts, commit=desk.gate, screens=desk.screens, mail=nothing, files=nothing, tables=nothing, http=nothing,
        queues=nothing, alerts=nothing, log=Lines(),
    )  # fmt: skip


def mark(bot: object) -> BotMark:
    return bot.bot_mark  # type: ignore[attr-defined,no-any-return]


def test_fill_form_posts_and_gives_what_was_read(ctx: Context, office: PracticeOffice) -> None:
    filled = bots.fill_form(
        ctx, screen="erp.sales_order", fields=FIELDS, submit="save", read=("order_no",), credential="clerk"
    )
    (posting,) = office.ledger.postings()
    assert filled.values == {"order_no": posting.number}


def test_the_look_up_of_fill_form_gives_its_outputs(ctx: Context, office: PracticeOffice) -> None:
    inputs = {
        "screen": "erp.sales_order", "fields": FIELDS, "submit": "save", "read": ("order_no",), "credential": "clerk",
    }  # fmt: skip
    look_up = mark(bots.fill_form).look_up
    assert look_up is not None
    assert isinstance(look_up(ctx, "D-1", inputs), NotFound)
    filled = bots.fill_form(ctx, **inputs)  # type: ignore[arg-type]
    found = look_up(ctx, "D-1", inputs)
    assert isinstance(found, Found)
    assert found.fields == {"values": filled.values}
    assert found.reference == office.ledger.postings()[0].number


def test_find_record_says_found_not_found_or_fails(ctx: Context, office: PracticeOffice) -> None:
    bots.fill_form(ctx, screen="erp.sales_order", fields=FIELDS, submit="save", credential="clerk")
    wanted = {"screen": "erp.sales_order", "read": ("order_no", "amount"), "credential": "clerk"}
    there = bots.find_record(ctx, by={"customer_reference": "D-1"}, **wanted)  # type: ignore[arg-type]
    assert there.found and there.values["amount"] == Decimal("10.5")
    gone = bots.find_record(ctx, by={"customer_reference": "D-2"}, **wanted)  # type: ignore[arg-type]
    assert not gone.found and gone.values == {"order_no": None, "amount": None}
    office.faults.switch_on(Fault(kind="error", application="erp"))
    with pytest.raises(ApplicationError, match="can't be told") as unclear:
        bots.find_record(ctx, by={"customer_reference": "D-1"}, **wanted)  # type: ignore[arg-type]
    assert unclear.value.transient


def test_read_list_gives_the_columns_asked_for(ctx: Context, office: PracticeOffice) -> None:
    bots.fill_form(ctx, screen="erp.sales_order", fields=FIELDS, submit="save", credential="clerk")
    rows = bots.read_list(
        ctx, screen="erp.order_list", columns=("customer_reference", "amount"), max_pages=Decimal(3), credential="clerk"
    ).rows
    assert list(rows.rows()) == [{"customer_reference": "D-1", "amount": Decimal("10.5")}]


def test_sign_out_leaves_no_session(ctx: Context, office: PracticeOffice) -> None:
    bots.read_list(ctx, screen="erp.order_list", columns=("order_no",), credential="clerk")
    bots.sign_out(ctx, application="erp")
    assert [each.outcome for each in office.ledger.sign_ins()] == ["signed_in", "signed_out"]
