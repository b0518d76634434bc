"""What other runs have posted already: asked before an item is begun, so that nothing is opened for it."""

from __future__ import annotations

from collections.abc import Mapping

from interoffice.engine.run import Place, Run
from interoffice.language.calendars import add_duration
from interoffice.model.values import Duration, Value
from interoffice.model.workflow import Step
from interoffice.store import intents
from interoffice.store.database import Transaction
from interoffice.store.views import IntentView


def counts(run: Run, posted: IntentView, again: object) -> bool:
    """Whether an earlier posting means that nothing is to be done, as the loop's `again:` has it."""
    if again == "never" or posted.occasion == run.run_id:
        return True
    if isinstance(again, Duration) and posted.ended_at is not None:
        return run.clock.now() < add_duration(posted.ended_at, again, run.times)
    return False


def posted_elsewhere(run: Run, place: Place, postings: tuple[tuple[Step, str], ...]) -> Mapping[str, Value] | None:
    """The stored outputs when other runs have done all of these postings; None when one of them is still to be done."""
    from interoffice.engine.loop_results import flat

    def find(tx: Transaction) -> Mapping[str, Value] | None:
        found: dict[str, Value] = {}
        for _, begins in postings:
            key = f"{begins}|{place.key}"
            posted = intents.confirmed(tx, key)
            if posted is None or posted.run_id == run.run_id or not counts(run, posted, place.again):
                return None
            if intents.unsettled(tx, key) is not None:
                return None
            found.update(flat(posted.outputs))
        return found

    return run.ledger.read(find)
