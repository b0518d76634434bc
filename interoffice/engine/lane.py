"""The program of a lane process: takes calls from the engine, one at a time, until it is told to close.

python -m interoffice.engine.lane FD      (FD: its end of the socket pair; standard input is the life line)
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from interoffice.engine.alive import LifeLock
from interoffice.engine.bot_call import error_reply
from interoffice.engine.desk import Desk
from interoffice.engine.lane_setting import setting_from
from interoffice.engine.messages import Link, LinkClosed, Message
from interoffice.engine.process_tree import kill_with_children


def main() -> None:
    """Serves one engine until it closes the lane, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link = Link(_our_end(sys.argv[1]))
    threading.Thread(target=_die_with_engine, name="life-line", daemon=True).start()
    try:
        _serve(link)
    except LinkClosed:
        kill_with_children(os.getpid())


def _our_end(said: str) -> socket.socket:
    if said == "share":
        shared = bytes.fromhex(json.loads(sys.stdin.readline()))
        return socket.fromshare(shared)  # type: ignore[attr-defined,no-any-return]
    return socket.socket(fileno=int(said))


def _die_with_engine() -> None:
    """Standard input ends when the engine does, however it ended: then nothing of this lane may go on."""
    while os.read(0, 1):
        pass
    kill_with_children(os.getpid())
    os._exit(1)


def _serve(link: Link) -> None:
    opened = link.receive() or {}
    said = {name: value for name, value in opened.items() if name not in ("t", "lock", "lane")}
    lock = LifeLock(Path(opened["lock"]))
    try:
        desk = Desk(setting_from(said), note=link.send)
    except Exception as error:
        link.send(error_reply(error))
        return
    link.send({"t": "ready"})

    def ask(message: Message) -> Message:
        link.send(message)
        return link.receive() or {}

    while True:
        request = link.receive() or {}
        if request["t"] == "close":
            desk.close()
            lock.release()
            link.send({"t": "closed"})
            return
        if request["t"] == "sign_out":
            desk.sign_out(request["application"])
            link.send({"t": "signed_out"})
            continue
        link.send(desk.perform(request, ask=ask, note=link.send))


if __name__ == "__main__":
    main()
