"""Each fault of the practice office does what its name says, no more, and the ledger tells what really happened."""

from __future__ import annotations

import csv
import io
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.faults import HOWS, KINDS, Fault
from interoffice.practice.office import PracticeOffice

ORDER = {"customer_no": "C-100017", "customer_reference": "D-1046", "amount": "18.450,00", "currency": "EUR"}
NEW = "/sales/orders/new"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PracticeOffice]:
    with PracticeOffice.start(tmp_path, only=("erp", "crm"), today=date(2026, 11, 23)) as started:
        yield started


@pytest.fixture
def clerk(office: PracticeOffice) -> httpx.Client:
    account = ACCOUNTS["erp_clerk"]
    client = httpx.Client(base_url=office.addresses["erp"], follow_redirects=True, timeout=5)
    client.post("/sign-in", data={"user_name": account.user, "password": account.password})
    return client


@pytest.fixture
def seller(office: PracticeOffice) -> httpx.Client:
    account = ACCOUNTS["crm_reader"]
    client = httpx.Client(base_url=office.addresses["crm"], follow_redirects=True, timeout=5)
    client.post("/sign-in", data={"email": account.user, "password": account.password})
    return client


def _references(office: PracticeOffice) -> list[str]:
    return [posting.fields["customer_reference"] for posting in office.ledger.postings("sales_order")]


def _number(page: str) -> str:
    found = re.search(r"SO-\d{8}(?=</output>)", page)
    return found[0] if found else ""


def test_an_error_before_the_commit_posts_nothing_and_the_next_try_does(
    office: PracticeOffice, clerk: httpx.Client
) -> None:
    office.faults.switch_on(Fault(kind="error_before_commit", screen="sales_order", reference="D-1046", times=1))
    assert clerk.get(NEW).status_code == 200
    assert clerk.post(NEW, data=ORDER | {"customer_reference": "D-1"}).status_code == 200
    assert clerk.post(NEW, data=ORDER).status_code == 500
    assert _references(office) == ["D-1"]
    assert clerk.post(NEW, data=ORDER).status_code == 200
    assert _references(office) == ["D-1", "D-1046"]


def test_an_error_after_the_commit_has_posted(office: PracticeOffice, clerk: httpx.Client) -> None:
    office.faults.switch_on(Fault(kind="error_after_commit", times=1))
    assert clerk.get("/sales/orders").status_code == 200
    assert clerk.post(NEW, data=ORDER | {"customer_no": "C-9"}).status_code == 200  # refused: no commit, no fault
    assert clerk.post(NEW, data=ORDER).status_code == 500
    assert _references(office) == ["D-1046"]


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("reset", httpx.ReadError),
        ("close", httpx.RemoteProtocolError),
        ("after_headers", httpx.RemoteProtocolError),
        ("mid_body", httpx.RemoteProtocolError),
        ("stall", httpx.ReadTimeout),
    ],
)
def test_a_lost_reply_has_posted_once(
    office: PracticeOffice, clerk: httpx.Client, how: str, error: type[Exception]
) -> None:
    office.faults.switch_on(Fault(kind="lost_reply", how=how, times=1))
    with pytest.raises(error):
        clerk.post(NEW, data=ORDER, timeout=0.5)
    assert _references(office) == ["D-1046"]
    assert _number(clerk.post(NEW, data=ORDER).text) == "SO-00001002"


