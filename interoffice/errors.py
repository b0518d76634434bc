"""The one error tree, grouped by what the engine will do.

    InterofficeError
    ├── UsageError            the command was wrong: exit 2, nothing was begun
    ├── MistakesFound         files of the project hold mistakes: exit 1, nothing was touched
    ├── ProjectError          the project or its machine is not ready (no browser, unknown credential): exit 1
    ├── BotError
    │   ├── BusinessError     the data says no: never retried, the item is rejected by the world, with a code
    │   └── ApplicationError  the world failed: retried when transient, else not
    │       ├── CredentialRefused   a sign-in was refused: the credential is paused for everybody, never retried
    │       └── OutcomeUnclear      the act may have happened: looked up, never repeated blindly
    ├── Rehearsed             a rehearsal reached the act it must not do: the end of a good rehearsal
    └── Refused               the engine or the ledger refuses an act (self-approval, open intent, wrong state)

Anything else that a bot raises is a bug of the bot: recorded with its traceback, not retried.
"""

from __future__ import annotations

from collections.abc import Sequence

from interoffice.problem import Problem


class InterofficeError(Exception):
    """Everything that Interoffice itself raises; its text is one sentence a user can act on."""


class UsageError(InterofficeError):
    """The command or call was wrong; nothing was begun. Exit code 2."""


class MistakesFound(InterofficeError):
    """Files hold mistakes; nothing was touched. Exit code 1."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} mistake{'s' if len(self.problems) != 1 else ''} found")


class ProjectError(InterofficeError):
    """The project or the machine is not ready for what was asked. Exit code 1."""


class BotError(InterofficeError):
    """What a bot raises to say how its act ended. `code` is a stable word, e.g. `customer_blocked`."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code

    default_code = "error"


class BusinessError(BotError):
    """The data says no (field's name: business exception). Never retried."""

    default_code = "business"


class ApplicationError(BotError):
    """The world failed (system exception). Retried when `transient`, as the step's `retry` says."""

    default_code = "application"

    def __init__(self, message: str, *, code: str = "", transient: bool = True) -> None:
        super().__init__(message, code=code)
        self.transient = transient


class CredentialRefused(ApplicationError):
    """A sign-in was refused; the credential is paused for all workers until a person resets it (G6)."""

    default_code = "credential_refused"

    def __init__(self, message: str, *, credential: str) -> None:
        super().__init__(message, transient=False)
        self.credential = credential


class OutcomeUnclear(ApplicationError):
    """The act was begun and its end is not known (lost reply, no sign on the screen): look up, never repeat blindly."""

    default_code = "outcome_unclear"


class Rehearsed(InterofficeError):
    """A rehearsal reached the act and stopped before it; `meant` is what would have been done."""

    def __init__(self, meant: object = None) -> None:
        super().__init__("rehearsed: stopped before the act")
        self.meant = meant


class Refused(InterofficeError):
    """The engine or the ledger refuses: who may not, or what is not in the state for it. Exit code 1."""
