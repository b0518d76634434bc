"""Public test support: prove your own workflows and bots.

- ProvingGround: a copy of a project with a practice office of its own, and referees that are not the bots
- Proving: a workflow killed and hindered in every way, and the score: `runner.py prove WORKFLOW`
- FaultProxy: stands between a client and a server, and loses what it is told to lose
- KillPoint, FullDisk: what a command is started by, so that it dies at its n-th system call, or its disk is full
- BotContract: the contract every bot keeps, tried on a bot in a few lines
"""

from interoffice.testing.bot_contract import BotContract, Tried
from interoffice.testing.fault_proxy import FaultProxy
from interoffice.testing.ground import Outcome, ProvingGround
from interoffice.testing.kill_points import FullDisk, KillPoint
from interoffice.testing.proving import Proof, Proving, Trial

__all__ = [
    "BotContract",
    "FaultProxy",
    "FullDisk",
    "KillPoint",
    "Outcome",
    "Proof",
    "Proving",
    "ProvingGround",
    "Trial",
    "Tried",
]
