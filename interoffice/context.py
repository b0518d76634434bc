"""The one object a bot receives. Frozen and short: a tenth name needs a written decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from interoffice.bot import Answer
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts:
    """What a bot may know of the run it works in. `planned` is aware, in the project's zone."""

    run_id: str
    workflow: str
    environment: str
    step: str
    planned: datetime
    rehearse: bool = False
    item_key: str | None = None
    attempt: int = 1

    @property
    def day(self) -> date:
        """The planned local day: what `today` means in this run."""
        return self.planned.date()


class Commit(Protocol):
    """The gate before every act that changes or sends. Called just before the act, once per act.

    It makes the intent durable and returns the posting key, which goes along where the target has a field for it (a
    reference, a Message-ID). Raises `Rehearsed` in a rehearsal, and `Refused` when the item is no longer ours.
    """

    def __call__(self, meant: Mapping[str, Value], *, evidence: Mapping[str, str] | None = None) -> str: ...


class Screens(Protocol):
    """Screens by name (`erp.sales_order`); selectors, pages and windows stay behind it. See screens.md."""

    def fill_form(
        self,
        screen: str,
        *,
        fields: Mapping[str, Value],
        lines: Mapping[str, Table],
        attach: Mapping[str, FileValue],
        submit: str,
        read: tuple[str, ...],
        credential: str,
    ) -> dict[str, Value]:
        """Fill, read back, commit once (through `Context.commit`), and read the elements `read`."""

    def look_up(
        self, screen: str, *, fields: Mapping[str, Value], submit: str, read: tuple[str, ...], credential: str
    ) -> Answer:
        """The `find_record` of the screen for what `fill_form` would have typed."""

    def find_record(
        self, screen: str, *, by: Mapping[str, Value], read: tuple[str, ...], credential: str
    ) -> Answer:
        """The one record that fits `by`."""

    def read_list(
        self,
        screen: str,
        *,
        filter: Mapping[str, Value],
        columns: tuple[str, ...],
        max_pages: int | None,
        credential: str,
    ) -> Table:
        """The rows of the screen's one grid, all its pages."""

    def export(
        self, screen: str, *, filter: Mapping[str, Value], press: str, credential: str
    ) -> FileValue:
        """The file that a `downloads:` button brings after the search fields are filled and applied."""

    def elements(self, screen: str) -> tuple[str, ...]:
        """The elements of a screen by name, as the selectors have them; nothing is opened."""

    def sign_out(self, application: str) -> None:
        """Leave the application signed out, every session of this run."""


class Mail(Protocol):
    """The mail accounts of settings.yaml."""

    def fetch(self, account: str, *, folder: str, file_types: tuple[str, ...]) -> tuple[Table, Table]: ...

    def find_replies(self, account: str, *, to_message: str) -> Table: ...

    def move(self, account: str, *, message_ids: Iterable[str], folder: str) -> None: ...

    def holds(self, account: str, *, message_ids: Iterable[str], folder: str) -> tuple[str, ...]: ...

    def send(
        self,
        *,
        to: tuple[str, ...],
        subject: str,
        template: str,
        data: Mapping[str, Value],
        attach: tuple[FileValue, ...],
    ) -> str: ...


class Files(Protocol):
    """Files inside the roots that settings.yaml allows; relative paths count from the project."""

    def find(self, path: str) -> FileValue:
        """An existing file below a read root."""

    def readable(self, file: FileValue | str) -> Path:
        """Where to read it on this machine; refused outside the roots (files of the run itself are inside)."""

    def writable(self, path: str) -> Path:
        """Where a bot may write; refused outside the write roots, its folder made."""

    def keep(self, path: Path, name: str) -> FileValue:
        """A file stored in the run's folder under its digest."""

    def held(self, path: Path) -> FileValue:
        """The value of a file that stands where it is."""

    def original(self, file: FileValue) -> Path:
        """Where the file itself stands, unchanged since the run took it."""

    def listed(self, folder: str) -> tuple[Path, ...]:
        """The files that stand directly in a folder below a read root, by name."""


class Tables(Protocol):
    """Table contracts of tables/, and reading files against them."""

    def read(self, file: FileValue | str, contract: str, *, sheet: str | None = None) -> Table: ...

    def contract(self, name: str) -> Any: ...

    def document(self, file: FileValue, layout: str) -> Any:
        """A PDF by a layout (`documents.reading.ReadDocument`: rows of fields, confidence, doubts)."""

    def page_picture(self, file: FileValue, read: Any, layout: str) -> FileValue:
        """The page of a read document that holds most of its fields, each in a frame."""

    def new_workbook(self, path: str, sheets: Mapping[str, Table]) -> Any:
        """A finished workbook that stands aside (`tables_out.NewFile`: a `with`, then `put()` once committed)."""

    def new_pack(
        self, path: str, title: str, tables: Mapping[str, Table], charts: Sequence[Mapping[str, Value]],
        without_total: Sequence[str] = (),
    ) -> Any:  # fmt: skip
        """The same for a report pack (`pack_out.NewPack`): a workbook with charts, and a page to print."""

    def changed_workbook(self, path: str, sheet: str, key: tuple[str, ...], rows: Table) -> Any:
        """The same for rows put into a sheet by key (`workbook_change.Change`: file, added, changed)."""

    def rows_stand_in(self, path: str, sheet: str, key: tuple[str, ...], rows: Table) -> bool:
        """True where the sheet holds all these rows already."""

    def new_csv(self, path: str, contract: str, rows: Table) -> Any:
        """A finished CSV file that stands aside, by a contract."""


class Http(Protocol):
    """HTTP with the run's time-outs; addresses `practice:risk` are resolved."""

    def get_json(self, address: str, path: str, *, credential: str | None) -> Any: ...


class Queues(Protocol):
    """The queues of tables/. Entries live in the ledger, each key once."""

    def add(self, queue: str, rows: Table, *, due: datetime | None, priority: str | None) -> tuple[int, int]:
        """Put rows on a queue, all or none; how many are new, and how many keys were there. After `commit`."""

    def look_up(self, queue: str, rows: Table) -> Answer:
        """Whether all these rows are on the queue."""


class Alerts(Protocol):
    """Alerts of screening. They live in the ledger, with what people decided of them."""

    def seen(self, found: Sequence[Mapping[str, Value]]) -> tuple[tuple[str, str], ...]:
        """Id and state (open, false_positive, true_match) of each alert, now that it was seen; see `store.alerts`."""

    def settle(self, ids: Sequence[str], state: str) -> tuple[int, int]:
        """What people of this run decided of alerts: how many are settled now, and how many were. After `commit`."""

    def look_up(self, ids: Sequence[str], state: str) -> Answer:
        """Whether all these alerts are in the state."""


class Log(Protocol):
    """The run's log: fixed event names with fields; run, step, item and attempt are bound already."""

    def info(self, event: str, **fields: object) -> None: ...

    def warning(self, event: str, **fields: object) -> None: ...

    def progress(self, done: int, total: int | None, what: str) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What a bot borrows. Everything opens on first use and is closed by the lane, in reverse."""

    run: RunFacts
    commit: Commit
    screens: Screens
    mail: Mail
    files: Files
    tables: Tables
    http: Http
    queues: Queues
    alerts: Alerts
    log: Log
