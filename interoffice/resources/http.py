"""HTTP for bots: time-outs on everything, certificates verified, no redirects, numbers of JSON kept exact."""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from interoffice.errors import ApplicationError, BusinessError, CredentialRefused, ProjectError

_LARGEST_BYTES: Final = 10_000_000
_PRACTICE: Final = "practice:"
SERVICES: Final[Mapping[str, str]] = {"risk": "practice:risk"}
"""Where a service is when the project says nothing else."""


class HttpClient:
    """Requests of one run: what bots see as `ctx.http`. Connections open on first use; close it.

    `services`: name of a service -> its address; `address` resolves `practice:risk`; `credentials` gives the parts of
    a credential by its name (`token`, else `password`, goes along as a bearer token).
    """

    def __init__(
        self,
        *,
        address: Callable[[str], str],
        credentials: Callable[[str], Mapping[str, str]],
        services: Mapping[str, str] = SERVICES,
        timeout_s: float = 30,
        connect_s: float = 10,
    ) -> None:
        self._address, self._credentials, self._services = address, credentials, services
        self._timeout = httpx.Timeout(timeout_s, connect=connect_s)
        self._clients: dict[bool, httpx.Client] = {}

    def get_json(self, address: str, path: str, *, credential: str | None = None) -> Any:
        """The JSON at a path of a service (by name, or an address); its numbers are Decimal.

        BusinessError `not_found` for 404; ApplicationError `http` else, transient for 5xx, 429 and a lost connection.
        """
        base = self._resolved(address)
        if not path.startswith("/") or not {".", ".."}.isdisjoint(path.partition("?")[0].split("/")):
            raise BusinessError(f"{path!r} is no path: it must begin with / and have no part . or ..", code="bad_path")
        headers = {"Accept": "application/json", **self._bearer(credential)}
        try:
            with self._client(base).stream("GET", base.rstrip("/") + path, headers=headers) as response:
                self._refuse_bad(response, address, path, credential)
                content = _bounded(response, address)
        except httpx.TimeoutException as error:
            raise ApplicationError(f"{address} did not answer {path} in time; try again later", code="http") from error
        except httpx.HTTPError as error:
            raise ApplicationError(f"{address} can't be reached ({error}); is it running?", code="http") from error
        try:
            return json.loads(content, parse_float=Decimal, parse_int=Decimal)
        except ValueError as error:
            raise ApplicationError(f"{address} answered {path} with something that is no JSON", code="http") from error

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _resolved(self, address: str) -> str:
        said = address if ":" in address else self._services.get(address)
        if said is None:
            raise ProjectError(f'no address is known for the service "{address}"; add it to settings.yaml')
        base = self._address(said) if said.startswith(_PRACTICE) else said
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ProjectError(f'"{base}" is no address of a web service; write https://...')
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ProjectError(f'"{base}" would go over the network unencrypted; write https://...')
        return base

    def _bearer(self, credential: str | None) -> dict[str, str]:
        if credential is None:
            return {}
        parts = self._credentials(credential)
        token = parts.get("token") or parts.get("password")
        if not token:
            raise ProjectError(f'the credential "{credential}" has neither token nor password; set one of them')
        return {"Authorization": f"Bearer {token}"}

    def _client(self, base: str) -> httpx.Client:
        """A client; a proxy of the environment is asked for everything but this machine itself."""
        is_local = is_loopback(urlsplit(base).hostname or "")
        if is_local not in self._clients:
            self._clients[is_local] = httpx.Client(
                timeout=self._timeout,
                verify=ssl.create_default_context(),
                follow_redirects=False,
                trust_env=not is_local,
            )
        return self._clients[is_local]

    def _refuse_bad(self, response: httpx.Response, address: str, path: str, credential: str | None) -> None:
        status = response.status_code
        if status == 200:
            return
        if status == 401 and credential is not None:
            raise CredentialRefused(f'{address} refused the credential "{credential}"', credential=credential)
        if status == 404:
            raise BusinessError(f"{address} knows nothing at {path}", code="not_found")
        transient = status >= 500 or status in (408, 425, 429)
        raise ApplicationError(f"{address} answered {path} with status {status}", code="http", transient=transient)


def is_loopback(host: str) -> bool:
    """True of this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bounded(response: httpx.Response, address: str) -> bytes:
    content = bytearray()
    for piece in response.iter_bytes():
        content += piece
        if len(content) > _LARGEST_BYTES:
            raise ApplicationError(
                f"{address} answered with more than {_LARGEST_BYTES // 1_000_000} MB", code="http", transient=False
            )
    return bytes(content)
