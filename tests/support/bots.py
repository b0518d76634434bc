"""The standard bots, imported as the engine imports them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from interoffice.registry import Registry
from tests.support.context import ROOT


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry over the project's own bots."""
    return Registry(folders=[ROOT / "bots"], project=ROOT)


def bot(name: str) -> Callable[..., Any]:
    """A bot by its name."""
    return registry().load(name)


def look_up(name: str, context: Any, **inputs: Any) -> Any:
    """What a bot's look-up answers for these inputs."""
    return bot(name).bot_mark.look_up(context, "key", inputs)  # type: ignore[attr-defined]
