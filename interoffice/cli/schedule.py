"""Commands that run unattended and look after it: schedule, worker, workers."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer

from interoffice.cli.project import office
from interoffice.cli.show import Format, listing, paint, print_json, say
from interoffice.errors import UsageError

Env = Annotated[str | None, typer.Option(help="Environment of settings.yaml")]
Form = Annotated[Format, typer.Option(help="text or json")]
ACTIONS = ("run", "status", "next", "history", "alarms", "pause", "resume", "run-now")


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(schedule)
    app.command()(worker)
    app.command()(workers)


def schedule(
    action: Annotated[str, typer.Argument(help="run, status, next, history, alarms, pause, resume or run-now")] = "run",
    names: Annotated[list[str] | None, typer.Argument(help="Schedules, for history, pause, resume and run-now")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How far `next` looks")] = 7,
    limit: Annotated[int, typer.Option(min=1, help="How many firings or alarms are shown")] = 20,
    as_of: Annotated[str | None, typer.Option(help="run-now: the day or time it stands for, as of `run`")] = None,
    no_work: Annotated[bool, typer.Option("--no-work", help="Only start runs; workers walk them")] = False,
    env: Env = None,
    format: Form = Format.TEXT,
) -> int:
    """Fire the schedules of schedules.yaml until stopped (run), or see and steer them."""
    opened, chosen = office(), list(names or ())
    desk = opened.schedules
    if action == "run":
        serve = opened.daemons.serve
        return _serve(lambda stop, at_once: serve(stop, at_once, say=_tell, environment=env, work=not no_work))
    if action == "status":
        columns = {
            "schedule": "schedule", "starts": "starts", "state": "state", "heartbeat": "heartbeat", "last": "last",
            "next": "next", "missed": "missed", "problem": "problem",
        }  # fmt: skip
        empty = "schedules.yaml has no schedules."
        listing(desk.status(), columns=columns, format=format, empty=empty, shrink="problem")
    elif action == "next":
        columns = {"at": "at", "zone": "zone", "schedule": "schedule", "workflow": "workflow"}
        listing(desk.next(days), columns=columns, format=format, empty=f"Nothing is planned within {days} days.")
    elif action == "history" and len(chosen) == 1:
        columns = {"planned": "planned (UTC)", "state": "state", "run": "run", "run_state": "ended as", "why": "why"}
        listing(desk.history(chosen[0], limit), columns=columns, format=format, empty="It has not fired.", shrink="why")
    elif action == "alarms":
        columns = {"at": "raised (UTC)", "schedule": "schedule", "kind": "kind", "mailed": "mailed", "said": "what"}
        listing(desk.alarms(limit), columns=columns, format=format, empty="No alarm was ever raised.", shrink="said")
    elif action == "pause":
        say(desk.pause(chosen))
    elif action == "resume":
        say(desk.resume(chosen))
    elif action == "run-now" and len(chosen) == 1:
        run = desk.run_now(chosen[0], as_of=as_of, environment=env)
        if format is Format.JSON:
            print_json({"run": run})
        else:
            to_walk = "the scheduler takes it" if opened.daemons.is_served() else f"to walk it: runner.py resume {run}"
            say(f"Run {run} is queued; {to_walk}.")
    elif action in ACTIONS:
        raise UsageError(f"schedule {action}: name one schedule; runner.py schedule status lists them.")
    else:
        raise UsageError(f"schedule {action}: use {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}.")
    return 0


def worker(env: Env = None) -> int:
    """Take queued runs, runs that woke up and runs whose process died, until stopped."""
    daemons = office().daemons
    return _serve(lambda stop, at_once: daemons.work(stop, at_once, say=_tell, environment=env))


def workers(format: Form = Format.TEXT) -> int:
    """Processes that take runs, on this machine and others."""
    columns = {name: name for name in ("worker", "host", "pid", "since", "runs", "state")}
    listing(office().daemons.workers(), columns=columns, format=format, empty="No workers.")
    return 0


def _serve(work: Callable[[threading.Event, threading.Event], None]) -> int:
    """Runs a daemon: SIGTERM or Ctrl-C lets what is in hand end, the second one ends at once."""
    stop, at_once = threading.Event(), threading.Event()

    def asked(number: int, frame: object) -> None:
        if stop.is_set():
            at_once.set()
            _tell("ends at once; the next start goes on at the last finished step")
            sys.stdout.flush()
            os._exit(130)
        stop.set()
        _tell("stops; what is in hand may end")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)
    work(stop, at_once)
    sys.stdout.flush()
    return 0


def _tell(line: str) -> None:
    """One line of the daemon's log, with its time."""
    say(f"{paint(f'{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}', 'soft')} {line}")
    sys.stdout.flush()
