"""How sure a field is: the share of fields with the same evidence that were right on the test corpus.

`confidence.json` holds, for every evidence that was met, how many fields had it and how many of them were right. It is
made by `benchmarks/documents.py --calibrate` from documents whose fields are known, and never edited by hand. Evidence
that was met fewer than twenty times falls back to its coarser parts; what was never met is no confidence at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import ROUND_FLOOR, Decimal
from functools import cache
from importlib import resources
from typing import Final, Literal

from interoffice.frozen import dataclass
from interoffice.model.values import Percent

FEWEST: Final = 20
STEP: Final = Decimal("0.001")

How = Literal["checked", "clean", "convention", "mixed", "plain", "unfit"]
Choice = Literal["one", "same", "arithmetic", "more"]
Sum = Literal["agrees", "contradicts", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What speaks for a field's value.

    side    right_of or below its caption
    match   the caption stands there exactly, with other letters (near), or inside a longer one
    how     the value's check digits fit (checked) or don't (unfit), it reads as its type alone (clean), beside other
            words (mixed), by how the document writes other numbers (convention), or is any text (plain)
    choice  one value stood there, the same one several times, one of several by the arithmetic, or more below it
    sum     the layout's controls agree, contradict, or say nothing of the field
    """

    side: str
    match: str
    how: How
    choice: Choice
    sum: Sum

    def keys(self) -> Iterator[str]:
        """The evidence as it is counted, from the finest to the coarsest."""
        yield f"{self.side} {self.match} {self.how} {self.choice} {self.sum}"
        yield f"{self.match} {self.how} {self.choice} {self.sum}"
        yield f"{self.match} {self.how} {self.choice}"
        yield f"{self.how} {self.choice}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """How often an evidence was met, and how often it was right."""

    right: int
    of: int

    @property
    def share(self) -> Percent:
        """The share that is to be expected of the next one (Laplace's rule), rounded down to a tenth of a percent."""
        return Percent((Decimal(self.right + 1) / Decimal(self.of + 2)).quantize(STEP, rounding=ROUND_FLOOR))


def confidence(evidence: Evidence) -> Percent:
    """How sure a field with this evidence is."""
    known = calibration()
    for key in evidence.keys():  # noqa: SIM118  a method of its own
        if key in known and known[key].of >= FEWEST:
            return known[key].share
    return Percent(0)


@cache
def calibration() -> Mapping[str, Counted]:
    """What was counted on the test corpus."""
    text = (resources.files(__package__) / "confidence.json").read_text(encoding="utf-8")
    return {key: Counted(right=right, of=of) for key, (right, of) in json.loads(text)["evidence"].items()}
