"""Signed HTTP calls: taken once, and nothing else is."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path

import pytest

from interoffice.resources.secrets import CredentialStore
from interoffice.schedule.calls import signature
from tests.integration.test_schedules import NOTHING, START, SetClock, a_desk
from tests.support.shop import Shop, make_shop

SECRET = "Forelle und Birnbaum"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("INTEROFFICE_CONFIG", str(tmp_path / "keys"))
    shop = make_shop(tmp_path / "project")
    shop.workflow("nothing", NOTHING)
    CredentialStore(shop.state).set("hook", {"secret": SECRET})
    return shop


def call(
    port: int, at: datetime, *, body: str = "4711", name: str = "orders", secret: str = SECRET, method: str = "POST",
    signed_for: str | None = None, **headers: str,
) -> int:  # fmt: skip
    stamp = str(int(at.timestamp()))
    signed = {
        "X-Interoffice-Time": stamp,
        "X-Interoffice-Signature": signature(secret, stamp, signed_for or name, body.encode()),
        **headers,
    }
    url = f"http://127.0.0.1:{port}/call/{name}"
    request = urllib.request.Request(url, body.encode() if method == "POST" else None, signed, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def write(shop: Shop, port: int) -> None:
    (shop.folder / "schedules.yaml").write_text(
        f"version: 1\ntimezone: Europe/Berlin\ncalls_at: {port}\nschedules:\n"
        "  - id: orders\n    workflow: nothing\n    call: hook\n    with:\n      which: ${{ trigger.body }}\n"
        "  - id: daily\n    workflow: nothing\n    every: day at 06:30\n"
    )


def test_a_signed_call_starts_one_run_and_nothing_else_does(shop: Shop) -> None:
    port, clock = free_port(), SetClock(START)
    write(shop, port)
    with a_desk(shop, clock) as desk:
        assert call(port, START, body="41") == 202
        assert call(port, START, body="41") == 409
        assert call(port, START, body="42") == 202
        assert call(port, START, secret="Forelle") == 401
        assert call(port, START, signed_for="daily") == 401
        assert call(port, START, name="daily") == 401
        assert call(port, START, name="unknown") == 401
        assert call(port, START.replace(hour=4, minute=54)) == 401
        assert call(port, START.replace(minute=6)) == 401
        assert call(port, START, **{"X-Interoffice-Signature": ""}) == 401
        assert call(port, START, **{"X-Interoffice-Time": "²"}) == 401
        assert call(port, START, body="x" * 70_000) == 413
        assert call(port, START, method="GET") == 405
        desk.round()
        plans = [desk.engine.ledger.plan(run.run_id) for run in desk.engine.ledger.runs()]
        assert len(plans) == 2
        assert sum('"which": "41"' in plan for plan in plans) == 1
    with a_desk(shop, clock):  # nor does a scheduler that starts again take the old call
        assert call(port, START, body="41") == 409


def test_a_port_that_is_taken_is_a_problem_of_the_schedule(shop: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        write(shop, port)
        with a_desk(shop, SetClock(START)) as desk:
            desk.round()
            told = f"orders: calls_at: port {port} can't be listened on (Address already in use); name another"
            assert told in desk.said