def test_a_reply_cut_in_mid_body_arrives_by_half(office: PracticeOffice, clerk: httpx.Client) -> None:
    whole = clerk.get("/exports/download?table=ledger").content
    office.faults.switch_on(Fault(kind="cut_reply", how="mid_body", path="/exports/download"))
    received = b""
    with pytest.raises(httpx.RemoteProtocolError), clerk.stream("GET", "/exports/download?table=ledger") as answer:
        for part in answer.iter_bytes():
            received += part
    assert received == whole[: len(whole) // 2]


def test_a_stalled_answer_does_not_keep_the_office_from_stopping(tmp_path: Path) -> None:
    office = PracticeOffice.start(tmp_path, only=("crm",))
    office.faults.switch_on(Fault(kind="no_answer"))
    silent = threading.Thread(target=lambda: _ignore_errors(office.addresses["crm"]))
    silent.start()
    while office.faults.fired() == 0:
        time.sleep(0.01)
    began = time.monotonic()
    office.stop()
    silent.join(timeout=5)
    assert not silent.is_alive()
    assert time.monotonic() - began < 2


def _ignore_errors(address: str) -> None:
    try:
        httpx.get(address, timeout=30)
    except httpx.HTTPError:
        return


def test_a_page_that_never_answers_is_never_answered(office: PracticeOffice, seller: httpx.Client) -> None:
    office.faults.switch_on(Fault(kind="no_answer", application="crm", path="/deals/export"))
    assert seller.get("/deals").status_code == 200
    with pytest.raises(httpx.ReadTimeout):
        seller.get("/deals/export", timeout=0.3)


def test_a_slow_page_comes_late_and_only_there(office: PracticeOffice, clerk: httpx.Client) -> None:
    office.faults.switch_on(Fault(kind="slow", screen="order_list", seconds=0.4))
    began = time.monotonic()
    clerk.get(NEW)
    assert time.monotonic() - began < 0.4
    began = time.monotonic()
    clerk.get("/sales/orders")
    assert time.monotonic() - began >= 0.4


def test_every_nth_request_ends_the_session_with_http_200(office: PracticeOffice, clerk: httpx.Client) -> None:
    office.faults.switch_on(Fault(kind="session_expired", every=3, times=1))
    answers = [clerk.get("/sales/orders") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert ['type="password"' in answer.text for answer in answers] == [False, False, True, True]


def test_an_order_sent_after_the_session_ended_is_not_posted(office: PracticeOffice, clerk: httpx.Client) -> None:
    office.faults.switch_on(Fault(kind="session_expired", screen="sales_order", method="POST", times=1))
    answer = clerk.post(NEW, data=ORDER)
    assert (answer.status_code, 'type="password"' in answer.text) == (200, True)
    assert _references(office) == []


def test_maintenance_has_its_page(office: PracticeOffice, clerk: httpx.Client, seller: httpx.Client) -> None:
    office.faults.switch_on(Fault(kind="maintenance"))
    assert "<h1>The ERP is being maintained</h1>" in clerk.get(NEW).text
    answer = seller.get("/deals")
    assert answer.status_code == 503
    assert "<h1>The CRM is down for maintenance</h1>" in answer.text


def test_a_list_lags_behind_what_was_posted(office: PracticeOffice, clerk: httpx.Client) -> None:
    office.faults.switch_on(Fault(kind="list_lag", screen="order_list", seconds=0.5))
    clerk.post(NEW, data=ORDER)
    posted = time.monotonic()
    assert 'data-testid="found">0<' in clerk.get("/sales/orders").text
    while 'data-testid="found">1<' not in clerk.get("/sales/orders").text:
        assert time.monotonic() - posted < 5
    assert time.monotonic() - posted >= 0.4


def test_a_doubled_reference_is_refused_where_told_so(office: PracticeOffice, clerk: httpx.Client) -> None:
    office.faults.switch_on(Fault(kind="refuse_doubled_reference"))
    clerk.post(NEW, data=ORDER)
    assert "Customer reference D-1046 was already used in SO-00001001." in clerk.post(NEW, data=ORDER).text
    assert _references(office) == ["D-1046"]


def test_the_client_is_killed_right_after_the_commit(office: PracticeOffice, clerk: httpx.Client) -> None:
    client = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    office.faults.switch_on(Fault(kind="kill_client_after_commit", reference="D-1046", pid=client.pid))
    clerk.post(NEW, data=ORDER | {"customer_reference": "D-1"})
    assert client.poll() is None
    clerk.post(NEW, data=ORDER)
    assert client.wait(timeout=5) == -signal.SIGKILL
    assert _references(office) == ["D-1", "D-1046"]


def test_renamed_inputs_are_still_understood_by_the_server(office: PracticeOffice, clerk: httpx.Client) -> None:
    plain = clerk.get(NEW).text
    for kind in ("renamed_ids", "renamed_names", "renamed_test_ids"):
        office.faults.switch_on(Fault(kind=kind, seed=7))
    page = clerk.get(NEW).text
    for gone in ('name="customer_no"', 'id="customer_no"', 'data-testid="save"', 'for="customer_no"'):
        assert gone in plain
        assert gone not in page
    assert page == clerk.get(NEW).text
    typed = {"_names": "7"}
    for name, value in ORDER.items():
        label = {
            "customer_no": "Customer no.",
            "customer_reference": "Customer reference",
            "amount": "Net amount",
            "currency": "Currency",
        }[name]
        element = re.search(rf'<label for="(\w+)">{label}</label>\s*<(?:input|select) id="\1" name="(\w+)"', page)
        assert element is not None
        typed[element[2]] = value
    answer = clerk.post(NEW, data=typed).text
    assert _number(answer) == "SO-00001001"
    assert 'data-testid="order_no"' not in answer
    assert _references(office) == ["D-1046"]


def test_fields_move_and_captions_change_places(office: PracticeOffice, clerk: httpx.Client) -> None:
    def captions() -> list[tuple[str, str]]:
        return re.findall(r'<label for="(\w+)">([^<]+)</label>\s*<(?:input|select)', clerk.get(NEW).text)

    usual = captions()
    moved = office.faults.switch_on(Fault(kind="moved_fields", seed=2))
    assert captions() != usual
    assert sorted(captions()) == sorted(usual)
    office.faults.switch_off(moved)
    office.faults.switch_on(Fault(kind="swapped_captions", fields=("customer_no", "customer_reference"), times=1))
    assert captions()[:2] == [("customer_no", "Customer reference"), ("customer_reference", "Customer no.")]
    office.faults.switch_on(Fault(kind="changed_caption", fields=("amount",), text="Amount net", times=1))
    assert ("amount", "Amount net") in captions()
    assert captions() == usual


def test_the_desktop_client_is_told_when_its_window_is_to_move(office: PracticeOffice, clerk: httpx.Client) -> None:
    office.faults.switch_on(Fault(kind="moved_window", screen="sales_order", seconds=0.4, times=1))
    asks = {"Accept": "application/json"}
    assert clerk.get("/sales/orders", headers=asks).json()["faults"] == {}
    assert clerk.get(NEW, headers=asks).json()["faults"]["moved_window"]["milliseconds"] == 400
    assert clerk.get(NEW, headers=asks).json()["faults"] == {}


def test_an_export_can_be_empty_renamed_or_in_another_encoding(office: PracticeOffice, seller: httpx.Client) -> None:
    usual = seller.get("/deals/export").content
    assert usual.decode("utf-8").startswith("Deal,Customer id,Customer,")
    for fault in (
        Fault(kind="empty_export", times=1),
        Fault(kind="empty_export", how="file", times=1, skip=1),
        Fault(kind="renamed_header", fields=("amount",), text="Value", times=1, skip=2),
        Fault(kind="export_encoding", text="utf-16", times=1, skip=3),
        Fault(kind="export_encoding", text="cp1252", times=1, skip=4),
    ):
        office.faults.switch_on(fault)
    rowless, nothing, renamed, wide, narrow, whole = (seller.get("/deals/export").content for _ in range(6))
    assert rowless == usual.partition(b"\r\n")[0] + b"\r\n"
    assert nothing == b""
    assert next(csv.reader(io.StringIO(renamed.decode("utf-8"))))[5] == "Value"
    assert wide.decode("utf-16") == usual.decode("utf-8")
    assert "Müller & Söhne".encode("cp1252") in narrow
    assert whole == usual


def test_no_kind_and_no_way_is_untested() -> None:
    tested = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_practice_*.py"))
    assert [kind for kind in sorted(KINDS) if f'"{kind}"' not in tested] == []
    assert {how for ways in HOWS.values() for how in ways if f'"{how}"' not in tested} <= {"rows"}
