"""Kill points and a full disk, by strace: a program dies at its n-th system call with no hook inside it.

    strace -f -e inject=pwrite64:signal=SIGKILL:when=N    kills whatever process or thread first comes to its N-th call
    strace -f -e inject=pwrite64:error=ENOSPC:when=N+     is a disk that is full from the N-th write on

strace attaches to the engine's process, or to each lane's (`of`); the browser, which makes most calls, is left out.
(Started round the whole command with its fast filter, strace 6.1 counts the children's calls and kills none of them.)

Source of the technique: strace(1), "Tampering".
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from interoffice.errors import ProjectError

CALLS: Final = ("pwrite64", "fdatasync", "fsync", "sendto", "recvfrom")
Of = Literal["engine", "lane"]
OF: Final[tuple[Of, ...]] = ("engine", "lane")
HELD: Final = Path(__file__).parent / "held"
_CALL: Final = re.compile(r"(\d+)\s+(\w+)\(")


@dataclass(frozen=True, kw_only=True)
class Tracing:
    """How a command is started so that strace holds one kind of its processes; without words of strace, none."""

    of: Of = "engine"
    strace: tuple[str, ...] = ()

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The environment to start the command with: `held/` on its path, and what it is told."""
        if not self.strace:
            return dict(inherited)
        path = os.pathsep.join(part for part in (str(HELD), inherited.get("PYTHONPATH", "")) if part)
        said = json.dumps({"of": self.of, "strace": ["strace", "-f", "--detach-on=execve", "-qq", *self.strace]})
        return {**inherited, "PYTHONPATH": path, "INTEROFFICE_HELD": said}


@dataclass(frozen=True, kw_only=True, order=True)
class KillPoint:
    """The n-th call of a system call of the engine, or of each lane: one taking a dead one's place dies there too."""

    call: str
    number: int
    of: Of = "engine"

    def __str__(self) -> str:
        return f"{self.of} killed at {self.call} {self.number}"

    @property
    def tracing(self) -> Tracing:
        """How a command is started, so that it dies here."""
        inject = f"inject={self.call}:signal=SIGKILL:when={self.number}"
        return Tracing(of=self.of, strace=("-o", "/dev/null", "-e", f"trace={self.call}", "-e", inject))


@dataclass(frozen=True, kw_only=True, order=True)
class FullDisk:
    """The disk is full from the n-th write of the engine, or of each lane, on."""

    number: int
    of: Of = "engine"

    def __str__(self) -> str:
        return f"disk full from write {self.number} on"

    @property
    def tracing(self) -> Tracing:
        """How a command is started, so that its disk is full from here on."""
        inject = f"inject=pwrite64:error=ENOSPC:when={self.number}+"
        return Tracing(of=self.of, strace=("-o", "/dev/null", "-e", "trace=pwrite64", "-e", inject))


def need_strace() -> None:
    """ProjectError where there is no strace."""
    if shutil.which("strace") is None:
        raise ProjectError("strace is not on the PATH, which kills a run at its writes: apt-get install strace")


def counting(log: Path, of: Of = "engine") -> Tracing:
    """How a command is started, so that its calls are counted in files beside `log`, one a process that was held."""
    return Tracing(of=of, strace=("-o", f"{log}.%p", "-e", f"trace={','.join(CALLS)}"))


def kill_points(log: Path, of: Of = "engine") -> list[KillPoint]:
    """Every kill point of the run that was counted: of each call as many as the process that made most of them."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for each in sorted(log.parent.glob(f"{log.name}*")):
        with each.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                found = _CALL.match(line)
                if found and found[2] in CALLS:
                    counts[each.name, found[1], found[2]] += 1
    most = {call: max((number for (*_, name), number in counts.items() if name == call), default=0) for call in CALLS}
    return [KillPoint(call=call, number=n, of=of) for call in CALLS for n in range(1, most[call] + 1)]


def sampled(points: Sequence[KillPoint], count: int, *, seed: int) -> list[KillPoint]:
    """So many of them, spread evenly over the calls and over each call's length, the same for the same seed."""
    chance = random.Random(seed)
    by_call = [[point for point in points if point.call == call] for call in CALLS]
    rows = [some for some in by_call if some]
    chosen: list[KillPoint] = []
    for at, some in enumerate(rows):
        share = count // len(rows) + (at < count % len(rows))
        for part in range(min(share, len(some))):
            begin, end = part * len(some) // share, max((part + 1) * len(some) // share, part * len(some) // share + 1)
            chosen.append(some[chance.randrange(begin, end)])
    return chosen
