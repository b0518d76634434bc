"""The contract of every bot: kept by the standard bots and the shop's, and every breach of a hostile bot is caught."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from interoffice.model.work import RunState
from interoffice.resources.secrets import CredentialStore
from interoffice.testing import BotContract
from tests.support.bots import registry
from tests.support.context import ROOT
from tests.support.hostile import acted, make_hostile
from tests.support.shop import Shop, make_shop

CANARY = 'Kanarien-"Vogel"/8812'
STANDARD = sorted(registry().bots)
ORDER = {"deal": "D-1", "customer": "Blue", "amount": "10"}


@pytest.fixture(autouse=True)
def own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEROFFICE_CONFIG", str(tmp_path / "keys"))
    monkeypatch.setenv("INTEROFFICE_KEYRING", "off")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = make_shop(tmp_path / "project")
    CredentialStore(made.state).set("shop", {"user": "anna", "password": CANARY})
    return made


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    made = make_hostile(tmp_path / "project")
    CredentialStore(made / "state").set("shop", {"user": "anna", "password": CANARY})
    return made


def posted(project: Path) -> int:
    return Shop(folder=project).posted().total()


@pytest.mark.parametrize("bot", STANDARD)
def test_a_standard_bot_is_documented_and_its_example_plans(bot: str) -> None:
    contract = BotContract(project=ROOT, bot=bot)
    contract.is_documented()
    contract.example_plans()


def test_a_bot_that_looks_up_acts_once_when_it_is_killed_after_its_act(shop: Shop, tmp_path: Path) -> None:
    contract = BotContract(project=shop.folder, bot="shop.place_order", inputs=ORDER)
    tried = contract.acts_once(tmp_path / "killed", acted=posted)
    assert tried.state == RunState.SUCCEEDED
    assert tried.outputs["order_no"] == "SO-D-1"


def test_a_bot_without_look_up_waits_for_a_person_when_it_is_killed(shop: Shop, tmp_path: Path) -> None:
    contract = BotContract(project=shop.folder, bot="shop.send_note", inputs={"to": "blue", "text": "Hello"})
    tried = contract.acts_once(tmp_path / "killed", acted=posted)
    assert tried.state != RunState.SUCCEEDED
    assert posted(tried.project) == 1


def test_outputs_survive_and_no_secret_is_left(shop: Shop, tmp_path: Path) -> None:
    contract = BotContract(project=shop.folder, bot="shop.place_order", inputs=ORDER | {"credential": "shop"})
    assert contract.outputs_survive(tmp_path / "ran").outputs["order_no"] == "SO-D-1"
    contract.leaks_nothing(tmp_path / "searched")


BREACHES: list[tuple[str, dict[str, str], Callable[[BotContract, Path], object], str]] = [
    ("mumble", {}, lambda contract, _: contract.is_documented(), "is a sentence with a full stop"),
    ("mumble", {}, lambda contract, _: contract.example_plans(), "its example has dael"),
    ("act_unasked", {"deal": "D-1"}, lambda contract, to: contract.acts_once(to, acted=acted), "never asked to commit"),
    ("act_and_deny", {"deal": "D-1"}, lambda contract, to: contract.acts_once(to, acted=acted), "acted 2 times after"),
    ("act_twice", {"deal": "D-1"}, lambda contract, to: contract.acts_once(to, acted=acted), "acted 2 times in one"),
    ("tell_the_secret", {"credential": "shop"}, lambda contract, to: contract.leaks_nothing(to), "left a secret in"),
    ("promise", {"deal": "D-1"}, lambda contract, to: contract.outputs_survive(to), "gives nothing of it"),
]


@pytest.mark.parametrize(("bot", "inputs", "tried", "said"), BREACHES, ids=[f"{b[0]}: {b[3]}" for b in BREACHES])
def test_a_hostile_bot_is_caught(
    hostile: Path,
    tmp_path: Path,
    bot: str,
    inputs: dict[str, str],
    tried: Callable[[BotContract, Path], object],
    said: str,
) -> None:
    with pytest.raises(AssertionError, match=said):
        tried(BotContract(project=hostile, bot=f"hostile.{bot}", inputs=inputs), tmp_path / "copy")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A project with one file in its inbox and nothing in its archive; the standard bots are there."""
    project = tmp_path / "files"
    (project / "inbox").mkdir(parents=True)
    (project / "inbox" / "scan.txt").write_text("one page")
    settings = "version: 1\nproject: files\ntimezone: UTC\nfiles:\n  roots:\n    read: [inbox]\n    write: [archive]\n"
    (project / "settings.yaml").write_text(f"{settings}environment: practice\nenvironments:\n  practice: {{}}\n")
    return project


def moved(project: Path) -> int:
    """1 when the file stands in the archive, and there only."""
    assert not ((project / "inbox" / "scan.txt").exists() and (project / "archive" / "scan.txt").exists())
    return len(list((project / "archive").glob("*")))


def test_a_moved_file_is_moved_once_though_its_path_leads_nowhere_afterwards(files: Path, tmp_path: Path) -> None:
    contract = BotContract(project=files, bot="files.move", inputs={"file": "inbox/scan.txt", "to": "archive"})
    tried = contract.acts_once(tmp_path / "killed", acted=moved)
    assert tried.state == RunState.SUCCEEDED, tried.error
    assert (tried.project / "archive" / "scan.txt").read_text() == "one page"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("inbox/scam.txt", 'there is no file inbox/scam.txt (input "file"); put it there'),
        ("../settings.yaml", 'input "file" names "../settings.yaml", which is outside of the folders'),
    ],
)
def test_a_path_that_leads_nowhere_is_named(files: Path, tmp_path: Path, path: str, said: str) -> None:
    tried = BotContract(project=files, bot="files.move", inputs={"file": path, "to": "archive"}).run(tmp_path / "run")
    assert tried.state == RunState.FAILED
    assert said in tried.error
