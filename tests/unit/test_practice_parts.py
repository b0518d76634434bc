"""The pure parts of the practice office: numbers, one-time codes, faults and the seeded data."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.errors import ProjectError
from interoffice.practice import practice_address
from interoffice.practice.amounts import erp_date, erp_money, erp_number, parse_erp_date, parse_erp_number
from interoffice.practice.crm_data import read_crm_data
from interoffice.practice.faults import Asked, Fault, Faults
from interoffice.practice.ledger import Ledger, NumberRange, Signature, read_ledger
from interoffice.practice.master_data import read_master_data
from interoffice.practice.one_time_code import code_at, is_current_code
from interoffice.practice.seed import credit_limits_csv, last_weekday_before, read_credit, seed_demo

BY = Signature(user="erp.clerk", session="s", request="r")
ORDERS = NumberRange(prefix="SO-", digits=8, first=1001)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("1.234,56", "1234.56"), ("1234,56", "1234.56"), ("-12,5", "-12.5"), ("7", "7"), ("1.000.000", "1000000")],
)
def test_the_erp_reads_numbers_as_it_writes_them(typed: str, meant: str) -> None:
    assert parse_erp_number(typed) == Decimal(meant)


@pytest.mark.parametrize("typed", ["1,234.56", "1234.56", "12.34", "1.2345", "1,234", "abc", "", "1e3", "１２"])
def test_the_erp_refuses_numbers_written_otherwise(typed: str) -> None:
    with pytest.raises(ValueError):
        parse_erp_number(typed)


def test_the_erp_writes_numbers_and_dates_as_its_users_do() -> None:
    assert erp_money(Decimal("1234567.5")) == "1.234.567,50"
    assert erp_number(Decimal("1234.50")) == "1.234,5"
    assert erp_number(Decimal("100")) == "100"
    assert erp_date(date(2026, 3, 1)) == "01.03.2026"
    assert parse_erp_date("1.3.2026") == date(2026, 3, 1)


@pytest.mark.parametrize("typed", ["2026-03-01", "31.02.2026", "01.03.26", "03/01/2026"])
def test_the_erp_refuses_dates_written_otherwise(typed: str) -> None:
    with pytest.raises(ValueError):
        parse_erp_date(typed)


def test_one_time_codes_are_those_of_rfc_6238() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the RFC's own, 12345678901234567890
    assert code_at(secret, datetime.fromtimestamp(59, UTC)) == "287082"
    assert code_at(secret, datetime.fromtimestamp(1111111109, UTC)) == "081804"
    now = datetime.fromtimestamp(1111111109, UTC)
    assert is_current_code(secret, code_at(secret, now - timedelta(seconds=30)), now)
    assert not is_current_code(secret, code_at(secret, now - timedelta(seconds=90)), now)


def test_a_fault_hits_only_what_it_is_scoped_to_and_only_as_often_as_said() -> None:
    faults = Faults(Fault(kind="error_before_commit", screen="sales_order", reference="D-1046", times=1))
    other = Asked(application="erp", screen="sales_order", values=frozenset({"D-1045"}))
    meant = Asked(application="erp", screen="sales_order", values=frozenset({"D-1046", "EUR"}))
    hits = [faults.take("error_before_commit", asked) is not None for asked in (other, meant, meant)]
    assert hits == [False, True, False]
    assert (faults.states()[0].seen, faults.fired()) == (2, 1)


def test_skip_and_every_choose_which_requests_are_hit() -> None:
    faults = Faults(Fault(kind="session_expired", skip=1, every=3))
    hits = [faults.take("session_expired", Asked(application="erp")) is not None for _ in range(8)]
    assert hits == [False, False, False, True, False, False, True, False]


def test_a_fault_by_chance_is_the_same_for_the_same_seed() -> None:
    def draw() -> list[bool]:
        faults = Faults(Fault(kind="notice", chance=0.5, seed=3))
        return [faults.take("notice", Asked(application="erp")) is not None for _ in range(20)]

    assert draw() == draw()
    assert 0 < sum(draw()) < 20


def test_a_fault_that_does_not_exist_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no fault 'lost_replay'"):
        Fault(kind="lost_replay")
    with pytest.raises(ValueError, match="how='teleport'"):
        Fault(kind="lost_reply", how="teleport")
    with pytest.raises(ValueError, match="needs the pid"):
        Fault(kind="kill_client_after_commit")


def test_a_fault_survives_the_way_to_another_process() -> None:
    fault = Fault(kind="swapped_captions", fields=("amount", "customer_no"), times=2, screen="sales_order")
    assert Fault.from_json(json.loads(json.dumps(fault.as_json()))) == fault


def test_the_ledger_can_be_read_again_and_numbers_go_on(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.post(kind="sales_order", numbers=ORDERS, fields={"amount": "1.00"}, by=BY)
    ledger.close()
    again = Ledger(tmp_path)
    posted = again.post(kind="sales_order", numbers=ORDERS, fields={"amount": "2.00"}, by=BY)
    again.close()
    assert posted.number == "SO-00001002"
    assert [p.fields["amount"] for p in read_ledger(tmp_path).postings("sales_order")] == ["1.00", "2.00"]


def test_wrong_passwords_count_until_a_good_one_or_until_unlocked(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for outcome in ("wrong_password", "signed_in", "wrong_password", "wrong_password"):
        ledger.note_sign_in(outcome, BY)
    assert ledger.wrong_passwords("erp.clerk") == 2
    ledger.note_sign_in("unlocked", BY)
    assert ledger.wrong_passwords("erp.clerk") == 0
    ledger.close()


def test_no_office_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"not running in .*; start it with: runner.py practice"):
        practice_address(tmp_path, "erp")


TODAYS = [date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 29), date(2027, 1, 4), date(2026, 3, 1)]


@pytest.mark.parametrize("today", TODAYS)
def test_fourteen_deals_were_won_between_the_last_weekday_and_yesterday(tmp_path: Path, today: date) -> None:
    seed_demo(tmp_path, today)
    first, last = last_weekday_before(today).isoformat(), (today - timedelta(days=1)).isoformat()
    won = [d["deal_id"] for d in read_crm_data(tmp_path).deals if d["stage"] == "Won" and first <= d["closed"] <= last]
    assert won == [f"D-{number}" for number in range(1042, 1056)]


def test_the_deals_play_the_parts_that_the_demo_tells(tmp_path: Path) -> None:
    seed_demo(tmp_path, TODAYS[0])
    deals = {d["deal_id"]: d for d in read_crm_data(tmp_path).deals}
    demo = [deals[f"D-{number}"] for number in range(1042, 1056)]
    customers, credit = read_master_data(tmp_path).customers, read_credit(tmp_path)
    assert all(customers[deal["erp_customer_no"]]["blocked"] == "no" for deal in demo)
    assert all(0 < Decimal(deal["amount"]) <= 50000 for deal in demo)
    assert all(credit[deal["erp_customer_no"]]["screening_result"] == "clear" for deal in demo)
    assert [d["deal_id"] for d in demo if d["currency"] not in ("EUR", "USD", "GBP")] == ["D-1047"]
    over = [d["deal_id"] for d in demo if _needed(d, credit) > Decimal(credit[d["erp_customer_no"]]["credit_limit"])]
    assert over == ["D-1049"]
    generous = {d["deal_id"]: d["region"] for d in demo if Decimal(d["discount_percent"]) > 15}
    assert generous == {"D-1044": "EMEA", "D-1045": "APAC"}
    assert deals["D-1050"]["erp_customer_no"] == "00004711"
    assert len(deals) == 56


def _needed(deal: Mapping[str, str], credit: Mapping[str, Mapping[str, str]]) -> Decimal:
    return Decimal(credit[deal["erp_customer_no"]]["open_balance"]) + Decimal(deal["amount"])


def test_the_same_day_gives_the_same_data(tmp_path: Path) -> None:
    for name in ("one", "two"):
        seed_demo(tmp_path / name, TODAYS[1])
    files = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert files == ["credit.json", "crm_data.json", "erp_master_data.json"]
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def test_the_limits_file_is_written_as_finance_writes_it(tmp_path: Path) -> None:
    credit_limits_csv(tmp_path / "data" / "credit_limits.csv")
    with open(tmp_path / "data" / "credit_limits.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[0] == ["Customer no.", "Limit", "Open balance", "Screening"]
    assert rows[1] == ["C-100017", "60000,00", "8150,25", "clear"]
    assert len(rows) == 22
