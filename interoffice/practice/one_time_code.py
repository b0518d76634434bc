"""Time-based one-time codes (RFC 6238: SHA-1, six digits, 30 seconds) for the practice account with a second factor."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from datetime import datetime

STEP_S = 30


def code_at(secret: str, when: datetime) -> str:
    """The six digits that are right at this time; `secret` is base32, as authenticators show it."""
    return _code(secret, int(when.timestamp()) // STEP_S)


def is_current_code(secret: str, typed: str, when: datetime) -> bool:
    """Whether the code is right now, or was one step ago, or will be in one: clocks differ."""
    step = int(when.timestamp()) // STEP_S
    return any(hmac.compare_digest(_code(secret, step + shift), typed.strip()) for shift in (-1, 0, 1))


def _code(secret: str, step: int) -> str:
    padded = secret + "=" * (-len(secret) % 8)
    digest = hmac.new(base64.b32decode(padded), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
