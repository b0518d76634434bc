"""The ledger: the one truth for runs, steps, work items, attempts, intents, approvals, cancellation and audit."""

from interoffice.store.ledger import Ledger
from interoffice.store.views import (
    ApprovalRowView,
    ApprovalView,
    AttemptView,
    AuditView,
    Failure,
    IntentView,
    ItemView,
    RunView,
    StepView,
)

__all__ = [
    "ApprovalRowView",
    "ApprovalView",
    "AttemptView",
    "AuditView",
    "Failure",
    "IntentView",
    "ItemView",
    "Ledger",
    "RunView",
    "StepView",
]
