"""Credentials: values that can't be printed, and where they are kept.

Sources in order: the keyring of the operating system (where a real one works), an encrypted file in the project's
state folder whose key lies in the user's own config folder, and the environment
(INTEROFFICE_CREDENTIAL_<NAME>_<PART>). Names are no secrets and stand in state/credentials.json, so that a check can
ask for them without opening anything.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, Protocol

from interoffice.errors import ProjectError, UsageError
from interoffice.resources.keyring_found import SERVICE, find_keyring
from interoffice.resources.masking import Masker
from interoffice.resources.private_files import key, one_writer, private_folder, write_private

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KeptIn = Literal["keyring", "file", "environment"]
PREFIX = "INTEROFFICE_CREDENTIAL_"
KEY_NAME = "credentials.key"
SHOWN_PARTS = frozenset({"user"})
"""Parts that are no secret: a sign-in name stands on every page of an application."""


class Secret:
    """A value that shows itself only through `reveal`. It is never printed, put into JSON or pickled."""

    __slots__ = ("_masker", "_name", "_value")

    def __init__(self, name: str, value: str, masker: Masker | None = None) -> None:
        self._name = name
        self._value = value
        self._masker = masker

    def reveal(self) -> str:
        """The value, to be handed to what needs it and to nothing else; it is masked everywhere from now on."""
        if self._masker is not None:
            self._masker.add(self._value)
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self._name})"

    def __format__(self, how: str) -> str:
        return format(repr(self), how)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{self!r} is never pickled")

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(self, name):
            raise AttributeError(f"{self!r} never changes")
        object.__setattr__(self, name, value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """The parts of a credential: user, password, totp, or names of its own."""

    name: str
    parts: Mapping[str, Secret]

    def part(self, name: str) -> Secret:
        """One part. ProjectError: it has none of that name."""
        if name not in self.parts:
            raise ProjectError(
                f'The credential "{self.name}" has no part "{name}" (it has {", ".join(self.parts)}): '
                f"python3 runner.py credentials set {self.name}{'' if name in STANDARD_PARTS else f' --part {name}'}"
            )
        return self.parts[name]

    def revealed(self) -> dict[str, str]:
        """All values by part, to be handed to a sign-in and to nothing else."""
        return {name: secret.reveal() for name, secret in self.parts.items()}


STANDARD_PARTS = frozenset({"user", "password"})


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownCredential:
    """What may be shown of a credential."""

    name: str
    parts: tuple[str, ...]
    kept_in: KeptIn


class Keyring(Protocol):
    """The part of a keyring backend that is used."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class CredentialStore:
    """The credentials of one project. `masker` knows every value that was revealed."""

    def __init__(
        self,
        state_dir: Path,
        *,
        environ: Mapping[str, str] | None = None,
        keyring: Keyring | Literal["find", "none"] = "find",
        masker: Masker | None = None,
    ) -> None:
        self.state_dir = state_dir
        self.masker = masker or Masker()
        self._environ = os.environ if environ is None else environ
        self._keyring = keyring
        self._names_file = state_dir / "credentials.json"
        self._values_file = state_dir / "credentials.enc"

    def get(self, name: str) -> Credential:
        """The credential. ProjectError: nobody has set it, with the line that does."""
        kept = self._kept().get(name)
        if kept is None:
            values = in_environment(self._environ).get(name)
            if values is None:
                raise ProjectError(f'The credential "{name}" is not set: python3 runner.py credentials set {name}')
        elif kept.kept_in == "keyring":
            values = self._from_keyring(name)
        else:
            values = self._read_values().get(name)
            if values is None:
                raise ProjectError(
                    f'The value of the credential "{name}" is gone from {self._values_file}: '
                    f"python3 runner.py credentials set {name}"
                )
        return Credential(
            name=name,
            parts={
                part: Secret(f"{name}.{part}", value, None if part in SHOWN_PARTS else self.masker)
                for part, value in values.items()
            },
        )

    def set(self, name: str, parts: Mapping[str, str]) -> KeptIn:
        """Keep a credential, all its parts anew; says where. UsageError: a name or a part that can't be one."""
        refuse_bad(name, parts)
        private_folder(self.state_dir)
        with one_writer(self._names_file):
            known = self._kept()
            backend = self._backend()
            values = self._read_values()
            if backend is not None:
                backend.set_password(SERVICE, self._keyring_name(name), json.dumps(dict(parts)))
                values.pop(name, None)
            else:
                values[name] = dict(parts)
            kept_in: KeptIn = "keyring" if backend is not None else "file"
            known[name] = KnownCredential(name=name, parts=tuple(parts), kept_in=kept_in)
            self._write(known, values)
        return kept_in

    def remove(self, name: str) -> None:
        """Forget a credential. ProjectError: it is not set here, or only in the environment."""
        private_folder(self.state_dir)
        with one_writer(self._names_file):
            known = self._kept()
            gone = known.pop(name, None)
            if gone is None:
                where = "set in the environment: unset it there" if name in in_environment(self._environ) else "not set"
                raise ProjectError(f'The credential "{name}" is {where}.')
            values = self._read_values()
            values.pop(name, None)
            if gone.kept_in == "keyring" and (backend := self._backend()) is not None:
                backend.delete_password(SERVICE, self._keyring_name(name))
            self._write(known, values)

    def list(self) -> tuple[KnownCredential, ...]:
        """What is set, by name; no value is opened."""
        known = self._kept()
        for name, values in in_environment(self._environ).items():
            known.setdefault(name, KnownCredential(name=name, parts=tuple(values), kept_in="environment"))
        return tuple(known[name] for name in sorted(known))

    def names(self) -> frozenset[str]:
        """The names that are set, for a check; costs one small file."""
        return frozenset(self._kept()) | frozenset(in_environment(self._environ))

    def _kept(self) -> dict[str, KnownCredential]:
        try:
            content = json.loads(self._names_file.read_text(encoding="utf-8"))
            return {
                name: KnownCredential(name=name, parts=tuple(entry["parts"]), kept_in=entry["kept_in"])
                for name, entry in content.items()
            }
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProjectError(
                f"{self._names_file} is damaged: remove it and set the credentials again "
                "(python3 runner.py credentials set NAME)."
            ) from error

    def _read_values(self) -> dict[str, dict[str, str]]:
        try:
            data = self._values_file.read_bytes()
        except FileNotFoundError:
            return {}
        from cryptography.fernet import InvalidToken

        try:
            content: dict[str, dict[str, str]] = json.loads(cipher().decrypt(data))
        except (InvalidToken, ValueError) as error:
            raise ProjectError(
                f"{self._values_file} does not open with this user's key, so it is another user's or machine's, or "
                f"damaged: remove it and {self._names_file.name}, then set the credentials again."
            ) from error
        return content

    def _write(self, known: Mapping[str, KnownCredential], values: Mapping[str, Mapping[str, str]]) -> None:
        """Values first: a name without its value says so, a value without its name is only forgotten."""
        if values or self._values_file.exists():
            write_private(self._values_file, cipher().encrypt(json.dumps(values).encode()))
        entries = {name: {"parts": list(each.parts), "kept_in": each.kept_in} for name, each in sorted(known.items())}
        write_private(self._names_file, json.dumps(entries, indent=1).encode())

    def _backend(self) -> Keyring | None:
        if self._keyring == "find":
            return find_keyring(self._environ)
        return None if self._keyring == "none" else self._keyring

    def _keyring_name(self, name: str) -> str:
        return f"{self.state_dir.resolve()}: {name}"

    def _from_keyring(self, name: str) -> dict[str, str]:
        backend = self._backend()
        content = backend.get_password(SERVICE, self._keyring_name(name)) if backend is not None else None
        if content is None:
            why = "this session has no keyring that answers" if backend is None else "it is gone from there"
            raise ProjectError(
                f'The credential "{name}" is kept in the keyring, and {why}: sign in to the desktop, or '
                f"python3 runner.py credentials set {name}"
            )
        values: dict[str, str] = json.loads(content)
        return values


def cipher() -> Fernet:
    """Encryption with this user's key."""
    import base64

    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(key(KEY_NAME)))


def refuse_bad(name: str, parts: Mapping[str, str]) -> None:
    """UsageError: a name or part that no workflow and no variable could name, or nothing to keep."""
    for word in (name, *parts):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", word):
            raise UsageError(f'"{word}" can\'t name a credential or a part of one: use small letters, digits and _.')
    empty = [part for part, value in parts.items() if not value]
    if not parts or empty:
        raise UsageError(
            f'The credential "{name}" was given no {" and no ".join(empty) or "part"}: nothing was changed.'
        )


def in_environment(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Credentials in the environment: what stands behind the last `_` is the part, so a part is one word there."""
    found: dict[str, dict[str, str]] = {}
    for variable, value in environ.items():
        name, _, part = variable.removeprefix(PREFIX).lower().rpartition("_")
        if variable.startswith(PREFIX) and name and part and value:
            found.setdefault(name, {})[part] = value
    return found
