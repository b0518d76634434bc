"""How hypothesis draws: never against the clock (machines are noisy), and the same examples each time where CI runs."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("interoffice", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("interoffice")
