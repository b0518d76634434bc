"""The bounded child that reads files: warm, replaced when it dies, and never able to take its parent along."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.errors import ApplicationError, BusinessError
from interoffice.loader.contracts import load_contract
from interoffice.model.contract import Contract
from interoffice.resources.tables_in import TableReader, read_table
from tests.support.sheets import changed_part, workbook


def made(columns: str) -> Contract:
    found = load_contract(f"version: 1\ncolumns:\n{columns}", "tables/made.yaml")
    assert isinstance(found, Contract)
    return found


NUMBERS = made("  id:\n    type: text\n  n:\n    type: money\n")
TEXTS = made("  a:\n    type: text\n")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[TableReader]:
    with TableReader(out=tmp_path / "tables", within_s=30) as made_reader:
        yield made_reader


def _csv(folder: Path, text: str, name: str = "a.csv") -> Path:
    place = folder / name
    place.write_text(text, encoding="utf-8")
    return place


def test_a_table_comes_back_as_a_handle_on_a_saved_file(tmp_path: Path, reader: TableReader) -> None:
    table = reader.read(_csv(tmp_path, "id,n\n007,1234.56\n"), NUMBERS)
    assert list(table.rows()) == [{"id": "007", "n": Decimal("1234.56")}]
    assert table.path == tmp_path / "tables" / f"{table.digest}.parquet"
    assert table.columns == NUMBERS.column_types


def test_a_refusal_keeps_its_code_and_words(tmp_path: Path, reader: TableReader) -> None:
    with pytest.raises(BusinessError) as raised:
        reader.read(_csv(tmp_path, "id,n\n007,12x\n"), NUMBERS, name="what the mail calls it.csv")
    assert raised.value.code == "wrong_cells"
    assert "what the mail calls it.csv has 1 mistake against tables/made.yaml" in str(raised.value)


def test_the_child_stays_warm_and_forgets_nothing_of_its_contract(tmp_path: Path, reader: TableReader) -> None:
    place = _csv(tmp_path, "id,n\n007,1\n")
    reader.read(place, NUMBERS)
    child = reader._child
    assert child is not None
    for _ in range(3):
        reader.read(place, NUMBERS)
    assert reader._child is child
    assert child.poll() is None


def test_a_workbook_that_wants_all_memory_is_refused_and_the_next_file_is_read(
    tmp_path: Path, reader: TableReader
) -> None:
    good = _csv(tmp_path, "a\nx\n")
    reader.read(good, TEXTS)
    book = workbook(tmp_path / "b.xlsx", [["a"], ["x"]])

    def far_away(part: bytes) -> bytes:
        return part.replace(b"</row></sheetData>", b'<c r="XFD1048576" t="n"><v>1</v></c></row></sheetData>')

    bomb = changed_part(book, tmp_path / "c.xlsx", "xl/worksheets/sheet1.xml", far_away)
    assert bomb.stat().st_size < 10_000
    with pytest.raises(BusinessError, match=r"c\.xlsx needs more than 1500 MB of memory") as raised:
        reader.read(bomb, TEXTS)
    assert raised.value.code == "file_refused"
    assert reader.read(good, TEXTS).column("a") == ["x"]


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    slow = _csv(tmp_path, "a\n" + "text\n" * 400_000)
    with TableReader(out=tmp_path / "tables", within_s=30) as reader:
        reader.read(_csv(tmp_path, "a\nx\n", "warm.csv"), TEXTS)
        reader.within_s = 0.05
        started = time.monotonic()
        with pytest.raises(BusinessError, match=r"could not be read within 0\.05 s") as raised:
            reader.read(slow, TEXTS)
        assert raised.value.code == "file_refused"
        assert time.monotonic() - started < 5
        assert reader._child is None


def test_a_file_above_the_bound_is_not_even_opened(tmp_path: Path) -> None:
    with TableReader(out=tmp_path / "tables", largest_bytes=100) as reader:
        with pytest.raises(BusinessError, match=r"more than 0\.0001 MB \(settings\.yaml, files\.largest\)"):
            reader.read(_csv(tmp_path, "a\n" + "x\n" * 100), TEXTS)
        assert reader._child is None


def test_a_file_that_grows_meanwhile_is_not_taken(tmp_path: Path, reader: TableReader) -> None:
    place = _csv(tmp_path, "a\n" + "text\n" * 300_000)
    done = threading.Event()

    def grow() -> None:
        while not done.is_set():
            with place.open("a", encoding="utf-8") as file:
                file.write("more\n")
            done.wait(0.01)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(ApplicationError, match="still being written") as raised:
            reader.read(place, TEXTS)
    finally:
        done.set()
        writer.join()
    assert raised.value.transient
    assert raised.value.code == "file_changing"


def test_the_child_gets_no_secret_of_the_environment(
    tmp_path: Path, reader: TableReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEROFFICE_CREDENTIAL_ERP_CLERK", "canary-7731")
    reader.read(_csv(tmp_path, "a\nx\n"), TEXTS)
    assert reader._child is not None
    environment = Path(f"/proc/{reader._child.pid}/environ")
    if environment.exists():
        assert b"canary" not in environment.read_bytes()


@pytest.mark.skipif(not Path("/proc/self/net").exists(), reason="namespaces of the network are Linux's own")
def test_the_child_has_no_network_where_the_system_grants_that(tmp_path: Path, reader: TableReader) -> None:
    reader.read(_csv(tmp_path, "a\nx\n"), TEXTS)
    assert reader._child is not None
    own, theirs = (os.readlink(f"/proc/{pid}/ns/net") for pid in ("self", reader._child.pid))
    if own == theirs:
        pytest.skip("this machine grants no namespace of its own")
    assert own != theirs


def test_the_child_ends_with_its_reader(tmp_path: Path) -> None:
    with TableReader(out=tmp_path / "tables") as reader:
        reader.read(_csv(tmp_path, "a\nx\n"), TEXTS)
        child = reader._child
    assert child is not None
    assert child.poll() is not None


def test_one_file_can_be_read_into_memory(tmp_path: Path) -> None:
    table = read_table(_csv(tmp_path, "id,n\n007,5\n"), NUMBERS)
    assert table.path is None
    assert table.column("n") == [Decimal(5)]
