"""Lanes as the engine holds them: processes that work bots one call after another, and die when they must.

A lane is started with an interpreter of its own (not forked: a fork would copy the engine's threads and its ledger).
It gets one end of a socket pair for messages, and its standard input is a life line: when that closes, the engine is
gone and the lane kills itself with all it started. Past a deadline the engine kills the lane with its browser.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from interoffice.engine.alive import LifeLocks
from interoffice.engine.bot_call import error_reply
from interoffice.engine.clock import Clock
from interoffice.engine.lane_setting import LaneSetting, OnNote
from interoffice.engine.messages import Link, LinkClosed, Message
from interoffice.engine.process_tree import kill_with_children
from interoffice.errors import ProjectError

OnCommit = Callable[[Message], Message]
OnSlow = tuple[float, Callable[[], None]]
"""What is called once when a call takes longer than so many seconds."""

START_WITHIN_S = 60.0
ASKED = ("commit", "queue", "alerts")
"""What a lane asks for and waits on: the intent before an act, and what the ledger keeps of queues."""


class Lane(Protocol):
    """What can do a bot's call. `call` gives a reply of `bot_call`, or {t: interrupted, why}.

    `is_stale`: its last call broke, so the next one opens its sessions afresh.
    """

    name: str
    is_stale: bool

    def call(
        self, request: Message, *, within_s: float | None, on_commit: OnCommit, on_note: OnNote, on_slow: OnSlow
    ) -> Message: ...

    def start(self) -> None: ...

    def sign_out(self, application: str) -> None: ...

    def kill(self) -> None: ...

    def close(self) -> None: ...


class LaneProcess:
    """A warm process of its own. Started at the first call, or by `start`, and anew after it was killed."""

    def __init__(self, name: str, setting: LaneSetting, *, engine_id: str, locks: LifeLocks, clock: Clock) -> None:
        self.name = name
        self.is_stale = False
        self._setting = setting
        self._lock_file = locks.lane(engine_id, f"{setting.run_id}-{name}")
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Link | None = None
        self._ready = False
        self._starting = threading.Lock()
        self._in_use = threading.Lock()

    def start(self) -> None:
        """Starts the process, without waiting until it is ready."""
        with self._starting:
            if self._process is None:
                self._start()

    def call(
        self, request: Message, *, within_s: float | None, on_commit: OnCommit, on_note: OnNote, on_slow: OnSlow
    ) -> Message:
        """The reply; past the time the process is killed, and the reply says that it was interrupted."""
        self.start()
        with self._in_use:
            return self._call(request, within_s, on_commit, on_note, on_slow)

    def _call(
        self, request: Message, within_s: float | None, on_commit: OnCommit, on_note: OnNote, on_slow: OnSlow
    ) -> Message:
        try:
            self._wait_until_ready()
            until = None if within_s is None else self._clock.monotonic() + within_s
            self._sender().send(request)
            return self._converse(until, on_commit, on_note, on_slow)
        except LinkClosed:
            self.kill()
            return {"t": "interrupted", "why": "died"}
        except BaseException:
            self.kill()
            raise

    def _converse(self, until: float | None, on_commit: OnCommit, on_note: OnNote, on_slow: OnSlow) -> Message:
        link = self._sender()
        after_s, tell_slow = on_slow
        message = link.receive(after_s if until is None else max(0.0, min(after_s, until - self._clock.monotonic())))
        if message is None:
            tell_slow()
        while True:
            if message is None:
                left = None if until is None else max(0.0, until - self._clock.monotonic())
                message = link.receive(left)
            if message is None:
                self.kill()
                return {"t": "interrupted", "why": "timeout"}
            if message["t"] in ASKED:
                link.send(on_commit(message))
            elif message["t"] in ("log", "progress", "evidence", "sign_out"):
                on_note(message)
            else:
                return message
            message = None

    def sign_out(self, application: str) -> None:
        """Leaves the application signed out here; a lane that has not begun, or is at work, is left alone."""
        if self._link is None or not self._ready or not self._in_use.acquire(blocking=False):
            return
        try:
            self._sender().send({"t": "sign_out", "application": application})
            self._sender().receive(CLOSE_WITHIN_S)
        except LinkClosed:
            self.kill()
        finally:
            self._in_use.release()

    def kill(self) -> None:
        """Ends the process and all it started, at once."""
        process, self._process = self._process, None
        if process is not None:
            kill_with_children(process.pid)
            _reap(process)
        self._drop()

    def close(self) -> None:
        """Lets the lane close what it opened, in good order; kills it when that takes too long."""
        if self._process is None:
            return
        try:
            self._wait_until_ready()
            self._sender().send({"t": "close"})
            self._sender().receive(CLOSE_WITHIN_S)
        except LinkClosed:
            pass
        self.kill()

    def _sender(self) -> Link:
        if self._link is None:
            raise LinkClosed
        return self._link

    def _wait_until_ready(self) -> None:
        if self._ready:
            return
        answer = self._sender().receive(START_WITHIN_S)
        if answer is None or answer["t"] != "ready":
            self.kill()
            why = "it did not answer" if answer is None else answer.get("message", "")
            raise ProjectError(f"A lane process could not be started: {why}. See {self._log_file()}.")
        self._ready = True

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        self._setting.folder.mkdir(parents=True, exist_ok=True)
        said = {**self._setting.as_json(), "lock": str(self._lock_file), "lane": self.name}
        command = [sys.executable, "-m", "interoffice.engine.lane", str(theirs.fileno())]
        with open(self._log_file(), "ab") as log, theirs:
            self._process = _spawn(command, theirs, log.fileno())
        self._link = Link(ours)
        self._ready = False
        self._link.send({"t": "open", **said})

    def _log_file(self) -> Path:
        return self._setting.folder / f"lane-{self.name}.log"

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link, self._ready = None, False
        self._lock_file.unlink(missing_ok=True)


CLOSE_WITHIN_S = 15.0


def _spawn(command: list[str], theirs: socket.socket, log: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    source = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(part for part in (source, os.environ.get("PYTHONPATH", "")) if part)
    if os.name == "nt":
        process = subprocess.Popen(
            [*command[:-1], "share"], stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,  # type: ignore[attr-defined]
        )  # fmt: skip
        share: Callable[[int], bytes] = theirs.share  # type: ignore[attr-defined]
        stdin = process.stdin
        if stdin is not None:
            stdin.write(json.dumps(share(process.pid).hex()).encode() + b"\n")
            stdin.flush()
        return process
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, pass_fds=(theirs.fileno(),),
        start_new_session=True,
    )  # fmt: skip


def _reap(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)


class LaneInProcess:
    """Bots in the engine's own process, for a debugger: nothing can be killed, so deadlines don't count."""

    def __init__(self, name: str, setting: LaneSetting) -> None:
        self.name = name
        self.is_stale = False
        self._setting = setting
        self._desk: object | None = None

    def call(
        self, request: Message, *, within_s: float | None, on_commit: OnCommit, on_note: OnNote, on_slow: OnSlow
    ) -> Message:
        """The reply, once the bot is done."""
        from interoffice.engine.desk import Desk

        try:
            if self._desk is None:
                self._desk = Desk(self._setting, note=on_note)
            desk = self._desk
            assert isinstance(desk, Desk)
            on_slow[1]()
            return desk.perform(request, ask=on_commit, note=on_note)
        except ProjectError as error:
            return error_reply(error)

    def start(self) -> None:
        """There is nothing to start."""

    def sign_out(self, application: str) -> None:
        """Leaves the application signed out here."""
        if self._desk is not None:
            self._desk.sign_out(application)  # type: ignore[attr-defined]

    def kill(self) -> None:
        """A thread can't be killed; the call goes on to its end."""

    def close(self) -> None:
        """Closes what the bots opened."""
        desk, self._desk = self._desk, None
        if desk is not None:
            desk.close()  # type: ignore[attr-defined]


class LanePool:
    """The lanes of one run by name: `1` works the steps outside loops and is the first lane of every loop."""

    def __init__(self, make: Callable[[str], Lane]) -> None:
        self._make = make
        self._lanes: dict[str, Lane] = {}
        self._lock = threading.Lock()

    def lane(self, name: str) -> Lane:
        """The lane of this name, made if it isn't there."""
        with self._lock:
            if name not in self._lanes:
                self._lanes[name] = self._make(name)
            return self._lanes[name]

    @property
    def all(self) -> Mapping[str, Lane]:
        """Every lane that was made."""
        with self._lock:
            return dict(self._lanes)

    def sign_out(self, application: str, *, but: Lane) -> None:
        """Leaves the application signed out in every lane but one, which has done so itself."""
        for lane in self.all.values():
            if lane is not but:
                lane.sign_out(application)

    def kill(self) -> None:
        """Ends them all at once."""
        for lane in self.all.values():
            lane.kill()

    def close(self) -> None:
        """Closes them all in good order, side by side."""
        threads = [threading.Thread(target=lane.close, name=f"close-{name}") for name, lane in self.all.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with self._lock:
            self._lanes.clear()
