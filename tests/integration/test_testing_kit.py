"""The public test support: a proxy that loses replies, and kill points that are counted and drawn."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

import pytest

from interoffice.testing import FaultProxy
from interoffice.testing.kill_points import CALLS, KillPoint, kill_points, sampled


class _Orders(BaseHTTPRequestHandler):
    """A server that counts what it was given."""

    taken: list[bytes]

    def do_POST(self) -> None:
        self.taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        body = b"taken: order number 4711"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    handler = type("Orders", (_Orders,), {"taken": []})
    made = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def post(port: int, body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=0.5)
    try:
        connection.request("POST", "/orders", body)
        answer = connection.getresponse().read()
        if not answer:
            raise ConnectionError("the answer was cut off")
        return answer
    finally:
        connection.close()


@pytest.mark.parametrize(("reply", "reached"), [("refuse", 0), ("reset", 1), ("cut", 1), ("stall", 1)])
def test_the_proxy_loses_one_reply_and_the_server_has_seen_the_request(
    server: HTTPServer, reply: str, reached: int
) -> None:
    taken = server.RequestHandlerClass.taken  # type: ignore[attr-defined]
    with FaultProxy("127.0.0.1", server.server_port) as proxy:
        loss = proxy.lose(reply=reply, when=b"order 2", keep=20)  # type: ignore[arg-type]
        assert post(proxy.port, b"order 1") == b"taken: order number 4711"
        with pytest.raises((OSError, http.client.HTTPException)):
            post(proxy.port, b"order 2")
        assert (loss.lost, taken.count(b"order 2")) == (1, reached)
        assert post(proxy.port, b"order 2 again") == b"taken: order number 4711"


# kill points


def test_kill_points_are_those_of_the_process_that_made_most_calls(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    log.write_text("7 pwrite64(3) = 1\n7 pwrite64(3) = 1\n8 pwrite64(3) = 1\n8 sendto(4) = 1\n9 openat(5) = 3\n")
    found = kill_points(log)
    assert found == [
        KillPoint(call="pwrite64", number=1), KillPoint(call="pwrite64", number=2), KillPoint(call="sendto", number=1),
    ]  # fmt: skip


def test_a_sample_covers_every_call_and_is_the_same_for_the_same_seed() -> None:
    points = [KillPoint(call=call, number=n) for call in CALLS for n in range(1, 101)]
    chosen = sampled(points, 20, seed=3)
    assert len(set(chosen)) == 20
    assert {point.call for point in chosen} == set(CALLS)
    assert chosen == sampled(points, 20, seed=3) != sampled(points, 20, seed=4)
