"""Files from outside as tables: read in a bounded child, checked against their contract before a row is used.

`TableReader` keeps one warm child; `TableFiles` is what a bot sees as `ctx.tables`. Every refusal is a BusinessError:
file_empty, file_unreadable, file_refused, wrong_format, wrong_encoding, sheet_missing, wrong_header, wrong_cells,
wrong_totals. A file that is still being written is an ApplicationError, transient: file_changing.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from interoffice.errors import ApplicationError, BusinessError, ProjectError
from interoffice.model.contract import Column, Contract, Layout, TableFile, contract_as_json
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Formats, Value
from interoffice.resources.files import FileRoots
from interoffice.resources.first_look import FirstLook

if TYPE_CHECKING:
    from interoffice.documents.finding import Cell
    from interoffice.documents.pages import Word
    from interoffice.documents.reading import ReadDocument
    from interoffice.resources.pack_out import NewPack
    from interoffice.resources.tables_out import NewFile
    from interoffice.resources.workbook_change import Change

_MEMORY_BYTES: Final = 1_500_000_000
_START_S: Final = 60.0
_START: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from interoffice.resources.table_child import main; main()"
)
_KEPT_VARIABLES: Final = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "TZDIR", "LANG", "LC_ALL")


class TableReader:
    """Reads files in a warm child process; the tables stand as Parquet files in `out`. Close it, or use `with`."""

    def __init__(
        self,
        *,
        out: Path,
        zone: str = "UTC",
        patterns: Mapping[str, str] | None = None,
        largest_bytes: int = 50_000_000,
        unpacked_bytes: int = 500_000_000,
        rows: int = 2_000_000,
        within_s: float = 120,
        memory_bytes: int = _MEMORY_BYTES,
    ) -> None:
        self.out, self.zone, self.patterns = out, zone, dict(patterns or {})
        self.largest_bytes, self.unpacked_bytes, self.rows = largest_bytes, unpacked_bytes, rows
        self.within_s, self.memory_bytes = within_s, memory_bytes
        self._child: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._files_read = 0

    def __enter__(self) -> TableReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, path: Path, contract: Contract, *, name: str | None = None, sheet: str | None = None) -> Table:
        """The table in a file, by the contract. `name` is what people call the file."""
        called = name or path.name
        before = self._stat(path, called)
        self.out.mkdir(parents=True, exist_ok=True)
        answer = self._ask(
            {
                "do": "read",
                "path": str(path.resolve()),
                "name": called,
                "contract": contract_as_json(contract),
                "sheet": sheet,
                "zone": self.zone,
                "patterns": self.patterns,
                "unpacked_bytes": self.unpacked_bytes,
                "rows": self.rows,
                "out": str(self.out.resolve()),
                "within_s": int(self.within_s) + 1,
            },
            called,
        )
        if before != self._stat(path, called):
            wrong = f"{called} changed while it was read: it is still being written; wait until it is whole"
            raise ApplicationError(wrong, code="file_changing")
        return self._table(answer, called)

    def look(self, path: Path, *, sheet: str | None = None) -> FirstLook:
        """A first look at a file of which nothing is known."""
        self._stat(path, path.name)
        asked = {
            "do": "look",
            "path": str(path.resolve()),
            "name": path.name,
            "sheet": sheet,
            "unpacked_bytes": self.unpacked_bytes,
            "within_s": int(self.within_s) + 1,
        }
        answer = self._ask(asked, path.name)
        return FirstLook.from_json(self._accepted(answer, path.name)["looked"])

    def words(self, path: Path, name: str) -> list[Word]:
        """The words of a PDF with their places. BusinessError: file_unreadable, file_refused, no_text."""
        from interoffice.documents.pages import word_from_json

        self._stat(path, name)
        asked = {"do": "words", "path": str(path.resolve()), "name": name, "within_s": int(self.within_s) + 1}
        return [word_from_json(each) for each in self._accepted(self._ask(asked, name), name)["words"]]

    def draw(self, path: Path, name: str, page: int, marks: Sequence[tuple[str, Sequence[float]]], out: Path) -> None:
        """A page of a PDF as a PNG, with frames around places (in points)."""
        asked = {
            "do": "page", "path": str(path.resolve()), "name": name, "page": page,
            "marks": [[colour, list(place)] for colour, place in marks], "out": str(out.resolve()),
            "within_s": int(self.within_s) + 1,
        }  # fmt: skip
        self._accepted(self._ask(asked, name), name)

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _stat(self, path: Path, name: str) -> tuple[int, int]:
        try:
            found = path.stat()
        except OSError as error:
            raise BusinessError(f"{name} can't be read: {error.strerror}", code="file_missing") from error
        if found.st_size > self.largest_bytes:
            raise BusinessError(
                f"{name} has {found.st_size / 1_000_000:.1f} MB, more than {self.largest_bytes / 1_000_000:g} MB "
                "(settings.yaml, files.largest); it was not read",
                code="file_refused",
            )
        return found.st_size, found.st_mtime_ns

    def _table(self, answer: Mapping[str, Any], name: str) -> Table:
        table = self._accepted(answer, name)["table"]
        return Table.load(table["path"], digest=table["digest"])

    def _accepted(self, answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        if "refused" in answer:
            raise BusinessError(answer["refused"], code=answer["code"])
        if "bug" in answer:
            raise RuntimeError(f"reading {name} failed in its child process:\n{answer['bug']}")
        return answer

    def _ask(self, request: Mapping[str, Any], name: str) -> dict[str, Any]:
        """The child's answer; a warm child that dies gets a fresh one, which decides."""
        is_warm = self._files_read > 0 and self._child is not None
        answer = self._ask_once(request, name)
        if answer is None and is_warm:
            answer = self._ask_once(request, name)
        if answer is None:
            raise BusinessError(
                f"{name} needs more than {self.memory_bytes // 1_000_000} MB of memory, or breaks its reader; "
                "it was not read",
                code="file_refused",
            )
        return answer

    def _ask_once(self, request: Mapping[str, Any], name: str) -> dict[str, Any] | None:
        child = self._running()
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            line = self._line(name)
        except BrokenPipeError:
            line = b""
        self._files_read += 1
        if not line.endswith(b"\n"):
            self.close()
            return None
        answer: dict[str, Any] = json.loads(line)
        if answer.get("last"):
            self.close()
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        self._files_read = 0
        root = str(Path(__file__).resolve().parents[2])
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        with tempfile.TemporaryFile() as complaints:
            child = self._child = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, root, str(self.memory_bytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**kept, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"},
            )
            self._lines = queue.SimpleQueue()
            threading.Thread(target=_pass_lines, args=(child, self._lines), daemon=True).start()
            if not self._lines.get(timeout=_START_S):
                complaints.seek(0)
                raise RuntimeError(f"the reader of files can't start:\n{complaints.read().decode('utf-8', 'replace')}")
        return child

    def _line(self, name: str) -> bytes:
        """The child's next line, in time; an empty one when it ended."""
        try:
            return self._lines.get(timeout=self.within_s)
        except queue.Empty:
            self.close()
            raise BusinessError(
                f"{name} could not be read within {self.within_s:g} s (settings.yaml, tables.read_within); "
                "it was given up",
                code="file_refused",
            ) from None


