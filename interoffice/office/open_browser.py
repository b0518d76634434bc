"""What the office needs to look at an application in a browser: where it is, and as whom one signs in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from interoffice.errors import ProjectError, UsageError
from interoffice.model.selectors import Application
from interoffice.model.workflow import BotCall, walk
from interoffice.office.desk import Desk
from interoffice.problem import did_you_mean


def address_of(state: Path, said: str) -> str:
    """The address behind what a selectors file says: its own, or the practice office's."""
    if not said.startswith("practice:"):
        return said
    from importlib import import_module

    practice = import_module("interoffice.practice.address")
    return str(practice.practice_address(state / "practice", said.removeprefix("practice:")))


def application_of(desk: Desk, name: str) -> Application:
    """An application of the project; UsageError where there is none of that name."""
    if name not in desk.project.applications():
        meant = did_you_mean(name, desk.project.applications())
        there = ", ".join(desk.project.applications()) or "none yet"
        hint = f'did you mean "{meant}"?' if meant else f"there are: {there}."
        raise UsageError(f'selectors/ has no application "{name}"; {hint}')
    return desk.project.application(name)


def web_environment(desk: Desk, application: Application, environment: str | None) -> str:
    """The environment to look in: the one named, else that of settings.yaml. UsageError where it is no web address."""
    name = environment or desk.project.environment or ""
    there = application.environments
    if name not in there:
        raise UsageError(f'{application.key} has no environment "{name}"; it has {", ".join(there)}.')
    if there[name].kind != "web":
        kind = there[name].kind
        raise UsageError(f"{application.key} is a {kind} application in {name}: name a web one, with --env.")
    return name


def credential_for(desk: Desk, application: Application, named: str | None) -> str:
    """The credential to sign in with: the one named, else the one that workflows use there most."""
    if application.sign_in is None:
        return named or ""
    if named is not None:
        return named
    used = Counter(_used(desk, application.key))
    if not used:
        message = f"No workflow signs in to {application.key}: name the credential, with --credential NAME."
        raise UsageError(message)
    return used.most_common(1)[0][0]


def _used(desk: Desk, application: str) -> list[str]:
    found = []
    for key in desk.project.workflows():
        try:
            workflow = desk.project.workflow(key)
        except ProjectError:
            continue  # `check` tells what is wrong with it
        steps = [step for part in (workflow.steps, workflow.on_failure, workflow.always) for step in walk(part)]
        for step in steps:
            if not isinstance(step.kind, BotCall):
                continue
            inputs = step.kind.inputs
            said, screen = inputs.get("credential"), str(inputs.get("screen", ""))
            if isinstance(said, str) and "${{" not in said:
                module = (step.kind.bot or "").partition(".")[0]
                if application in (screen.partition(".")[0], module):
                    found.append(said)
    return found
