"""Lets Prefect 3.8 start with a FastAPI that has dropped `min_items`: its own requirements still allow that version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fastapi


def _with_old_names(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*values: Any, **named: Any) -> Any:
        for old, new in (("min_items", "min_length"), ("max_items", "max_length")):
            if old in named:
                named[new] = named.pop(old)
        return function(*values, **named)

    return called


fastapi.Body = _with_old_names(fastapi.Body)
fastapi.Query = _with_old_names(fastapi.Query)
