"""Runs of a test's project: started, driven to their end, and looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from interoffice.engine.engine import Engine
from interoffice.engine.progress import Event
from interoffice.model.work import RunState
from interoffice.plan.plan import RunOptions
from interoffice.plan.project import open_project
from interoffice.store import ItemView, RunView, StepView
from tests.support.shop import Shop


@contextmanager
def an_engine(shop: Shop, *, in_process: bool = True) -> Iterator[Engine]:
    """An engine on the shop's state; bots in this process unless a test has to kill them."""
    with Engine(open_project(shop.folder), shop.state, in_process=in_process) as engine:
        yield engine


class Ran:
    """A run that was driven, and what the ledger says of it."""

    def __init__(self, engine: Engine, run_id: str, said: list[Event]) -> None:
        self.engine = engine
        self.run_id = run_id
        self.said = said

    @property
    def view(self) -> RunView:
        """The run."""
        return self.engine.ledger.run(self.run_id)

    @property
    def state(self) -> RunState:
        """Its state."""
        return self.view.state

    @property
    def items(self) -> dict[str, ItemView]:
        """Its items by key."""
        return {item.key: item for item in self.engine.ledger.items(self.run_id)}

    @property
    def states(self) -> dict[str, str]:
        """The state of each item by key."""
        return {key: str(item.state) for key, item in self.items.items()}

    @property
    def steps(self) -> dict[str, StepView]:
        """Its steps by path."""
        return {step.path: step for step in self.engine.ledger.steps(self.run_id)}

    def rows(self, step: str, output: str) -> list[dict[str, object]]:
        """The rows of a step's table."""
        table = self.steps[step].outputs[output]
        return list(table.rows())  # type: ignore[attr-defined]

    def drive(self) -> RunState:
        """Drives it on."""
        return self.engine.drive(self.run_id, self.said.append)


def ran(engine: Engine, shop: Shop, key: str, *, options: RunOptions | None = None, **inputs: str) -> Ran:
    """A workflow started by anna, signed in, and driven until it ends or waits."""
    run_id = engine.start(shop.plan(key, options=options, **inputs), signed_in="anna")
    run = Ran(engine, run_id, [])
    run.drive()
    return run
