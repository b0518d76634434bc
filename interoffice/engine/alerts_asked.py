"""The engine's answers to what a bot asks about alerts of screening, over its lane's link:

    {t: alerts, do: seen, found: [{party, list, entry, content, ...}]}   -> {t: alerts, states: [[id, state], ...]}
    {t: alerts, do: settle, ids, state}                                   -> {t: settled, settled, already}
    {t: alerts, do: look_up, ids, state}                                  -> {t: looked_up, others: [id, ...]}

An alert is settled by what a person decided of a row of this run that names it, never by a name that a bot gives: an
approved row is a false positive, a rejected one may be a true match, and never the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from interoffice.engine.messages import Message
from interoffice.engine.run import Run
from interoffice.errors import Refused
from interoffice.store import alerts, approvals
from interoffice.store.database import Transaction
from interoffice.store.views import ApprovalRowView

COLUMN: Final = "alerts"
"""The column of rows with the ids of their open alerts."""
MEANT: Final = {alerts.FALSE_POSITIVE: "approved", alerts.TRUE_MATCH: "rejected"}
"""How a row must have been decided for its alerts to be settled so."""


def answer_about_alerts(run: Run, message: Message, *, may_settle: bool) -> Message:
    """The engine's answer. A rehearsal is told how things stand and leaves no trace."""
    now, environment = run.clock.now(), run.environment or ""
    if message["do"] == "seen":
        found = message["found"]
        if run.options.rehearse:
            states = run.ledger.read(lambda tx: alerts.states(tx, environment, found))
        else:
            day = run.times.today
            states = run.ledger.write(lambda tx: alerts.seen(tx, environment, run.run_id, found, day, now))
        return {"t": "alerts", "states": [list(each) for each in states]}
    ids, state = message["ids"], message["state"]
    if message["do"] == "look_up":
        views = run.ledger.read(lambda tx: [alerts.one(tx, id) for id in ids])
        return {"t": "looked_up", "others": [view.alert_id for view in views if view.state != state]}
    if not may_settle:
        return {"t": "refused", "message": "Alerts are settled only after the bot's commit; nothing was settled."}
    try:
        settled = run.ledger.write(lambda tx: sum(_settled(tx, run, id, state) for id in ids))
    except Refused as refused:
        return {"t": "refused", "message": str(refused)}
    return {"t": "settled", "settled": settled, "already": len(ids) - settled}


def _settled(tx: Transaction, run: Run, id: str, state: str) -> bool:
    decided = max(_decisions_of(tx, run.run_id, id), key=lambda row: str(row.decided_at), default=None)
    if decided is None or decided.decided_by is None:
        raise Refused(f"Nobody in this run decided on alert {id}; it stays open. An approval must show its row first.")
    if decided.state != MEANT[state]:
        raise Refused(
            f"{decided.decided_by} has {decided.state} the row with alert {id}, which does not make it a "
            f"{state.replace('_', ' ')}; nothing was settled."
        )
    refused = run.project.settings.why_no_alerts(decided.decided_by)
    if refused:
        raise Refused(refused)
    now = run.clock.now()
    why = decided.comment or str(decided.fields.get("comment") or "") or f"decided in run {run.run_id}"
    return alerts.decide(tx, id, state, why, now, person=decided.decided_by, run_id=run.run_id)


def _decisions_of(tx: Transaction, run_id: str, id: str) -> Iterator[ApprovalRowView]:
    for approval in approvals.in_state(tx, None, run_id):
        for row in approval.rows:
            named = str(row.row.get(COLUMN) or "").split(", ")
            if id in named and row.decided_by is not None and row.state in ("approved", "rejected"):
                yield row
