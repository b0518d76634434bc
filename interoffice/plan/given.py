"""One input of a call as it was given."""

from __future__ import annotations

from interoffice.declaration import BotInput
from interoffice.frozen import dataclass
from interoffice.model.workflow import Raw
from interoffice.plan.scope import Known
from interoffice.problem import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenInput:
    """What a step gives for an input that the bot declares: where it stands, what is written, what is known of it."""

    declared: BotInput
    path: Path
    raw: Raw
    known: Known

    @property
    def name(self) -> str | None:
        """The name written there; None for a list, a map, or a value made by an expression."""
        return self.raw if isinstance(self.raw, str) and "${{" not in self.raw else None

    def names(self) -> tuple[tuple[str, Path], ...]:
        """The names written there, one or a list, each with its place."""
        if isinstance(self.raw, tuple):
            entries = [(part, (*self.path, number)) for number, part in enumerate(self.raw)]
        else:
            entries = [(self.raw, self.path)]
        return tuple((part, path) for part, path in entries if isinstance(part, str) and "${{" not in part)
