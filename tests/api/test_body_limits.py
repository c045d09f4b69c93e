"""A body that is too large is refused before it is read: on a real Daphne, and by any ASGI
server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from pytest_django import Settings
from twisted.internet.testing import StringTransport
from twisted.web.http import HTTPChannel

from arboris import body_limits
from arboris.body_limits import ANONYMOUS, FORM, BodyLimit, BoundedRequest, Held, limit_for
from tests.live import Site
from tests.waiting import PATIENCE_SECONDS, wait_for

MEGABYTE = 1024 * 1024
OFFERED = 300 * MEGABYTE
MAY_GROW = 64 * MEGABYTE
TOKEN = [(b"authorization", b"Token of-somebody")]
SESSION = [(b"Cookie", b"a=b; sessionid=of-somebody")]


def resident(site: Site) -> int:
    """Bytes of the web process's memory, at its highest."""
    status = Path(f"/proc/{site.processes['web'].pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def asked(site: Site, path: str, *headers: str, source: str = "127.0.0.1") -> socket.socket:
    """A connection on which the headers of a POST were sent, and nothing of its body."""
    connection = socket.create_connection(
        ("127.0.0.1", site.port), timeout=PATIENCE_SECONDS, source_address=(source, 0)
    )
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Accept-Language: en", *headers, "", ""]
    connection.sendall("\r\n".join(lines).encode())
    return connection


def answer_of(connection: socket.socket) -> tuple[int, Any]:
    """Status and document of the one answer; the connection is closed behind it."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65_536)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert "Connection: close" in lines
    (length,) = [int(line[16:]) for line in lines if line.startswith("Content-Length: ")]
    while len(body) < length:
        body += connection.recv(65_536)
    return int(lines[0].split()[1]), json.loads(body)


@pytest.mark.parametrize("path", ["/api/auth/token", "/login", "/admin/login/", "/api/projects"])
def test_the_headers_are_enough_to_refuse(site: Site, path: str) -> None:
    with asked(site, path, f"Content-Length: {OFFERED}") as connection:
        status, told = answer_of(connection)
    assert status == 413
    assert told == {"detail": f"The request is larger than {ANONYMOUS} bytes.", "code": "too_large"}


def test_a_client_that_asks_first_is_told_no(site: Site) -> None:
    headers = (f"Content-Length: {OFFERED}", "Expect: 100-continue")
    with asked(site, "/api/auth/token", *headers) as connection:
        assert answer_of(connection)[0] == 413


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
def test_three_hundred_megabytes_cost_no_memory(site: Site, chunked: bool) -> None:
    before = resident(site)
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {OFFERED}"
    piece = b"a" * MEGABYTE
    frame = b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
    with asked(site, "/api/auth/token", length) as connection:
        for _ in range(OFFERED // MEGABYTE):
            connection.sendall(frame)
        assert answer_of(connection)[0] == 413
    assert resident(site) - before < MAY_GROW
    with site.client("") as client:
        assert client.get("/healthz").status_code == 200


def test_what_is_not_too_large_arrives(site: Site) -> None:
    with site.client() as client:
        project = client.post("/api/projects", json={"title": "夜航"}).json()["id"]
        text = "第1章 雨夜\n\n" + "雨落在听雨楼的瓦上。" * 20_000
        assert len(text.encode()) > ANONYMOUS
        files = {"file": ("novel.txt", text.encode(), "text/plain")}
        assert client.post(f"/api/projects/{project}/import", files=files).status_code == 201
    with site.client("") as client:
        wrong = client.post("/api/auth/token", json={"username": "x", "password": "y" * 1000})
        assert wrong.status_code == 400


def test_limits_by_path_and_credentials() -> None:
    upload = "/api/projects/7d2f/import"
    usual = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    for credentials in (TOKEN, SESSION):
        assert limit_for(upload, credentials) == settings.ARBORIS_MAX_ARCHIVE_BYTES + FORM
        assert limit_for("/api/projects", credentials) == usual
        assert limit_for("/api/auth/token", credentials) == ANONYMOUS
    for path in (upload, "/api/projects", "/login"):
        assert limit_for(path, [(b"cookie", b"csrftoken=x")]) == ANONYMOUS


def test_one_writer_sends_only_so_much_at_a_time(site: Site) -> None:
    with site.client() as client:
        project = client.post("/api/projects", json={"title": "夜航"}).json()["id"]
    largest = settings.ARBORIS_MAX_ARCHIVE_BYTES
    together = settings.ARBORIS_BODY_BYTES_PER_WRITER // largest
    headers = [f"Content-Length: {largest}", f"Authorization: Token {site.tokens['writer']}"]
    headers += ["Expect: 100-continue"]

    def announce() -> tuple[socket.socket, bytes]:
        connection = asked(site, f"/api/projects/{project}/import", *headers)
        return connection, connection.recv(65_536)

    with contextlib.ExitStack() as opened:
        for _ in range(together):
            connection, said = announce()
            opened.enter_context(connection)
            assert said.startswith(b"HTTP/1.1 100")
        connection, said = announce()
        opened.enter_context(connection)
        assert said.startswith(b"HTTP/1.1 429") and b"too_many_requests" in said

    def again() -> bool:
        connection, said = announce()
        connection.close()
        return said.startswith(b"HTTP/1.1 100")

    wait_for(again, "those that have gone count no more")


def test_what_is_announced_and_not_sent_takes_nobodys_room(site: Site) -> None:
    headers = [f"Content-Length: {settings.ARBORIS_MAX_ARCHIVE_BYTES}", "Expect: 100-continue"]
    headers += ["Authorization: Token of-nobody"]
    enough = settings.ARBORIS_BODY_BYTES_IN_ALL // settings.ARBORIS_MAX_ARCHIVE_BYTES + 1
    with contextlib.ExitStack() as opened:
        for number in range(enough):
            source = f"127.0.1.{number + 1}"
            connection = asked(site, "/api/projects/7d2f/import", *headers, source=source)
            opened.enter_context(connection)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 100"), number


def test_a_body_counts_until_its_request_has_ended(settings: Settings) -> None:
    settings.ARBORIS_BODY_BYTES_PER_WRITER, settings.ARBORIS_BODY_BYTES_IN_ALL = 10, 15
    held = Held()
    assert held.announce("one", 20)  # single bodies have limits of their own
    assert not held.announce("one", 1)
    assert held.announce("two", 6)  # nothing has come yet
    assert held.come(12, 0) and held.come(8, 12)
    assert not held.come(6, 0)
    assert not held.announce("three", 1)
    held.remove("one", 20, 20)
    assert held.come(6, 0)
    assert not held.announce("three", 10)
    held.remove("two", 6, 6)
    assert held.announce("one", 4) and held.announce("one", 6) and not held.announce("one", 1)


class Server:
    """What daphne's request asks of its server where it becomes a socket."""

    proxy_forwarded_address_header = None

    def __init__(self) -> None:
        self.server = self.ws_factory = self
        self.sockets: list[bytes] = []

    def protocol_connected(self, _protocol: Any) -> None: ...

    def protocol_disconnected(self, _protocol: Any) -> None: ...

    def buildProtocol(self, _address: Any) -> Any:
        return SimpleNamespace(makeConnection=bool, dataReceived=self.sockets.append)


def test_a_body_before_a_socket_counts_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    held, server = Held(), Server()
    monkeypatch.setattr(body_limits, "held", held)
    channel: Any = HTTPChannel()  # type: ignore[no-untyped-call]
    channel.requestFactory, channel.factory = BoundedRequest, server
    channel.makeConnection(StringTransport())  # type: ignore[no-untyped-call]
    head = ["GET /ws/notifications HTTP/1.1", "Host: x", "Upgrade: websocket", "Content-Length: 2"]
    channel.dataReceived("\r\n".join([*head, "", "a"]).encode())
    assert (held._by_caller.total(), held._came) == (2, 1)
    channel.dataReceived(b"b")
    assert len(server.sockets) == 1
    assert not held._by_caller and not held._came


def drive(headers: list[tuple[bytes, bytes]], pieces: list[int]) -> tuple[int, int]:
    """The status of the answer, and how many pieces of the body were fetched."""
    sent: list[dict[str, Any]] = []
    fetched = 0

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request":
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return

    async def receive() -> dict[str, Any]:
        nonlocal fetched
        fetched += 1
        body = b"a" * pieces[fetched - 1]
        return {"type": "http.request", "body": body, "more_body": fetched < len(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/api/auth/token", "headers": headers}
    asyncio.run(BodyLimit(application)(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return sent[0]["status"], fetched


def test_any_asgi_server_is_spared() -> None:
    half = ANONYMOUS // 2
    assert drive([(b"content-length", b"%d" % ANONYMOUS)], [half, half]) == (200, 2)
    assert drive([(b"content-length", b"%d" % (ANONYMOUS + 1))], [1, 1]) == (413, 0)
    assert drive([], [half, half, 1, half, half]) == (413, 3)
