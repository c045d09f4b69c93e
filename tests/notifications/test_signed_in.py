"""Who may open a socket, and that it is over when the reader is signed out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from arboris.novels.models import NovelProject
from arboris.tokens import service as tokens
from notifications import consumers, queries
from notifications.handshake import origin_allowed
from notifications.models import AnalysisNotification
from notifications.relay import relay
from notifications.routing import websocket
from tests.factories import make_chapter
from tests.notifications.test_outbox import add_row
from tests.notifications.test_socket import close_code
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

Headers = list[tuple[bytes, bytes]]
Sign = Callable[[User], Headers]


def by_token(user: User) -> Headers:
    return [(b"authorization", f"Token {tokens.issue(user)}".encode())]


def by_session(user: User) -> Headers:
    client = Client()
    client.force_login(user)
    return [(b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode())]


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def delete(user: User) -> None:
    User.objects.filter(pk=user.pk).delete()


def delete_token(user: User) -> None:
    tokens.end_all(user.pk)


def log_out(user: User) -> None:
    from django.contrib.sessions.models import Session

    Session.objects.all().delete()


def change_password(user: User) -> None:
    user.set_password("lantern-and-rain-7")
    user.save()


ENDINGS = [
    (by_token, deactivate),
    (by_token, delete),
    (by_token, delete_token),
    (by_token, change_password),
    (by_session, deactivate),
    (by_session, log_out),
    (by_session, change_password),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at", ["state", "delivery", "read"])
@pytest.mark.parametrize(("sign", "end"), ENDINGS, ids=lambda step: step.__name__)
def test_a_signed_out_reader_is_told_nothing_more(
    writer: User,
    project: NovelProject,
    sign: Sign,
    end: Callable[[User], None],
    at: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_chapter(project)
    add_row(project, 10_000)
    row = queries.told().get()
    row.pk = 10_001
    monkeypatch.setattr(consumers, "SIGNED_IN_SECONDS", 0.0)
    monkeypatch.setattr(consumers, "STATE_SECONDS", 0.2 if at == "state" else 600.0)
    headers = sign(writer)

    async def run() -> None:
        socket = WebsocketCommunicator(
            websocket, "/ws/notifications", headers=headers, subprotocols=["arboris.v1"]
        )
        assert (await socket.connect(PATIENCE_SECONDS))[0]
        assert (await socket.receive_json_from(PATIENCE_SECONDS))["type"] == "state"
        # Still signed in: the socket lives on.
        await socket.send_json_to({"type": "ping"})
        while (await socket.receive_json_from(PATIENCE_SECONDS))["type"] != "pong":
            pass
        await database_sync_to_async(end)(writer)
        if at == "delivery":
            (mine,) = relay.subscribers()
            mine.deliver(row)
        elif at == "read":
            await socket.send_json_to({"type": "read", "id": 10_000})
        assert await close_code(socket) == 4401
        await socket.disconnect(timeout=PATIENCE_SECONDS)

    async_to_sync(run)()
    assert not AnalysisNotification.objects.filter(is_read=1).exists()


@pytest.mark.sqlite_only
@pytest.mark.django_db(transaction=True)
def test_an_older_page_of_another_account_is_signed_out(writer: User) -> None:
    headers = by_session(writer)

    async def run() -> None:
        for owner in (writer.pk, writer.pk + 1):
            path = f"/ws/notifications?page_user={owner}"
            socket = WebsocketCommunicator(websocket, path, headers, subprotocols=["arboris.v1"])
            assert (await socket.connect(PATIENCE_SECONDS))[0]
            if owner == writer.pk:
                assert (await socket.receive_json_from(PATIENCE_SECONDS))["type"] == "state"
            else:
                first = await socket.receive_output(timeout=PATIENCE_SECONDS)
                assert (first["type"], first["code"]) == ("websocket.close", 4401)
            await socket.disconnect(timeout=PATIENCE_SECONDS)

    async_to_sync(run)()


@pytest.mark.parametrize("path", ["/ws/notifications/", "/ws/x", "/", "/ws/notifications/1"])
def test_another_path_is_4404(path: str) -> None:
    async def run() -> None:
        socket = WebsocketCommunicator(websocket, path)
        assert (await socket.connect(PATIENCE_SECONDS))[0]
        assert await close_code(socket) == 4404

    async_to_sync(run)()


@pytest.mark.parametrize(
    ("scheme", "host", "origin", "allowed"),
    [
        ("ws", "example.org", "http://example.org:80", True),
        ("ws", "example.org:80", "http://example.org", True),
        ("wss", "example.org", "https://example.org:443", True),
        ("wss", "example.org:443", "https://Example.org", True),
        ("wss", "[::1]:443", "https://[::1]", True),
        ("wss", "example.org", "https://example.org:80", False),
        ("ws", "example.org", "http://example.org:443", False),
        ("ws", "example.org:8000", "http://example.org", False),
        ("ws", "example.org", "https://example.org", False),
        ("ws", "example.org", "http://[::1", False),
        ("ws", "example.org", "null", False),
        ("ws", "inner:8000", "https://trusted.example:443", True),
        ("ws", "inner:8000", "https://trusted.example", True),
        ("ws", "inner:8000", "https://trusted.example:8443", False),
        ("ws", "inner:8000", "https://ported.example", True),
    ],
)
def test_a_default_port_makes_no_other_origin(
    settings: Settings, scheme: str, host: str, origin: str, allowed: bool
) -> None:
    settings.ALLOWED_HOSTS = ["example.org", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example", "https://ported.example:443"]
    headers = [(b"host", host.encode()), (b"origin", origin.encode())]
    scope: Any = {"scheme": scheme, "headers": headers}
    assert origin_allowed(scope) is allowed
