"""Commands about this machine: doctor, practice, demo, test, credentials, prove."""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from interoffice.cli.project import folder, office
from interoffice.cli.show import Format, listing, paint, print_json, say
from interoffice.errors import UsageError


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(demo)
    app.command()(doctor)
    app.command()(practice)
    app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(test)
    app.command()(credentials)
    app.command()(prove)


def demo() -> int:
    """Won deals become ERP orders, in the practice office, with everything that can go wrong on the way."""
    from interoffice.cli.demo import run_demo

    return run_demo(folder(), say)


def doctor(format: Annotated[Format, typer.Option(help="text or json")] = Format.TEXT) -> int:
    """What is found on this machine, what is missing, and the one line that fixes it."""
    from interoffice.setup.doctor import main as diagnose

    return diagnose(str(folder()), ["--format", format.value])


def practice(
    today: Annotated[str | None, typer.Option(help="The day its data stand for, such as 2026-11-23")] = None,
    keep_credentials: Annotated[
        bool, typer.Option("--keep-credentials", help="Store its users and passwords as this project's credentials")
    ] = False,
) -> int:
    """Start the practice office (CRM, mail, ERP, risk service) to click around in; Ctrl-C ends it."""
    from interoffice.practice.accounts import ACCOUNTS
    from interoffice.practice.bank import put_statements
    from interoffice.practice.serve import serve_forever

    day = _day(today, "--today")
    if keep_credentials:
        say(office().keep_credentials({name: account.parts() for name, account in ACCOUNTS.items()}))
    has_sample = (folder() / "workflows" / "bank_reconciliation.yaml").is_file()
    if has_sample and (put := put_statements(folder() / "inbox" / "bank", day)):
        say(f"The bank's statements of {len(put)} days lie in inbox/bank, for runner.py run bank_reconciliation.")
    has_invoices = (folder() / "workflows" / "supplier_invoices.yaml").is_file()
    if has_invoices:
        say("Six invoices wait in the mailbox, for runner.py run supplier_invoices.")
    serve_forever(folder() / "state" / "practice", say, today=day, invoices=has_invoices)
    return 0


def test(context: typer.Context) -> int:
    """Run the tests: the ordinary ones, --slow the long ones, --all both and the linters."""
    from interoffice.setup.suite import run_suite

    return run_suite(list(context.args), folder())


def prove(
    workflow: Annotated[str, typer.Argument(help="The workflow: its file's name without .yaml")],
    points: Annotated[int, typer.Option(min=0, help="How many kill points are drawn")] = 10,
    every: Annotated[int, typer.Option(min=0, help="Instead: every n-th kill point, and nothing else")] = 0,
    first: Annotated[int, typer.Option(min=1, help="With --every: the point to begin with")] = 1,
    disks: Annotated[int, typer.Option(min=0, help="How many times the disk is full, each from a later write on")] = 3,
    of: Annotated[str, typer.Option(help="What is killed: engine, or lane (each lane that is started)")] = "engine",
    seed: Annotated[int, typer.Option(help="Which points are drawn")] = 1,
    limit: Annotated[int, typer.Option(min=1, help="At most so many items of each loop")] = 5,
    as_of: Annotated[str | None, typer.Option(help="The day that the runs stand for, such as 2026-11-16")] = None,
    input: Annotated[list[str] | None, typer.Option("--input", "-i", help="name=value, as often as needed")] = None,
    format: Annotated[Format, typer.Option(help="text or json")] = Format.TEXT,
) -> int:
    """Prove in the practice office that a workflow posts once, whatever dies. Exit: 0 proved, 1 doubled or lost."""
    from interoffice.testing.kill_points import OF
    from interoffice.testing.proving import Proving

    whose = next((kind for kind in OF if kind == of), None)
    if whose is None:
        raise UsageError(f"--of {of}: write one of {', '.join(OF)}.")
    words = ("--limit", str(limit), *(part for each in input or [] for part in ("--input", each)))
    proving = Proving(project=folder(), workflow=workflow, day=_day(as_of, "--as-of"), words=words)
    quiet = format is Format.JSON
    told = _silent if quiet else say
    proof = proving.prove(points=points, seed=seed, first=first, every=every, disks=disks, of=whose, say=told)
    if quiet:
        print_json(proof.as_json())
    else:
        verdict = paint("proved", "good") if proof.is_good else paint("not proved", "bad")
        say(
            f"{verdict}  {len(proof.trials)} trials of {proof.acts} documents, mails and files each: "
            f"{proof.doubled} doubled, {proof.lost} lost, {proof.in_doubt} trials left something in doubt"
        )
    return 0 if proof.is_good else 1


def _silent(text: str) -> None:
    """Nothing is told: the answer is JSON."""


def _day(said: str | None, option: str) -> date:
    try:
        return date.fromisoformat(said) if said else datetime.now(UTC).astimezone().date()
    except ValueError:
        raise UsageError(f"{option} {said}: write a date as 2026-11-23.") from None


def credentials(
    action: Annotated[str, typer.Argument(help="set, list, remove, or resume")],
    name: Annotated[str | None, typer.Argument(help="The credential's name, as workflows write it")] = None,
    part: Annotated[list[str] | None, typer.Option(help="Parts beside user and password, such as totp")] = None,
    format: Annotated[Format, typer.Option(help="text or json")] = Format.TEXT,
) -> int:
    """Keep credentials: values come by prompt or standard input, never as an argument; nothing shows them."""
    if action == "list":
        listing(
            office().credentials(),
            columns={"name": "name", "parts": "parts", "from": "kept in", "state": "state"},
            format=format,
            empty="No credentials are set. Set one: runner.py credentials set NAME",
        )
        return 0
    if name is None:
        raise UsageError(f"credentials {action}: name the credential.")
    match action:
        case "set":
            values = {
                each: _ask(f"{each} of {name}", hidden=each != "user") for each in ("user", "password", *(part or ()))
            }
            office().set_credential(name, {key: value for key, value in values.items() if value})
            say(f"{name} is set.")
        case "remove":
            office().remove_credential(name)
            say(f"{name} is removed.")
        case "resume":
            office().resume_credential(name)
            say(f"{name} may be used again.")
        case _:
            raise UsageError(f"credentials {action}: use set, list, remove or resume.")
    return 0


def _ask(what: str, *, hidden: bool) -> str:
    """A value by prompt on a terminal, else the next line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return getpass.getpass(f"{what}: ") if hidden else input(f"{what}: ")
