"""What can be wrong with an expression: in its text, and in a row."""

from __future__ import annotations

from interoffice.errors import BusinessError, InterofficeError


class ExpressionError(InterofficeError):
    """A mistake in an expression: rule code, message, place in its text, and what was meant.

    `suggestion` replaces the text from `offset` on over `length` characters.
    """

    def __init__(self, code: str, message: str, offset: int, length: int, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset
        self.length = max(1, length)
        self.suggestion = suggestion

    def __repr__(self) -> str:
        return f"<{self.code} at {self.offset}+{self.length}: {self.message}>"

    def moved(self, by: int) -> ExpressionError:
        """The same mistake in a text in which the expression begins `by` characters later."""
        return ExpressionError(self.code, self.message, self.offset + by, self.length, self.suggestion)


class RowError(BusinessError):
    """An expression has no value for this row (division by zero, overflow, a text where a number belongs)."""

    default_code = "expression"

    @property
    def reason(self) -> str:
        """Why, in words for the row's reasons."""
        return self.message
