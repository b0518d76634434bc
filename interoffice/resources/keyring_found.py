"""The keyring of the operating system, if a real one answers. On a server without a desktop there is none."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "interoffice"
ANSWERS_WITHIN_S = 3.0


def find_keyring(environ: Mapping[str, str]) -> KeyringBackend | None:
    """The backend, after it answered a question; None where there is none, it is locked, or INTEROFFICE_KEYRING=off.

    A locked keyring asks the desktop's user, whom nobody may see at night: no answer in time counts as none.
    """
    if environ.get("INTEROFFICE_KEYRING", "").strip().lower() in ("off", "no", "0"):
        return None
    if sys.platform.startswith("linux") and not environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return None
    found: list[KeyringBackend] = []
    asking = threading.Thread(target=lambda: found.extend(answering()), daemon=True)
    asking.start()
    asking.join(ANSWERS_WITHIN_S)
    return found[0] if found else None


def answering() -> list[KeyringBackend]:
    """The backend that keyring itself would choose, if it is a real one and answers."""
    import keyring
    from keyring.backends import chainer, fail, null
    from keyring.errors import KeyringError

    backend = keyring.get_keyring()
    candidates = backend.backends if isinstance(backend, chainer.ChainerBackend) else [backend]
    real = [each for each in candidates if not isinstance(each, fail.Keyring | null.Keyring) and is_safe(each)]
    try:
        for each in real[:1]:
            each.get_password(SERVICE, "is it there")
            return [each]
    except (KeyringError, OSError, RuntimeError):
        return []
    return []


def is_safe(backend: KeyringBackend) -> bool:
    """Whether it is one of the operating system's own; others may keep values in plain files."""
    return type(backend).__module__.startswith(
        (
            "keyring.backends.SecretService",
            "keyring.backends.kwallet",
            "keyring.backends.macOS",
            "keyring.backends.Windows",
        )
    )