def _sensitive_cells(columns: Mapping[str, Column], read: ReadDocument) -> Iterator[Cell]:
    """Where sensitive fields stand, or may stand."""
    for row in read.rows:
        for name, field in row.items():
            if columns[name].sensitive:
                yield from (*field.cells, *([field.cell] if field.cell is not None else []))


def _pass_lines(child: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Every line of the child, then an empty one. A thread of its own, since Windows can't wait for a pipe."""
    assert child.stdout is not None
    with contextlib.suppress(OSError, ValueError):
        for line in child.stdout:
            lines.put(line)
    lines.put(b"")


class TableFiles:
    """The contracts of tables/, reading files against them, writing tables: what a bot sees as `ctx.tables`."""

    def __init__(
        self, *, contracts: Callable[[str], TableFile], files: FileRoots, reader: TableReader, formats: Formats
    ) -> None:
        self._contracts, self._files, self._reader, self._formats = contracts, files, reader, formats

    def contract(self, name: str) -> TableFile:
        """A file of tables/ by its name."""
        return self._contracts(name)

    def read(self, file: FileValue | str, contract: str, *, sheet: str | None = None) -> Table:
        """The rows of a file (a value, or a path below a read root) against a contract of tables/."""
        found = self._table_contract(contract)
        path = self._files.readable(file)
        name = file if isinstance(file, str) else file.name
        return self._reader.read(path, found, name=name, sheet=sheet)

    def document(self, file: FileValue, layout: str) -> ReadDocument:
        """A document by a layout of tables/layouts/: its fields, how sure they are, and what is doubtful."""
        from interoffice.documents.reading import read_document

        found = self._contracts(layout)
        if not isinstance(found, Layout):
            raise ProjectError(f'"{layout}" is a {found.kind}, not a layout; name a file of tables/layouts/')
        words = self._reader.words(self._files.readable(file), file.name)
        return read_document(found, words, self._reader.patterns, self._formats)

    def page_picture(self, file: FileValue, read: ReadDocument, layout: str) -> FileValue:
        """The page with most of the fields, each framed: green where it is sure. Sensitive ones are painted over."""
        columns = self._contracts(layout).columns  # type: ignore[union-attr]
        cells = [field for row in read.rows for field in row.values() if field.cell is not None]
        pages = Counter(field.cell.page for field in cells if field.cell is not None)
        page = max(pages, key=lambda number: (pages[number], -number), default=0)
        marks = [
            ("wrong" if field.value is None else "unsure" if field.doubt else "sure", field.cell.box)
            for field in cells
            if field.cell is not None and field.cell.page == page
        ]
        marks += [("hidden", cell.box) for cell in _sensitive_cells(columns, read) if cell.page == page]
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder) / "page.png"
            self._reader.draw(self._files.readable(file), file.name, page, marks, picture)
            return self._files.keep(picture, f"{Path(file.name).stem} page {page + 1}.png")

    def new_workbook(self, path: str, sheets: Mapping[str, Table]) -> NewFile:
        """A finished workbook that stands aside."""
        from interoffice.resources.tables_out import new_workbook

        return new_workbook(self._files.writable(path), sheets, self._formats, self._files)

    def new_pack(
        self, path: str, title: str, tables: Mapping[str, Table], charts: Sequence[Mapping[str, Value]],
        without_total: Sequence[str] = (),
    ) -> NewPack:  # fmt: skip
        """A finished report pack that stands aside: workbook and page."""
        from interoffice.resources.pack_out import new_pack

        place = self._files.writable(path)
        page = self._files.writable(str(PurePosixPath(path).with_suffix(".html")))
        return new_pack(place, page, title, tables, charts, self._formats, self._files, without_total)

    def changed_workbook(self, path: str, sheet: str, key: tuple[str, ...], rows: Table) -> Change:
        """A finished workbook with these rows in its sheet, that stands aside."""
        from interoffice.resources.workbook_change import changed_workbook

        place = self._files.writable(path)
        return changed_workbook(place, sheet, key, rows, formats=self._formats, keeper=self._files)

    def rows_stand_in(self, path: str, sheet: str, key: tuple[str, ...], rows: Table) -> bool:
        """True where the sheet holds all these rows already."""
        from interoffice.resources.workbook_change import rows_stand_in

        return rows_stand_in(self._files.writable(path), sheet, key, rows, formats=self._formats)

    def new_csv(self, path: str, contract: str, rows: Table) -> NewFile:
        """A finished CSV file that stands aside."""
        from interoffice.resources.tables_out import new_csv

        place, found = self._files.writable(path), self._table_contract(contract)
        return new_csv(place, found, rows, self._formats.zone, self._files)

    def close(self) -> None:
        """End the reader's child."""
        self._reader.close()

    def _table_contract(self, name: str) -> Contract:
        found = self._contracts(name)
        if not isinstance(found, Contract):
            raise ProjectError(f"{found.source.file} is a {found.kind}, not a table contract; name another one")
        return found


def read_table(path: Path, contract: Contract, *, sheet: str | None = None, zone: str = "UTC") -> Table:
    """The table in one file, held in memory: for a command that reads a file and ends."""
    with tempfile.TemporaryDirectory() as folder, TableReader(out=Path(folder), zone=zone) as reader:
        table = reader.read(path, contract, sheet=sheet)
        return Table.from_arrow(table.columns, table.arrow())
