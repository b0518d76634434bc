"""The registry reads what bots declare and imports nothing until a bot is run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from interoffice.declaration import BotDescription
from interoffice.errors import UsageError
from interoffice.model.types import CREDENTIAL, DATE, MONEY, TEXT, choice_of, list_of
from interoffice.registry import Registry

CRM = '''
"""The CRM."""
raise RuntimeError("a check must never run me")

from dataclasses import dataclass
from interoffice.bot import Choice, ContractName, CredentialName, bot

OUTPUTS = {"rows": "columns of contract"}

@dataclass(frozen=True, kw_only=True)
class Deals:
    rows: Table
    names: tuple[str, ...]

def find(ctx, key, inputs): ...

@bot(effect="reads", outputs=OUTPUTS, choices={"stage": ("Won", "Lost")})
def export_deals(ctx: Context, *, stage: Choice, closed_from: date, limit: Money | None = None,
                 contract: ContractName, credential: CredentialName) -> Deals:
    """The deals of a stage.

    Inputs:
        stage: Which stage of the funnel
        closed_from: First closing day

    Every page is read.

    Example:
        - id: deals
          bot: crm.export_deals
          with:
            stage: Won
    """

@bot(identity=("stage",), look_up=find)
def set_stage(ctx, *, stage: str, notes: tuple[str, ...] = (), sure: bool = True) -> None:
    """Sets a stage."""
'''


def registry_of(project: Path, **files: str) -> Registry:
    """A registry of a project whose bots/front_office holds these modules."""
    folder = project / "bots" / "front_office"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return Registry(folders=[project / "bots"], project=project, cache=project / "state" / "cache" / "bots.json")


def found(registry: Registry, name: str) -> BotDescription:
    bot = registry.find(name)
    assert bot is not None, registry.problems
    return bot


def test_a_bot_is_described_without_running_its_file(tmp_path: Path) -> None:
    bot = found(registry_of(tmp_path, crm=CRM), "crm.export_deals")
    assert (bot.effect, bot.office, bot.file, bot.writes) == ("reads", "front", "bots/front_office/crm.py", False)
    assert {name: one.type for name, one in bot.inputs.items()} == {
        "stage": choice_of(["Won", "Lost"]),
        "closed_from": DATE,
        "limit": MONEY,
        "contract": TEXT,
        "credential": CREDENTIAL,
    }
    assert [name for name, one in bot.inputs.items() if one.optional] == ["limit"]
    assert bot.outputs["rows"].says == "columns of contract"
    assert bot.outputs["names"].type == list_of(TEXT)


def test_docstring_gives_summary_input_help_and_example(tmp_path: Path) -> None:
    bot = found(registry_of(tmp_path, crm=CRM), "crm.export_deals")
    assert bot.summary == "The deals of a stage."
    assert bot.doc == "Every page is read."
    assert bot.inputs["closed_from"].help == "First closing day"
    assert bot.example.splitlines()[:2] == ["- id: deals", "  bot: crm.export_deals"]


def test_left_out_effect_is_changes_and_look_up_is_seen(tmp_path: Path) -> None:
    bot = found(registry_of(tmp_path, crm=CRM), "crm.set_stage")
    assert (bot.effect, bot.has_look_up, bot.identity, bot.outputs) == ("changes", True, ("stage",), {})
    assert bot.inputs["notes"].many and bot.inputs["notes"].optional
    assert bot.inputs["sure"].default == "true"


def test_second_reading_comes_from_the_cache_and_is_equal(tmp_path: Path) -> None:
    first = registry_of(tmp_path, crm=CRM).bots
    again = registry_of(tmp_path)
    assert (tmp_path / "state/cache/bots.json").exists()
    assert again.bots == first


def test_changed_file_is_read_again(tmp_path: Path) -> None:
    assert registry_of(tmp_path, crm=CRM).find("crm.set_stage")
    changed = registry_of(tmp_path, crm=CRM.replace("def set_stage", "def set_level"))
    assert changed.find("crm.set_level") and not changed.find("crm.set_stage")


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": 1, "files": {"bots/front_office/crm.py x": 3}}'])
def test_damaged_cache_is_no_harm(tmp_path: Path, damage: str) -> None:
    cache = tmp_path / "state" / "cache" / "bots.json"
    cache.parent.mkdir(parents=True)
    cache.write_text(damage)
    assert registry_of(tmp_path, crm=CRM).find("crm.set_stage")


def test_two_bots_of_one_name_are_refused_naming_both_files(tmp_path: Path) -> None:
    registry = registry_of(tmp_path, crm=CRM)
    other = tmp_path / "bots" / "back_office" / "crm.py"
    other.parent.mkdir()
    other.write_text(CRM)
    messages = [problem.message for problem in registry.problems]
    assert len(messages) == 2
    assert "bots/front_office/crm.py" in messages[0] and "bots/back_office/crm.py" in messages[0]


@pytest.mark.parametrize(
    ("broken", "said", "line"),
    [
        ("def f(:\n", "no Python", 1),
        ("\n@bot(effect='looks')\ndef f(ctx): ...\n", "reads, changes or sends", 3),
        ("@bot(outputs=make())\ndef f(ctx): ...\n", "literal", 1),
        ("@bot(colour='red')\ndef f(ctx): ...\n", 'no argument "colour"', 2),
        ("@bot()\ndef f(ctx, *, a): ...\n", "no annotation", 2),
        ("@bot()\ndef f(ctx, *, a: Socket): ...\n", "unknown: Socket", 2),
        ("@bot()\ndef f(ctx, a: str): ...\n", "by keyword only", 2),
        ("@bot()\ndef f(ctx) -> dict: ...\n", "dataclass of its own module", 2),
        ("@bot(choices={'b': ('x',)})\ndef f(ctx, *, a: str): ...\n", '"b", which is no input', 2),
    ],
)
def test_broken_bot_file_is_one_clear_message_with_its_line(tmp_path: Path, broken: str, said: str, line: int) -> None:
    registry = registry_of(tmp_path, crm=broken, email=CRM)
    (problem,) = registry.problems
    assert said in problem.message
    assert (problem.at.file, problem.at.line) == ("bots/front_office/crm.py", line)
    assert registry.find("email.set_stage") is not None


def test_loading_imports_that_module_and_no_other(tmp_path: Path) -> None:
    quiet = "from interoffice.bot import bot\n@bot(effect='reads')\ndef {}(ctx) -> None: ...\n"
    registry = registry_of(tmp_path, one=quiet.format("look"), other="raise RuntimeError\n" + quiet.format("see"))
    function = registry.load("one.look")
    assert function.__name__ == "look"
    assert registry.load("one.look") is function
    assert not [name for name in sys.modules if name.endswith("front_office.other")]


def test_loading_an_unknown_bot_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"runner\.py bots"):
        registry_of(tmp_path).load("crm.nothing")


def test_project_bot_replaces_the_standard_one_of_its_name(tmp_path: Path) -> None:
    standard = registry_of(tmp_path / "standard", crm=CRM).folders[0]
    own = registry_of(tmp_path / "own", crm=CRM.replace("Sets a stage.", "Ours."))
    both = Registry(folders=[*own.folders, standard], project=tmp_path / "own")
    assert found(both, "crm.set_stage").summary == "Ours."
    assert both.problems == ()


def test_input_that_is_a_word_of_python_is_called_by_its_own_name(tmp_path: Path) -> None:
    body = "def look(ctx, *, from_: str) -> None:\n    return from_\n"
    said = f"from interoffice.bot import bot\n@bot(effect='reads')\n{body}"
    registry = registry_of(tmp_path, renaming=said)
    assert list(found(registry, "renaming.look").inputs) == ["from"]
    function = registry.load("renaming.look")
    assert function(None, **{"from": "here"}) == "here"
    assert function.bot_mark.effect == "reads"


def test_reading_bots_imports_nothing_heavy(tmp_path: Path) -> None:
    registry_of(tmp_path, crm=CRM)
    program = (
        "import sys; from pathlib import Path; from interoffice.registry import Registry;"
        "project = Path(sys.argv[1]); print(len(Registry.of_project(project).bots) > 1);"
        "print(sorted({'pandas', 'pyarrow', 'sqlalchemy', 'playwright', 'duckdb', 'dbos'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert ended.stdout.split("\n")[:2] == ["True", "[]"]
