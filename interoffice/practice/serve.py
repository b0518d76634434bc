"""The practice office for a person who wants to click around: `runner.py practice`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

from interoffice.practice.invoices import FOLDER, MAILBOX, invoice_mails
from interoffice.practice.office import PracticeOffice


def serve_forever(
    folder: Path, say: Callable[[str], object], *, today: date | None = None, invoices: bool = False
) -> None:
    """Runs the office until Ctrl-C or SIGTERM; `say` gets the lines that a person who started it wants to read.

    `invoices`: six supplier invoices wait in the mailbox.
    """
    with PracticeOffice.start(folder, today=today) as office:
        for message in invoice_mails(office.today) if invoices else ():
            office.mail.deliver(message, folder=FOLDER, account=MAILBOX, authenticated=str(message["From"]))
        for line in _welcome(office):
            say(line)
        _wait_for_end()
    say("The practice office has stopped. What was posted stays in its folder.")


def _wait_for_end() -> None:
    ended = threading.Event()
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set()) if is_main else None
    try:
        while not ended.wait(0.5):
            pass
    except KeyboardInterrupt:
        return
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, before)


def _welcome(office: PracticeOffice) -> list[str]:
    lines = ["The practice office is open:"]
    lines += [f"  {name:5} {address}" for name, address in office.addresses.items()]
    lines += ["", "Users and passwords, by credential name:"]
    lines += [f"  {name:18} {parts['user']:26} {parts['password']}" for name, parts in office.accounts.items()]
    lines += [
        "",
        f"Data, ERP ledger and accepted mail: {office.folder}",
        f"The deals are those of {office.today}. For those of today stop the office, delete that folder, start again.",
        "Stop it with Ctrl-C.",
    ]
    return lines
