"""Who is at the keyboard: passphrases of the people in settings.yaml, and short sign-ins.

A typed name is no identity: `verify` wants the passphrase, slows down whoever guesses, and says nothing about which
part was wrong. What is kept here is argon2 of the passphrase, never the passphrase.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from interoffice.errors import ProjectError, Refused, UsageError
from interoffice.resources.private_files import key, one_writer, private_folder, refuse_if_shared, write_private

SHORTEST_PASSPHRASE = 10
FREE_FAILURES = 4
"""Wrong passphrases in a row that only cost a try; each further one locks, twice as long each time."""
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)
SIGNED_IN_FOR = timedelta(minutes=15)
SESSION_KEY = "sessions.key"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """What is kept of a person who can sign in. `locked_until` is UTC."""

    person_id: str
    proof: str
    failures: int = 0
    locked_until: datetime | None = None


def utc_now() -> datetime:
    """The clock, unless another is given."""
    return datetime.now(UTC)


class PeopleStore:
    """The passphrases of one project, in state/people.json (mode 0600)."""

    def __init__(self, state_dir: Path, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.state_dir = state_dir
        self._clock = clock
        self._file = state_dir / "people.json"

    def add(self, person_id: str, passphrase: str) -> None:
        """Give a person a first passphrase. Refused: there is one already."""
        refuse_weak(person_id, passphrase)
        private_folder(self.state_dir)
        with one_writer(self._file):
            people = self._read()
            if person_id in people:
                raise Refused(
                    f"{person_id} has a passphrase already: change it with python3 runner.py people passwd {person_id}"
                )
            people[person_id] = Person(person_id=person_id, proof=prove(passphrase))
            self._write(people)

    def passwd(self, person_id: str, *, old: str, new: str) -> None:
        """Change a passphrase; every sign-in with the old one ends. Refused: the old one is wrong."""
        refuse_weak(person_id, new)
        if not self.verify(person_id, old):
            raise Refused(f"The present passphrase of {person_id} is not right: nothing was changed.")
        with one_writer(self._file):
            people = self._read()
            people[person_id] = Person(person_id=person_id, proof=prove(new))
            self._write(people)

    def list(self) -> tuple[Person, ...]:
        """Who can sign in, by id."""
        people = self._read()
        return tuple(people[person_id] for person_id in sorted(people))

    def verify(self, person_id: str, passphrase: str) -> bool:
        """Whether this is the person's passphrase. Refused: too many wrong ones, with the time it opens again.

        One at a time, and a failure is written before the answer is given: guessing in parallel gains nothing.
        """
        private_folder(self.state_dir)
        with one_writer(self._file):
            people = self._read()
            person = people.get(person_id)
            if person is None:
                matches(prove(secrets.token_hex()), passphrase)  # an unknown name must not answer faster
                return False
            self._refuse_locked(person)
            if matches(person.proof, passphrase):
                people[person_id] = Person(person_id=person_id, proof=renewed(person.proof, passphrase))
            else:
                people[person_id] = self._failed(person)
            if people[person_id] != person:
                self._write(people)
            return people[person_id].failures == 0

    def sign_in(self, person_id: str, passphrase: str) -> datetime:
        """Remember on this machine, for this user of it, who signed in; gives until when. Refused: wrong passphrase."""
        if not self.verify(person_id, passphrase):
            raise Refused(
                f"The passphrase of {person_id} is not right, or {person_id} can't sign in: python3 runner.py people"
            )
        until = self._clock() + SIGNED_IN_FOR
        proof = self._read()[person_id].proof
        said = {"person": person_id, "until": until.isoformat(), "seal": seal(person_id, until, proof, self.state_dir)}
        private_folder(self._session_file().parent)
        write_private(self._session_file(), json.dumps(said).encode())
        return until

    def signed_in(self) -> str | None:
        """Who is signed in here now; None: nobody, too long ago, with an old passphrase, or the file was changed."""
        try:
            refuse_if_shared(self._session_file())
            said = json.loads(self._session_file().read_bytes())
            person_id, until = str(said["person"]), datetime.fromisoformat(said["until"])
            person = self._read().get(person_id)
            if person is None or not self._clock() < until <= self._clock() + SIGNED_IN_FOR:
                return None
            right = hmac.compare_digest(str(said["seal"]), seal(person_id, until, person.proof, self.state_dir))
            return person_id if right else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def sign_out(self) -> None:
        """Forget who is signed in here."""
        self._session_file().unlink(missing_ok=True)

    def _session_file(self) -> Path:
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
        return self.state_dir / "sessions" / f"{user}.json"

    def _refuse_locked(self, person: Person) -> None:
        if person.locked_until is not None and self._clock() < person.locked_until:
            raise Refused(
                f"{person.person_id} is locked after {person.failures} wrong passphrases: try again after "
                f"{person.locked_until:%H:%M:%S} UTC."
            )

    def _failed(self, person: Person) -> Person:
        failures = person.failures + 1
        over = failures - FREE_FAILURES
        if over <= 0:
            return replace(person, failures=failures, locked_until=None)
        lock = min(FIRST_LOCK * 2 ** min(over - 1, 10), LONGEST_LOCK)
        return replace(person, failures=failures, locked_until=self._clock() + lock)

    def _read(self) -> dict[str, Person]:
        try:
            refuse_if_shared(self._file)
            content = json.loads(self._file.read_bytes())
            return {person_id: from_json(person_id, entry) for person_id, entry in content.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProjectError(
                f"{self._file} is damaged: restore it from a backup, or remove it and let each person set a passphrase "
                "again (python3 runner.py people add NAME)."
            ) from error

    def _write(self, people: dict[str, Person]) -> None:
        entries = {person_id: to_json(person) for person_id, person in sorted(people.items())}
        write_private(self._file, json.dumps(entries, indent=1).encode())


def to_json(person: Person) -> dict[str, object]:
    """A person as the file holds it."""
    locked = person.locked_until.isoformat() if person.locked_until else None
    return {name: value for name, value in asdict(person).items() if name != "person_id"} | {"locked_until": locked}


def from_json(person_id: str, entry: dict[str, str | int | None]) -> Person:
    """A person as the file held it."""
    locked = entry["locked_until"]
    return Person(
        person_id=person_id,
        proof=str(entry["proof"]),
        failures=int(entry["failures"] or 0),
        locked_until=datetime.fromisoformat(str(locked)) if locked else None,
    )


def refuse_weak(person_id: str, passphrase: str) -> None:
    """UsageError: what can't be a person's id, or what anybody would guess."""
    if not person_id or person_id != person_id.strip():
        raise UsageError(f'"{person_id}" can\'t be a person: use the id that settings.yaml has.')
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise UsageError(f"A passphrase has {SHORTEST_PASSPHRASE} characters or more: nothing was changed.")
    if len(set(passphrase)) < 5 or person_id.lower() in passphrase.lower():
        raise UsageError(
            "That passphrase is easily guessed (few different characters, or the name): nothing was changed."
        )


def prove(passphrase: str) -> str:
    """argon2id of the passphrase, with its own salt (RFC 9106)."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(passphrase)


def matches(proof: str, passphrase: str) -> bool:
    """Whether the passphrase gave this proof. ProjectError: the proof is none."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerifyMismatchError

    try:
        return PasswordHasher().verify(proof, passphrase)
    except VerifyMismatchError:
        return False
    except InvalidHashError as error:
        raise ProjectError(
            "A passphrase in state/people.json is damaged: remove that person's entry and let the person set one again "
            "(python3 runner.py people add NAME)."
        ) from error


def renewed(proof: str, passphrase: str) -> str:
    """The proof, made again where today's settings are stronger than those it was made with."""
    from argon2 import PasswordHasher

    return prove(passphrase) if PasswordHasher().check_needs_rehash(proof) else proof


def seal(person_id: str, until: datetime, proof: str, state_dir: Path) -> str:
    """What only this user's key can write: who, until when, with which passphrase, in which project."""
    said = "\0".join((person_id, until.isoformat(), proof, str(state_dir.resolve())))
    return hmac.new(key(SESSION_KEY), said.encode(), hashlib.sha256).hexdigest()
