"""The practice office as a whole: it starts fast, is found by others, and its ledger outlives it."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from interoffice.errors import ProjectError
from interoffice.practice import practice_address
from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.address import read_practice
from interoffice.practice.control import clear_faults, fault_states, switch_off, switch_on, unlock_account
from interoffice.practice.faults import Fault
from interoffice.practice.ledger import read_ledger
from interoffice.practice.office import PracticeOffice

ORDER = {"customer_no": "C-100017", "customer_reference": "D-1", "amount": "1.234,56", "currency": "EUR"}


def _clerk(erp: str, credential: str = "erp_clerk") -> httpx.Client:
    client = httpx.Client(base_url=erp, follow_redirects=True, timeout=10)
    account = ACCOUNTS[credential]
    client.post("/sign-in", data={"user_name": account.user, "password": account.password})
    return client


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "interoffice.practice", "--folder", str(tmp_path / "office")]
    started = subprocess.Popen(
        [*command, "--port-file", str(tmp_path / "ports.json")], stdout=subprocess.PIPE, text=True
    )
    _wait_for(tmp_path / "ports.json")
    yield started
    started.kill()
    started.communicate()


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} never came"
        time.sleep(0.02)


def test_the_whole_office_is_up_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    with PracticeOffice.start(tmp_path) as office:
        assert time.monotonic() - began < 1.5
        assert set(office.addresses) == {"crm", "erp", "imap", "smtp", "risk"}
        assert practice_address(tmp_path, "erp") == office.addresses["erp"]
        assert httpx.get(office.addresses["crm"] + "/sign-in").status_code == 200


def test_two_web_applications_start_in_a_moment(tmp_path: Path) -> None:
    began = time.monotonic()
    with PracticeOffice.start(tmp_path, only=("erp", "crm")):
        assert time.monotonic() - began < 0.3
        with pytest.raises(ProjectError, match="runs no 'smtp', only crm, erp;"):
            practice_address(tmp_path, "smtp")


def test_a_stopped_office_leaves_its_ledger_and_goes_on_from_it(tmp_path: Path) -> None:
    with PracticeOffice.start(tmp_path, only=("erp",)) as office:
        _clerk(office.addresses["erp"]).post("/sales/orders/new", data=ORDER)
    with pytest.raises(ProjectError, match=r"start it with: runner\.py practice"):
        practice_address(tmp_path, "erp")
    assert [p.number for p in read_ledger(tmp_path).postings()] == ["SO-00001001"]
    with PracticeOffice.start(tmp_path, only=("erp",)) as office:
        assert "SO-00001002" in _clerk(office.addresses["erp"]).post("/sales/orders/new", data=ORDER).text
        assert [p.number for p in office.ledger.postings("sales_order")] == ["SO-00001001", "SO-00001002"]


def test_a_folder_holds_one_office_at_a_time(tmp_path: Path) -> None:
    with PracticeOffice.start(tmp_path, only=("risk",)), pytest.raises(ProjectError, match="already runs in"):
        PracticeOffice.start(tmp_path)


def test_an_office_killed_in_the_act_leaves_a_whole_ledger(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    folder = tmp_path / "office"
    clerk = _clerk(practice_address(folder, "erp"))
    answered = []
    for number in range(5):
        page = clerk.post("/sales/orders/new", data=ORDER | {"customer_reference": f"D-{number}"}).text
        answered += re.findall(r"SO-\d{8}(?=</output>)", page)
    switch_on(folder, Fault(kind="kill_client_after_commit", pid=process.pid))  # the client is the server itself
    with pytest.raises(httpx.TransportError):
        clerk.post("/sales/orders/new", data=ORDER | {"customer_reference": "D-last"})
    assert process.wait(timeout=10) == -signal.SIGKILL
    copy = read_ledger(folder)
    assert [p.number for p in copy.postings("sales_order")] == [*answered, "SO-00001006"]
    assert copy.postings()[-1].fields["customer_reference"] == "D-last"
    assert [entry.outcome for entry in copy.sign_ins("erp.clerk")] == ["signed_in"]
    with pytest.raises(ProjectError, match="has ended"):
        practice_address(folder, "erp")
    with PracticeOffice.start(folder, only=("erp",)) as office:
        assert "SO-00001007" in _clerk(office.addresses["erp"]).post("/sales/orders/new", data=ORDER).text


def test_the_process_tells_addresses_and_users_and_ends_on_sigterm(
    tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    info = read_practice(tmp_path / "office")
    assert info.pid == process.pid
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert all(address in said for address in info.addresses.values())
    assert ACCOUNTS["erp_clerk"].password in said
    assert not (tmp_path / "office" / "practice.json").exists()


def test_faults_are_switched_from_another_process_with_the_token_only(
    tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    folder = tmp_path / "office"
    erp = practice_address(folder, "erp")
    assert httpx.get(f"{erp}/_practice/faults").status_code == 403
    number = switch_on(folder, Fault(kind="maintenance", application="erp"))
    assert "The ERP is being maintained" in httpx.get(f"{erp}/sign-in").text
    assert [(s.number, s.fired) for s in fault_states(folder)] == [(number, 1)]
    switch_off(folder, number)
    assert "The ERP is being maintained" not in httpx.get(f"{erp}/sign-in").text
    switch_on(folder, Fault(kind="error"))
    clear_faults(folder)
    assert httpx.get(f"{erp}/sign-in").status_code == 200
    with pytest.raises(ProjectError, match="A fault has no colour"):
        _switch_on_nonsense(folder)


def _switch_on_nonsense(folder: Path) -> None:
    from interoffice.practice import control

    control._ask(folder, "POST", "/faults", {"kind": "slow", "colour": "red"})


def test_five_wrong_passwords_lock_an_account_until_it_is_unlocked(tmp_path: Path) -> None:
    with PracticeOffice.start(tmp_path, only=("erp",)) as office:
        erp = httpx.Client(base_url=office.addresses["erp"], follow_redirects=True)
        right = ACCOUNTS["erp_clerk"].parts()
        for _ in range(5):
            page = erp.post("/sign-in", data={"user_name": right["user"], "password": "wrong"})
        assert "now locked" in page.text
        assert "This account is locked" in erp.post("/sign-in", data=_typed(right)).text
        unlock_account(tmp_path, right["user"])
        assert "signed_in_as" in erp.post("/sign-in", data=_typed(right)).text
        outcomes = [entry.outcome for entry in read_ledger(tmp_path).sign_ins(right["user"])]
        assert outcomes == ["wrong_password"] * 5 + ["locked", "unlocked", "signed_in"]


def _typed(parts: dict[str, str]) -> dict[str, str]:
    return {"user_name": parts["user"], "password": parts["password"]}


@pytest.mark.parametrize("table", ["postings", "sign_ins"])
@pytest.mark.parametrize("act", ["UPDATE {} SET user = 'nobody'", "DELETE FROM {}"])
def test_nothing_in_the_ledger_can_be_changed_or_deleted(tmp_path: Path, table: str, act: str) -> None:
    with PracticeOffice.start(tmp_path, only=("erp",)) as office:
        _clerk(office.addresses["erp"]).post("/sales/orders/new", data=ORDER)
        before = read_ledger(tmp_path)
        db = sqlite3.connect(tmp_path / "erp_ledger.db")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(act.format(table))
        db.close()
        assert read_ledger(tmp_path) == before


def test_the_control_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with PracticeOffice.start(tmp_path, only=("risk",)):
        assert os.stat(tmp_path / "practice.json").st_mode & 0o077 == 0


def test_the_risk_service_tells_limits_to_who_has_the_token(tmp_path: Path) -> None:
    with PracticeOffice.start(tmp_path, only=("risk",)) as office:
        token = office.accounts["risk_service"]["password"]
        service = httpx.Client(base_url=office.addresses["risk"], headers={"Authorization": f"Bearer {token}"})
        assert service.get("/customers/C-100024").json() == {
            "customer_no": "C-100024",
            "credit_limit": "50000.00",
            "open_balance": "31500.00",
            "screening_result": "clear",
        }
        assert service.get("/customers/C-9").status_code == 404
        assert httpx.get(office.addresses["risk"] + "/customers/C-100024").status_code == 401
        office.faults.switch_on(Fault(kind="error", application="risk", times=1))
        assert service.get("/customers/C-100024").status_code == 500
        office.faults.switch_on(Fault(kind="no_answer", application="risk", reference="C-100017"))
        with pytest.raises(httpx.ReadTimeout):
            service.get("/customers/C-100017", timeout=0.3)
        assert service.get("/customers/00004711").json()["customer_no"] == "00004711"
