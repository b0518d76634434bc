"""The contract that every bot keeps, tried on one bot in a few lines of its author's tests:

    contract = BotContract(project=PROJECT, bot="shop.place_order", inputs={"deal": "D-1", "amount": "10"})
    contract.is_documented()
    contract.example_plans()
    contract.outputs_survive(tmp_path / "a")
    contract.leaks_nothing(tmp_path / "b")
    contract.acts_once(tmp_path / "c", acted=lambda project: orders_in(project))

Each raises AssertionError with a sentence. Runs are real: a copy of the project, an engine, a lane process.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import quote

from interoffice.declaration import BotDescription
from interoffice.engine.engine import Engine
from interoffice.loader.workflow import load_workflow_with_problems
from interoffice.model import codec
from interoffice.model.values import Value
from interoffice.model.work import RUN_ENDED, RunState
from interoffice.model.workflow import BotCall, Wait
from interoffice.office.by_hand import STEP, plan_by_hand
from interoffice.plan.project import Project, open_project

LEFT_OUT: Final = ("state", ".venv", ".git", "__pycache__", "node_modules")
CREDENTIALS: Final = "credentials."
SHORTEST_SECRET: Final = 6
DIES: Final = """
import json, os, signal, sys
from pathlib import Path
from interoffice.engine.engine import Engine
from interoffice.plan.project import open_project

class Lane:
    def __init__(self, inner):
        self.inner = inner
    def __getattr__(self, name):
        return getattr(self.inner, name)
    def __setattr__(self, name, value):
        if name == "inner":
            object.__setattr__(self, name, value)
        else:
            setattr(self.inner, name, value)
    def call(self, request, *, on_commit, **more):
        granted = []
        def answer(message):
            said = on_commit(message)
            if message["t"] == "commit" and said["t"] == "go":
                granted.append(True)
            return said
        reply = self.inner.call(request, on_commit=answer, **more)
        if granted:
            os.kill(os.getpid(), signal.SIGKILL)
        return reply

class Dying(Engine):
    def lane(self, name, setting):
        return Lane(super().lane(name, setting))

folder, run_id = Path(sys.argv[1]), sys.argv[2]
with Dying(open_project(folder), folder / "state") as engine:
    engine.drive(run_id)
"""
"""An engine that dies when a bot that was let act comes back: after its act, before the confirmation."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """How a bot's run ended in a copy of the project."""

    project: Path
    state: RunState
    outputs: Mapping[str, Value]
    error: str


