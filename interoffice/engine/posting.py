"""Keys: what an item is called, and what a posting is called over all runs and workflows.

A posting key says what is posted, not who posts it, so that a renamed step or a copied workflow doesn't post again:
environment, application, screen, commit and item key; for a bot without a screen environment, bot, its identity inputs
and item key; `posts:` on a step names it by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from interoffice.declaration import BotDescription
from interoffice.engine.keys import key_text
from interoffice.engine.run import Place, Run
from interoffice.errors import InterofficeError
from interoffice.model import codec
from interoffice.model.selectors import Screen
from interoffice.model.values import Value
from interoffice.model.workflow import BotCall, Choose, ForEach, Step, SubWorkflow, Wait

LONGEST_IDENTITY = 160


def screen_of(bot: BotDescription, inputs: Mapping[str, object]) -> str | None:
    """`application.screen` that a call uses, None for a bot without a screen."""
    named = bot.named("screen")
    said = None if named is None else inputs.get(named.name)
    if not isinstance(said, str):
        return None
    return said if "." in said else f"{bot.module}.{said}"


def screen_posting(run: Run, bot: BotDescription, inputs: Mapping[str, object]) -> str | None:
    """The part of the posting key that a screen and its commit give; it is known before any row is."""
    screen, element = screen_of(bot, inputs), bot.named("element")
    if screen is None:
        return None
    commit = inputs.get(element.name) if element is not None else ""
    return f"screen:{run.environment}|{screen}|{commit or ''}"


def posting_key(run: Run, place: Place, step: Step, bot: BotDescription, inputs: Mapping[str, Value]) -> str:
    """What this call posts, the same in every run that would post it."""
    item = place.key if place.in_loop and place.key is not None else _key_outside(run, place, step, bot, inputs)
    if step.posts is not None:
        return f"posts:{run.environment}|{step.posts}|{item}"
    by_screen = screen_posting(run, bot, inputs)
    if by_screen is not None:
        return f"{by_screen}|{item}"
    identity = codec.canonical({name: inputs.get(name) for name in bot.identity})
    if len(identity) > LONGEST_IDENTITY:
        identity = "sha256 " + hashlib.sha256(identity.encode()).hexdigest()
    return f"bot:{run.environment}|{bot.name}|{identity if bot.identity else ''}|{item}"


def _key_outside(run: Run, place: Place, step: Step, bot: BotDescription, inputs: Mapping[str, Value]) -> str:
    """Outside a loop: the values by which the screen finds its record, else the run and the step."""
    screen, fields = _screen(run, bot, inputs), bot.named("element values")
    values = inputs.get(fields.name) if fields is not None else None
    if screen is not None and screen.find_record is not None and isinstance(values, Mapping):
        by = [values.get(name) for name in screen.find_record.by]
        if by and all(part is not None for part in by):
            return key_text(by)
    return f"{run.run_id}:{place.prefix}{step.id}"


def _screen(run: Run, bot: BotDescription, inputs: Mapping[str, Value]) -> Screen | None:
    application, _, name = (screen_of(bot, inputs) or "").partition(".")
    if not application:
        return None
    try:
        return run.project.application(application).screens.get(name)
    except InterofficeError:
        return None


def settle_s(run: Run, bot: BotDescription, inputs: Mapping[str, object]) -> float:
    """How long after a commit the application may not show it yet."""
    application = (screen_of(bot, inputs) or "").partition(".")[0]
    if not application:
        return 0.0
    try:
        return float(run.project.application(application).settle_s or 0)
    except InterofficeError:
        return 0.0


def loop_posts(run: Run, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """What the steps of a loop post, as far as it is known before their rows: screens with their commit, and bots."""
    found: dict[str, None] = {}
    for step in _calls(steps):
        bot = run.project.registry.find(step.kind.bot) if isinstance(step.kind, BotCall) else None
        if bot is None or not bot.writes or not isinstance(step.kind, BotCall):
            continue
        by_screen = screen_posting(run, bot, step.kind.inputs)
        posts = f"posts:{run.environment}|{step.posts}" if step.posts is not None else None
        found[posts or by_screen or f"bot:{run.environment}|{bot.name}"] = None
    return tuple(found)


def limited_seats(run: Run, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """The applications with limited sessions that the steps of a loop open."""
    found: dict[str, None] = {}
    for step in _calls(steps):
        bot = run.project.registry.find(step.kind.bot) if isinstance(step.kind, BotCall) else None
        if bot is not None and isinstance(step.kind, BotCall):
            name = run.seats.limited(bot, screen_of(bot, step.kind.inputs))
            if name is not None:
                found[name] = None
    return tuple(sorted(found))


def certain_postings(run: Run, steps: tuple[Step, ...]) -> tuple[tuple[Step, str], ...] | None:
    """The writing steps of a loop with all of their posting keys but the item; None where one depends on a row."""
    found: list[tuple[Step, str]] = []
    for step in steps:
        if isinstance(step.kind, Choose | ForEach | SubWorkflow | Wait) or isinstance(step.on_failure, tuple):
            return None
        bot = run.project.registry.find(step.kind.bot) if isinstance(step.kind, BotCall) else None
        if bot is None or not bot.writes or not isinstance(step.kind, BotCall):
            continue
        begins = f"posts:{run.environment}|{step.posts}" if step.posts is not None else None
        begins = begins or screen_posting(run, bot, step.kind.inputs)
        if begins is None and not bot.identity:
            begins = f"bot:{run.environment}|{bot.name}|"
        if begins is None or step.if_ is not None:
            return None
        found.append((step, begins))
    return tuple(found)


def _calls(steps: tuple[Step, ...]) -> Iterator[Step]:
    from interoffice.model.workflow import walk

    return (step for step in walk(steps) if isinstance(step.kind, BotCall))
