"""A typed name is no identity: people prove themselves, and guessing is slow."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interoffice.errors import ProjectError, Refused, UsageError
from interoffice.resources.people import PeopleStore

PHRASE = "drei kleine Enten im Hof"
OTHER = "vier grosse Gaense am See"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(autouse=True)
def own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEROFFICE_CONFIG", str(tmp_path / "config"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(tmp_path: Path, clock: Clock) -> PeopleStore:
    store = PeopleStore(tmp_path / "state", clock=clock)
    store.add("anna", PHRASE)
    return store


def test_only_the_right_passphrase_of_the_right_person_proves_it(people: PeopleStore) -> None:
    assert people.verify("anna", PHRASE)
    assert not people.verify("anna", PHRASE + " ")
    assert not people.verify("anna", "")
    assert not people.verify("bilal", PHRASE)
    assert [person.person_id for person in people.list()] == ["anna"]


def test_no_file_holds_the_passphrase_and_only_the_owner_reads_it(people: PeopleStore) -> None:
    people.sign_in("anna", PHRASE)
    for path in people.state_dir.rglob("*"):
        if path.is_file():
            assert b"Enten" not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0
    assert json.loads((people.state_dir / "people.json").read_text())["anna"]["proof"].startswith("$argon2id$")
    assert "Enten" not in repr(people.list())


def test_a_second_add_is_refused_so_that_nobody_takes_over_a_person(people: PeopleStore) -> None:
    with pytest.raises(Refused, match="people passwd anna"):
        people.add("anna", OTHER)
    assert people.verify("anna", PHRASE)


def test_a_passphrase_changes_only_for_who_knows_the_present_one(people: PeopleStore) -> None:
    with pytest.raises(Refused, match="nothing was changed"):
        people.passwd("anna", old=OTHER, new=OTHER)
    people.passwd("anna", old=PHRASE, new=OTHER)
    assert people.verify("anna", OTHER)
    assert not people.verify("anna", PHRASE)


@pytest.mark.parametrize("weak", ["", "short", "aaaaaaaaaaaaaa", "Anna is the best"])
def test_a_weak_passphrase_is_refused(people: PeopleStore, weak: str) -> None:
    with pytest.raises(UsageError):
        people.passwd("anna", old=PHRASE, new=weak)
    with pytest.raises(UsageError):
        PeopleStore(people.state_dir / "new").add("anna", weak)


def test_guessing_locks_longer_each_time_and_the_right_one_is_refused_meanwhile(
    people: PeopleStore, clock: Clock
) -> None:
    for _ in range(4):
        assert not people.verify("anna", OTHER)
    assert people.list()[0].locked_until is None
    for minutes in (1, 2, 4):
        assert not people.verify("anna", OTHER)
        assert people.list()[0].locked_until == clock.now + timedelta(minutes=minutes)
        with pytest.raises(Refused, match="locked after"):
            people.verify("anna", PHRASE)
        clock.now += timedelta(minutes=minutes, seconds=1)
    assert people.verify("anna", PHRASE)
    assert people.list()[0].failures == 0


def test_another_process_sees_the_lock_too(people: PeopleStore) -> None:
    real = PeopleStore(people.state_dir)
    for _ in range(5):
        real.verify("anna", OTHER)
    code = (
        "import sys; from pathlib import Path; from interoffice.resources.people import PeopleStore;"
        "PeopleStore(Path(sys.argv[1])).verify('anna', sys.argv[2])"
    )
    asked = subprocess.run([sys.executable, "-c", code, str(people.state_dir), PHRASE], capture_output=True, text=True)
    assert "Refused: anna is locked after 5 wrong passphrases" in asked.stderr


def test_a_sign_in_holds_for_a_while_and_not_longer(people: PeopleStore, clock: Clock) -> None:
    assert people.signed_in() is None
    until = people.sign_in("anna", PHRASE)
    assert until == clock.now + timedelta(minutes=15)
    assert people.signed_in() == "anna"
    clock.now = until
    assert people.signed_in() is None


def test_signing_out_and_a_new_passphrase_end_a_sign_in(people: PeopleStore) -> None:
    people.sign_in("anna", PHRASE)
    people.sign_out()
    assert people.signed_in() is None
    people.sign_out()
    people.sign_in("anna", PHRASE)
    people.passwd("anna", old=PHRASE, new=OTHER)
    assert people.signed_in() is None


def test_a_wrong_passphrase_signs_nobody_in(people: PeopleStore) -> None:
    for who in ("anna", "bilal"):
        with pytest.raises(Refused, match="is not right"):
            people.sign_in(who, OTHER)
    assert people.signed_in() is None


def test_a_changed_session_file_signs_nobody_in(people: PeopleStore, clock: Clock) -> None:
    people.add("bilal", OTHER)
    people.sign_in("anna", PHRASE)
    file = next((people.state_dir / "sessions").glob("*.json"))
    said = json.loads(file.read_text())
    longer = (clock.now + timedelta(hours=10)).isoformat()
    for change in ({"person": "bilal"}, {"until": longer}, {"seal": ""}, {"seal": None}, {"until": "soon"}):
        file.write_text(json.dumps(said | change))
        assert people.signed_in() is None
    for text in ("", "[]", "{}", "null"):
        file.write_text(text)
        assert people.signed_in() is None
    file.write_text(json.dumps(said))
    assert people.signed_in() == "anna"


def test_a_damaged_file_is_said_in_one_sentence(people: PeopleStore) -> None:
    file = people.state_dir / "people.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({"anna": content["anna"] | {"proof": "$nonsense"}}))
    with pytest.raises(ProjectError, match="people add"):
        people.verify("anna", PHRASE)
    file.write_text("{")
    with pytest.raises(ProjectError, match="damaged"):
        people.list()
