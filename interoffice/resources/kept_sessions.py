"""Signed-in states of web applications (cookies and local storage), kept encrypted from one run to the next.

A pool for each application, environment and credential below `state/sessions`: a lane takes a state out, nobody else
has it meanwhile, and puts back what the browser holds at the end. One lost with its lane costs a sign-in, no more.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from interoffice.resources.private_files import private_folder, write_private
from interoffice.resources.secrets import cipher

OLDEST_S: Final = 24 * 3600
"""No state is kept longer than a day."""


@dataclass(frozen=True, kw_only=True)
class KeptSessions:
    """The states kept below a folder (`state/sessions`)."""

    folder: Path

    def take(self, application: str, environment: str, credential: str) -> Any | None:
        """The newest state of the pool, no longer in it; None where there is none that can be read."""
        pool = self._pool(application, environment, credential)
        with suppress(OSError):
            for path in sorted(pool.glob("*.session"), key=lambda each: each.stat().st_mtime, reverse=True):
                state = self._claim(path)
                if state is not None:
                    return state
        return None

    def put(self, application: str, environment: str, credential: str, state: Any) -> None:
        """Puts a state into the pool. A disk that can't take it costs a sign-in later."""
        pool = self._pool(application, environment, credential)
        with suppress(OSError):
            private_folder(pool)
            data = cipher().encrypt(json.dumps(state).encode())
            write_private(pool / f"{uuid.uuid4().hex}.session", data)

    def _claim(self, path: Path) -> Any | None:
        from cryptography.fernet import InvalidToken

        taken = path.with_suffix(".taken")
        try:
            is_old = time.time() - path.stat().st_mtime > OLDEST_S
            os.rename(path, taken)  # who renames it has it
            data = taken.read_bytes()
        except OSError:
            return None
        finally:
            taken.unlink(missing_ok=True)
        if is_old:
            return None
        with suppress(InvalidToken, ValueError):
            return json.loads(cipher().decrypt(data))
        return None

    def _pool(self, application: str, environment: str, credential: str) -> Path:
        named = hashlib.sha256("\0".join((application, environment, credential)).encode()).hexdigest()[:16]
        return self.folder / f"{application}-{named}"
