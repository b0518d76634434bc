"""Drift: an element was found, but not as its file says first. Reported, never silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interoffice.screens.finding import Place, describe


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """What served instead of what was written first, and why, in words."""

    screen: str
    element: str
    reason: str


def drift_of(place: Place, said: Mapping[str, Any], *, where: str) -> Drift | None:
    """The drift of an element as the page found it; None when it was found as written.

    A caption is no drift where the page ties no caption to the element (its next candidate then serves every day).
    """
    if said.get("by", -1) < 0:
        return None
    candidates = place.spec["candidates"]
    if said.get("second") is not None:
        one, other = candidates[said["by"]], candidates[said["second"]]
        reason = f"{describe(one)} and {describe(other)} find different elements; the first served"
        return Drift(screen=where, element=place.element.name, reason=reason)
    served = candidates[said["by"]]
    if served.get("healed"):
        return None  # told when it was healed
    passed = [candidate for candidate in candidates[: said["by"]] if candidate["kind"] != "caption"]
    if passed:
        reason = f"found by {describe(served)}, no longer by {describe(passed[0])}"
        return Drift(screen=where, element=place.element.name, reason=reason)
    captions, shown = place.spec["captions"], said.get("shown", [])
    if captions and shown and not set(captions) & set(shown):
        reason = f'found by {describe(served)}: its caption is now "{shown[0]}", not "{captions[0]}"'
        return Drift(screen=where, element=place.element.name, reason=reason)
    return None
