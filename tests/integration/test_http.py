"""HTTP for bots against a real server: exact numbers, no redirect, bounds, and errors that say what to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from interoffice.errors import ApplicationError, BusinessError, CredentialRefused, ProjectError
from interoffice.resources.http import HttpClient

seen: list[tuple[str, str | None]] = []


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        seen.append((self.path, self.headers.get("Authorization")))
        status, body, more = 200, b"{}", {}
        if self.path == "/numbers":
            body = b'{"limit": 12345678901234567890.12, "count": 3, "zeros": "007"}'
        elif self.path == "/text":
            body = b"<html>sign in</html>"
        elif self.path == "/away":
            status, more = 302, {"Location": "/numbers"}
        elif self.path == "/big":
            body = b'"' + b"x" * 11_000_000 + b'"'
        elif self.path.lstrip("/").isdigit():
            status = int(self.path[1:])
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(address: str) -> Iterator[HttpClient]:
    made = HttpClient(
        address=lambda said: address, credentials=lambda name: {"token": f"token of {name}"}, timeout_s=2, connect_s=2
    )
    yield made
    made.close()


def test_numbers_are_exact_and_texts_stay_texts(client: HttpClient) -> None:
    assert client.get_json("risk", "/numbers") == {
        "limit": Decimal("12345678901234567890.12"), "count": Decimal(3), "zeros": "007",
    }  # fmt: skip


def test_the_credential_goes_along_as_a_bearer_token(client: HttpClient) -> None:
    client.get_json("risk", "/numbers", credential="risk_service")
    assert seen[-1] == ("/numbers", "Bearer token of risk_service")


def test_a_redirect_is_not_followed(client: HttpClient) -> None:
    with pytest.raises(ApplicationError, match="status 302") as raised:
        client.get_json("risk", "/away", credential="risk_service")
    assert not raised.value.transient
    assert seen[-1][0] == "/away"


@pytest.mark.parametrize(
    ("path", "kind", "transient"),
    [
        ("/500", ApplicationError, True),
        ("/503", ApplicationError, True),
        ("/429", ApplicationError, True),
        ("/400", ApplicationError, False),
        ("/403", ApplicationError, False),
        ("/text", ApplicationError, True),
        ("/big", ApplicationError, False),
    ],
)
def test_what_the_service_answers_says_whether_it_may_be_asked_again(
    client: HttpClient, path: str, kind: type[ApplicationError], transient: bool
) -> None:
    with pytest.raises(kind) as raised:
        client.get_json("risk", path)
    assert raised.value.transient is transient
    assert raised.value.code == "http"


def test_unknown_records_and_refused_tokens_are_errors_of_their_own(client: HttpClient) -> None:
    with pytest.raises(BusinessError) as raised:
        client.get_json("risk", "/404")
    assert raised.value.code == "not_found"
    with pytest.raises(CredentialRefused):
        client.get_json("risk", "/401", credential="risk_service")


@pytest.mark.parametrize("path", ["customers", "/customers/..", "/../x", "/./x"])
def test_a_path_that_leads_elsewhere_is_refused(client: HttpClient, path: str) -> None:
    with pytest.raises(BusinessError, match="is no path"):
        client.get_json("risk", path)


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("http://risk.example.com", "unencrypted"),
        ("ftp://risk.example.com", "no address of a web service"),
        ("unknown", 'no address is known for the service "unknown"'),
    ],
)
def test_an_address_that_is_none_is_refused_and_nothing_is_sent(client: HttpClient, service: str, said: str) -> None:
    with pytest.raises(ProjectError, match=said):
        client.get_json(service, "/numbers", credential="risk_service")


def test_a_credential_without_token_is_one_sentence(address: str) -> None:
    client = HttpClient(address=lambda said: address, credentials=lambda name: {"user": "x"})
    with pytest.raises(ProjectError, match="neither token nor password"):
        client.get_json("risk", "/numbers", credential="risk_service")
