"""A real ERP that nobody here wrote: customers and sale orders into Tryton's web client, referee its own API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tryton.delay import delayed
from tests.support.tryton.project import TrytonProject
from tests.support.tryton.rig import DATABASE, Tryton, need_tryton

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("tryton")]
CUSTOMERS, ORDERS = 8, 4


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    need_tryton()
    made = Tryton.open(tmp_path_factory.mktemp("tryton"))
    yield made
    made.close()


@pytest.fixture
def tryton(server: Tryton) -> Tryton:
    server.fresh()
    return server


def test_every_customer_and_order_is_entered_once_and_right(tryton: Tryton, tmp_path: Path) -> None:
    project = TrytonProject(tmp_path / "project", tryton.address, customers_=CUSTOMERS, orders=ORDERS)
    ended = project.run()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert project.wrong(tryton) == []
    again = project.run()
    assert again.returncode == 0, again.stdout + again.stderr
    assert set(project.states().values()) == {"already_there"}
    assert project.wrong(tryton) == []


def test_also_when_every_request_waits(tryton: Tryton, tmp_path: Path) -> None:
    with delayed(tryton.port, 0.2) as port:
        address = f"http://127.0.0.1:{port}/#{DATABASE}"
        project = TrytonProject(tmp_path / "project", address, customers_=CUSTOMERS, orders=ORDERS)
        ended = project.run()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert project.wrong(tryton) == []


@pytest.mark.parametrize("customers_there", [1, 2])
def test_killed_in_the_middle_and_resumed(tryton: Tryton, tmp_path: Path, customers_there: int) -> None:
    project = TrytonProject(tmp_path / "project", tryton.address, customers_=3, orders=1)
    process = project.start()
    try:
        end = time.monotonic() + 120
        while tryton.customer_count() < customers_there:  # killed right after Tryton's own commit
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.01)
        project.kill(process)
        ended = project.cli("resume", "last")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert project.wrong(tryton) == []
        assert set(project.states().values()) == {"successful"}
    finally:
        project.close()


def test_a_customer_that_is_not_there_is_said_and_nothing_is_entered(tryton: Tryton, tmp_path: Path) -> None:
    project = TrytonProject(tmp_path / "project", tryton.address, customers_=1, orders=1)
    workflow = project.folder / "workflows" / "customers_to_tryton.yaml"
    text = workflow.read_text(encoding="utf-8")
    customer = "party: ${{ order.customer }}"
    assert customer in text
    workflow.write_text(text.replace(customer, f"{customer} GmbH"), encoding="utf-8")
    ended = project.run()
    assert "shows no entries for" in ended.stdout
    assert tryton.sales() == {}
