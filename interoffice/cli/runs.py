"""Commands about runs: run, plan, runs, show, resume, retry, cancel, stop-all, report, bot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from interoffice.cli.answers import RUNS_SHOWN, list_runs, show_run
from interoffice.cli.progress import Story
from interoffice.cli.project import office, pairs
from interoffice.cli.show import Format, paint, print_json, say
from interoffice.errors import UsageError

Inputs = Annotated[list[str] | None, typer.Option("--input", "-i", help="name=value, as often as needed")]
AsOf = Annotated[str | None, typer.Option(help="The day or time the run stands for: 2026-11-23 or 2026-11-23T06:30")]
Env = Annotated[str | None, typer.Option(help="Environment of settings.yaml")]
Form = Annotated[Format, typer.Option(help="text or json")]


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(run)
    app.command()(plan)
    app.command()(runs)
    app.command()(show)
    app.command()(resume)
    app.command()(retry)
    app.command()(cancel)
    app.command("stop-all")(stop_all)
    app.command()(report)
    app.command()(bot)


def run(
    workflow: Annotated[str, typer.Argument(help="The workflow: its file's name without .yaml")],
    input: Inputs = None,
    as_of: AsOf = None,
    env: Env = None,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Fill and read back, stop before every commit")] = False,
    plan: Annotated[Path | None, typer.Option(help="Write exactly the rows of this plan")] = None,
    only: Annotated[str | None, typer.Option(help="Only the work item with this key")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many items of each loop")] = None,
    until: Annotated[str | None, typer.Option(help="End before the step behind this one")] = None,
    in_process: Annotated[bool, typer.Option("--in-process", help="Bots in this process, for a debugger")] = False,
    format: Form = Format.TEXT,
) -> int:
    """Run a workflow now. Exit: 0 succeeded, 3 with warnings, 4 waiting for a person, 1 failed."""
    with Story(quiet=format is Format.JSON) as story:
        ended = office().run(
            workflow,
            inputs=pairs(input or [], "--input"),
            as_of=as_of,
            environment=env,
            rehearse=rehearse,
            plan_file=plan,
            only=only,
            limit=limit,
            until=until,
            in_process=in_process,
            hear=story.hear,
        )
    return ended_run(ended, format)


def ended_run(ended: object, format: Format) -> int:
    """Tells how a run ended and gives its exit code."""
    from interoffice.office import RunEnded

    assert isinstance(ended, RunEnded)
    if format is Format.JSON:
        print_json(ended.as_json())
        return ended.exit_code
    tone = {0: "good", 3: "warn", 4: "wait"}.get(ended.exit_code, "bad")
    state = ended.state.replace("_", " ")
    say(f"{paint(state, tone)}  {ended.sentence}")
    for line in ended.next_steps:
        say(f"  {line}")
    if ended.report is not None:
        say(f"report: {ended.report}")
    return ended.exit_code


def plan(
    workflow: Annotated[str, typer.Argument(help="The workflow: its file's name without .yaml")],
    input: Inputs = None,
    as_of: AsOf = None,
    env: Env = None,
    out: Annotated[Path | None, typer.Option(help="Keep the plan, for `run --plan`")] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="0 nothing to do, 2 changes, 1 error")
    ] = False,
    format: Form = Format.TEXT,
) -> int:
    """Read and check for real, change nothing: what a run would do, key by key. Exit: 0, or 1 if a run would fail."""
    if out is not None and out.exists():
        raise UsageError(f"{out} is there already; name another file, nothing is overwritten.")
    with Story(quiet=format is Format.JSON) as story:
        planned = office().plan(
            workflow,
            inputs=pairs(input or [], "--input"),
            as_of=as_of,
            environment=env,
            hear=story.hear,
        )
    if format is Format.JSON:
        print_json(planned.as_json())
    else:
        say(planned.text.rstrip("\n"))
    if out is not None:
        planned.write(out)
        if format is Format.TEXT:
            say(f"kept as {out}; write exactly these rows with: runner.py run {workflow} --plan {out}")
    return planned.exit_code(detailed=detailed_exitcode)


def runs(
    workflow: Annotated[str | None, typer.Option(help="Only of this workflow")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first")] = RUNS_SHOWN,
    format: Form = Format.TEXT,
) -> int:
    """The runs, newest first."""
    return list_runs(workflow, state, limit, format)


def show(run: Annotated[str, typer.Argument(help="A run, or `last`")], format: Form = Format.TEXT) -> int:
    """One run: its steps, how they ended, and what waits for whom."""
    return show_run(run, format)


def resume(
    run: Annotated[str, typer.Argument(help="A run, or `last`")],
    accept_changes: Annotated[
        bool,
        typer.Option("--accept-changes", help="Unattended: go on though selectors, tables or bots changed since"),
    ] = False,
    format: Form = Format.TEXT,
) -> int:
    """Go on with a run at the last finished step; nothing that was finished is done again."""
    attended = sys.stdin.isatty()
    with Story(quiet=format is Format.JSON) as story:
        ended = office().resume(run, accept_changes=accept_changes or attended, hear=story.hear, begin_all=True)
    return ended_run(ended, format)


def retry(
    what: Annotated[str, typer.Argument(help="A run (its failed and held items) or an item's number")],
    state: Annotated[str | None, typer.Option(help="Only items in this state")] = None,
    code: Annotated[str | None, typer.Option(help="Only items with this error code")] = None,
    format: Form = Format.TEXT,
) -> int:
    """Try failed items again; an item that may have been posted is looked up first."""
    with Story(quiet=format is Format.JSON) as story:
        ended = office().retry(what, state=state, code=code, hear=story.hear)
    return ended_run(ended, format)


def cancel(
    run: Annotated[str, typer.Argument(help="A run, or `last`")],
    hard: Annotated[bool, typer.Option("--hard", help="Kill what is running; what it did is looked up later")] = False,
) -> int:
    """End a run: the item in hand finishes first, unless --hard."""
    say(office().cancel(run, hard=hard))
    return 0


def stop_all(
    hard: Annotated[bool, typer.Option("--hard", help="Kill what is running")] = False,
) -> int:
    """End every run that is running or queued."""
    for line in office().stop_all(hard=hard):
        say(line)
    return 0


def report(
    run: Annotated[str, typer.Argument(help="A run, or `last`")],
    open: Annotated[bool, typer.Option("--open", help="Show it in the browser")] = False,
) -> int:
    """Write the report of a run, one HTML file, and print its path."""
    path = office().report(run)
    say(str(path))
    if open:
        typer.launch(path.as_uri())
    return 0


def bot(
    name: Annotated[str, typer.Argument(help="A bot, such as crm.read_export")],
    inputs: Annotated[list[str] | None, typer.Option("--with", help="name=value, as often as needed")] = None,
    env: Env = None,
    out: Annotated[Path | None, typer.Option(help="Write the first table (or all outputs as JSON) here")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before a bot that changes or sends")] = False,
    format: Form = Format.TEXT,
) -> int:
    """Run one bot by hand; it is a run like any other, in the ledger and the audit."""
    desk = office()
    effect = desk.effect_of(name)
    if effect != "reads" and not yes:
        typer.confirm(f"{name} {effect} something in environment {env or desk.environment}. Go on?", abort=True)
    with Story(quiet=format is Format.JSON) as story:
        done = desk.run_bot(name, inputs=pairs(inputs or [], "--with"), environment=env, hear=story.hear)
    if done.ended.exit_code not in (0, 3):
        return ended_run(done.ended, format)
    if out is not None:
        if out.exists():
            raise UsageError(f"{out} is there already; name another file, nothing is overwritten.")
        done.write(out)
        say(f"wrote {out}")
    elif format is Format.JSON:
        print_json(done.as_json())
    else:
        say(done.text.rstrip("\n"))
    return done.ended.exit_code