@dataclass(frozen=True, kw_only=True)
class BotContract:
    """One bot of a project. `inputs` as an operator gives them to `runner.py bot`; `secrets`: values that must nowhere
    be found, beside those of the credentials that the inputs name."""

    project: Path
    bot: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()

    @cached_property
    def described(self) -> BotDescription:
        """What the bot declares of itself."""
        found = open_project(self.project).registry.find(self.bot)
        assert found is not None, f"there is no bot {self.bot} in {self.project}"
        return found

    def is_documented(self) -> None:
        """A first line, every input explained, an example, and a look-up where something is changed."""
        bot = self.described
        assert bot.summary.endswith("."), f"{bot.name}: the first line of its docstring is a sentence with a full stop"
        unexplained = [name for name, declared in bot.inputs.items() if not declared.help]
        assert not unexplained, f"{bot.name} does not explain its input {', '.join(unexplained)}"
        assert bot.example.strip(), f"{bot.name} has no example step in its docstring"
        assert not bot.writes or bot.identity, f"{bot.name} {bot.effect} something and declares no identity"

    def example_plans(self) -> None:
        """The example is a step that fills the bot's inputs, and names no other."""
        bot = self.described
        text = f"version: 1\nname: Example\nsteps:\n{_as_step(bot.example)}\n"
        workflow, problems = load_workflow_with_problems(text, f"workflows/{bot.module}.yaml")
        errors = [problem.message for problem in problems if problem.severity == "error"]
        assert workflow is not None and not errors, f"{bot.name}: its example is no step: {'; '.join(errors)}"
        kind = workflow.steps[0].kind
        assert isinstance(kind, BotCall | Wait) and kind.bot == bot.name, f"{bot.name}: its example calls another bot"
        given = set(kind.inputs)
        assert given <= set(bot.inputs), f"{bot.name}: its example has {', '.join(given - set(bot.inputs))}"
        needed = {name for name, declared in bot.inputs.items() if not declared.optional}
        assert needed <= given, f"{bot.name}: its example lacks {', '.join(needed - given)}"

    def run(self, folder: Path) -> Tried:
        """One run of the bot in a fresh copy of the project."""
        copied = self._copied(folder)
        with Engine(open_project(copied), copied / "state") as engine:
            run_id = self._started(engine, copied)
            engine.drive(run_id)
            return _tried(engine, run_id, copied)

    def outputs_survive(self, folder: Path) -> Tried:
        """Something of what is declared is given, and is the same after it went through JSON and the ledger."""
        tried = self.run(folder)
        assert tried.state == RunState.SUCCEEDED, f"{self.bot} ended {tried.state}: {tried.error}"
        declared = self.described.outputs
        given = [name for name in declared if tried.outputs.get(name) is not None]
        assert given or not declared, f"{self.bot} declares {', '.join(sorted(declared))} and gives nothing of it"
        again = codec.decode(json.loads(json.dumps(codec.encode(dict(tried.outputs)))))
        assert again == dict(tried.outputs), f"{self.bot}: outputs are not the same after JSON: {again}"
        return tried

    def leaks_nothing(self, folder: Path) -> Tried:
        """No secret is in what the run left: ledger, logs, evidence, report; raw, quoted or base64-encoded."""
        tried = self.run(folder)
        wanted = [shape for secret in self._secrets(tried.project) for shape in _shapes(secret)]
        for path in _left_by(tried.project / "state"):
            content = path.read_bytes()
            assert not any(shape in content for shape in wanted), f"{self.bot} left a secret in {path}"
        return tried

    def acts_once(self, folder: Path, *, acted: Callable[[Path], int]) -> Tried:
        """Killed between its act and the confirmation, then resumed: acted once, or it waits for a person.

        `acted` is the author's referee: how often the act stands in the target, asked of the target itself.
        """
        assert self.described.writes, f"{self.bot} only reads: there is nothing to do twice"
        copied = self._copied(folder)
        with Engine(open_project(copied), copied / "state") as engine:
            run_id = self._started(engine, copied)
            command = [sys.executable, "-c", DIES, str(copied), run_id]
            died = subprocess.run(command, capture_output=True, text=True, timeout=300)
            assert died.returncode == -9, f"{self.bot} never asked to commit before it acted: {died.stderr[-400:]}"
            assert acted(copied) <= 1, f"{self.bot} acted {acted(copied)} times in one call"
            _wait_until_dead(engine, run_id)
            engine.resume(run_id)
            tried = _tried(engine, run_id, copied)
            times, doubts = acted(copied), len(engine.ledger.doubts(run_id))
        assert times <= 1, f"{self.bot} acted {times} times after it was killed and resumed"
        assert times == 1 or doubts or tried.state not in RUN_ENDED, f"{self.bot} lost its act, and nobody was told"
        assert tried.state == RunState.SUCCEEDED or doubts, f"{self.bot} ended {tried.state}: {tried.error}"
        return tried

    def _copied(self, folder: Path) -> Path:
        shutil.copytree(self.project, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        kept = self.project / "state"
        for path in kept.glob(f"{CREDENTIALS}*"):
            (folder / "state").mkdir(exist_ok=True)
            shutil.copy2(path, folder / "state" / path.name)
        return folder

    def _started(self, engine: Engine, copied: Path) -> str:
        project: Project = open_project(copied)
        plan = plan_by_hand(project, self.bot, self.inputs, planned=datetime.now(UTC), started_by="bot contract")
        return engine.start(plan)

    def _secrets(self, copied: Path) -> Iterator[str]:
        from interoffice.resources.secrets import CredentialStore

        yield from self.secrets
        store = CredentialStore(copied / "state")
        named = [name for name, declared in self.described.inputs.items() if declared.kind == "credential"]
        for name in named:
            said = self.inputs.get(name)
            if said is not None and said in store.names():
                values: Mapping[str, str] = store.get(said).revealed()
                yield from (value for part, value in values.items() if part != "user" and len(value) >= SHORTEST_SECRET)


def _as_step(example: str) -> str:
    text = textwrap.dedent(example).strip("\n")
    if not text.lstrip().startswith("- "):
        lines = text.splitlines()
        text = "\n".join(["- id: example", *(f"  {line}" for line in lines)])
    return textwrap.indent(text, "  ")


def _tried(engine: Engine, run_id: str, project: Path) -> Tried:
    view = engine.ledger.run(run_id)
    step = next((each for each in engine.ledger.steps(run_id) if each.step_id == STEP), None)
    error = view.error.message if view.error is not None else ""
    return Tried(project=project, state=view.state, outputs=step.outputs if step is not None else {}, error=error)


def _wait_until_dead(engine: Engine, run_id: str, within_s: float = 20.0) -> None:
    """The lanes of a killed engine die by themselves, at once."""
    end = time.monotonic() + within_s
    while engine.ledger.run(run_id).state == RunState.RUNNING and not engine.orphans():
        assert time.monotonic() < end, "something of the killed engine still lives"
        time.sleep(0.02)


def _shapes(secret: str) -> set[bytes]:
    """A secret as it may stand somewhere: as it is, in a URL, in JSON, in base64 at each of the three offsets."""
    raw = secret.encode()
    coded = {base64.b64encode(b"\0" * shift + raw)[4 * shift // 3 + 2 : -4] for shift in range(3)}
    return {raw, quote(secret).encode(), json.dumps(secret)[1:-1].encode(), *(each for each in coded if len(each) > 6)}


def _left_by(state: Path) -> Iterator[Path]:
    for path in sorted(state.rglob("*")):
        if path.is_file() and not path.name.startswith(CREDENTIALS):
            yield path
