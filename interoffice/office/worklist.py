"""Work items as operators work them: searched over all runs, tried again, requeued or abandoned, many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from interoffice.errors import UsageError
from interoffice.model.work import ItemState
from interoffice.office import listings
from interoffice.office.listings import Listed
from interoffice.store.items import Search

if TYPE_CHECKING:
    from interoffice.engine.engine import Engine
    from interoffice.engine.progress import Progress
    from interoffice.plan.project import Project
    from interoffice.store import ItemView, Ledger

MOST_SHOWN = 200
MOST_CHOSEN = 100_000
SHORT_WAIT_S = 60.0


class Desk(Protocol):
    """The office that it works in."""

    @property
    def project(self) -> Project: ...

    @property
    def ledger(self) -> Ledger: ...

    def actor(self) -> str: ...

    def run_id_of(self, run: str) -> str: ...

    def engine(self, environment: str | None = None) -> AbstractContextManager[Engine]: ...


class Worklist:
    """The work items of a project."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # --- looking ---

    def wanted(
        self,
        *,
        run: str | None = None,
        workflow: str | None = None,
        queue: str | None = None,
        state: str | None = None,
        key: str | None = None,
        code: str | None = None,
        words: str | None = None,
    ) -> Search:
        """Which items an operator means; UsageError for a state or a run that there is not."""
        run_id = None if run is None else self._desk.run_id_of(run)
        return Search(
            run_id=run_id, workflow=workflow, queue=queue, state=listings.item_state(state), key=key, code=code,
            words=words,
        )  # fmt: skip

    def find(self, wanted: Search, *, limit: int = MOST_SHOWN) -> list[Listed]:
        """Items of all runs that fit, the newest run first."""
        from interoffice.office.records import formats_of_project, loaded_plan, masked_columns
        from interoffice.report.record import kinds_of

        desk, found = self._desk, self._search(wanted, limit)
        formats = formats_of_project(desk.project)
        runs = {item.run_id for item in found}
        masked = {run_id: masked_columns(desk.project, loaded_plan(desk.ledger, run_id)) for run_id in runs}
        kinds = {run_id: kinds_of(desk.ledger.steps(run_id)) for run_id in runs}
        return [listings.item_row(item, formats, masked[item.run_id], kinds[item.run_id]) for item in found]

    def attempts(self, item_id: str) -> list[Listed]:
        """Every try at an item, its look-ups too, with what was left as evidence."""
        item = self._desk.ledger.item(item_id)
        return [listings.attempt_row(each) for each in self._desk.ledger.attempts(item.run_id, item_id=item_id)]

    def chosen(self, names: Sequence[str], wanted: Search) -> tuple[ItemView, ...]:
        """The items named, or those that fit; UsageError where there are none, or nothing narrows the choice."""
        ledger = self._desk.ledger
        if names:
            return tuple(ledger.item(name) for name in names)
        if wanted == Search():
            raise UsageError("Name the items, or say which: --run, --workflow, --queue, --state, --code or --value.")
        found = self._search(wanted, MOST_CHOSEN)
        if not found:
            raise UsageError("No work item fits; see what there is with the same options: runner.py items")
        return found

    def _search(self, wanted: Search, limit: int) -> tuple[ItemView, ...]:
        from interoffice.store import items

        return self._desk.ledger.read(lambda tx: items.search(tx, wanted, limit=limit))

    # --- deciding ---

    def retry(self, chosen: Sequence[ItemView], *, comment: str, hear: Progress) -> list[str]:
        """The items are worked again in their runs, which go on here; a line per run."""
        told = []
        for environment, run_items in self._by_environment(chosen).items():
            with self._desk.engine(environment) as engine:
                ids = [item.item_id for item in run_items]
                for run_id in engine.retry(ids, person=self._desk.actor(), comment=comment):
                    state = engine.drive(run_id, hear, wait_up_to_s=SHORT_WAIT_S)
                    told.append(f"{run_id}: {str(state).replace('_', ' ')}")
        return told

    def requeue(self, chosen: Sequence[ItemView], *, person: str, comment: str) -> str:
        """The items go back to the queues they came from."""

        def decide(engine: Engine, ids: list[str]) -> None:
            engine.requeue(ids, person=person, comment=comment)

        return self._decided(chosen, decide, "requeued")

    def abandon(self, chosen: Sequence[ItemView], *, person: str, comment: str) -> str:
        """Nobody will work the items any more."""

        def decide(engine: Engine, ids: list[str]) -> None:
            engine.abandon(ids, person=person, comment=comment)

        return self._decided(chosen, decide, "abandoned")

    def _decided(self, chosen: Sequence[ItemView], decide: Callable[[Engine, list[str]], None], what: str) -> str:
        for environment, some in self._by_environment(chosen).items():
            with self._desk.engine(environment) as engine:
                decide(engine, [item.item_id for item in some])
                due = {run.run_id for run in engine.due()}
                for run_id in {item.run_id for item in some} & due:
                    engine.drive(run_id)
        return f"{len(chosen)} work item{'' if len(chosen) == 1 else 's'} {what}; kept in the audit."

    def _by_environment(self, chosen: Sequence[ItemView]) -> dict[str, list[ItemView]]:
        found: dict[str, list[ItemView]] = {}
        for item in chosen:
            found.setdefault(self._desk.ledger.run(item.run_id).environment, []).append(item)
        return found

    # --- queues ---

    def queues(self) -> list[Listed]:
        """The queues of the project, with how many entries stand in each state."""
        from interoffice.model.contract import Queue
        from interoffice.store import queues

        desk = self._desk
        counts = desk.ledger.read(queues.counts)
        names = [name for name in desk.project.tables() if _is_queue(desk.project, name, Queue)]
        return [
            {
                "queue": name,
                "waiting": counts.get(name, {}).get(ItemState.NEW, 0),
                "entries": {str(state): number for state, number in counts.get(name, {}).items()},
            }
            for name in dict.fromkeys([*names, *counts])
        ]

    def entries(self, queue: str, *, state: str | None, words: str | None) -> list[Listed]:
        """What stands on a queue, in the order in which it is worked."""
        from interoffice.office.records import formats_of_project
        from interoffice.store import queues

        known = {str(each["queue"]) for each in self.queues()}
        if queue not in known:
            raise UsageError(f'There is no queue "{queue}"; there is {", ".join(sorted(known)) or "none"}.')
        formats, masked = formats_of_project(self._desk.project), self._masked(queue)
        found = self._desk.ledger.read(lambda tx: queues.entries(tx, queue, state=state, words=words))
        return [listings.entry_row(entry, formats, masked) for entry in found]

    def _masked(self, queue: str) -> frozenset[str]:
        from interoffice.model.contract import Queue

        declared = self._desk.project.contract(queue)
        columns = declared.columns.values() if isinstance(declared, Queue) else ()
        return frozenset(column.name for column in columns if column.sensitive)


def _is_queue(project: Project, name: str, queue: type) -> bool:
    loaded = project.table_file(name)
    return loaded is not None and isinstance(loaded.content, queue)
