"""One-time codes, by the vectors of RFC 6238 appendix B (SHA-1)."""

from __future__ import annotations

import base64

import pytest

from interoffice.screens.signing import one_time_code

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("at", "code"), [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")]
)
def test_a_code_is_the_one_of_its_time(at: int, code: str) -> None:
    assert one_time_code(SECRET, at=at, digits=8) == code
    assert one_time_code(SECRET.lower(), at=at) == code[2:]
