"""The consumer where things go wrong: lost deliveries heal, stalled or broken sockets are closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import OperationalError

from arboris.novels.models import NovelProject
from notifications import consumers, inbox
from notifications.consumers import NotificationConsumer
from notifications.models import AnalysisNotification
from notifications.relay import Progress
from tests.factories import make_chapter
from tests.notifications.test_outbox import add_row

pytestmark = pytest.mark.django_db(transaction=True)  # the socket has connections of its own

Talk = Callable[[WebsocketCommunicator], Awaitable[None]]


class Recorder:
    """In place of the relay: knows who subscribed, delivers what the test says."""

    def __init__(self) -> None:
        self.subscribers: list[NotificationConsumer] = []

    def subscribe(self, subscriber: NotificationConsumer) -> None:
        self.subscribers.append(subscriber)

    def unsubscribe(self, subscriber: NotificationConsumer) -> None:
        self.subscribers.remove(subscriber)


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(consumers, "relay", recorder)
    return recorder


def talk(user: User, work: Talk, query: str = "", protocol: str | None = "arboris.v1") -> None:
    """Open a socket of the user, run the talk, close it."""

    async def run() -> None:
        socket = WebsocketCommunicator(
            NotificationConsumer.as_asgi(),
            f"/ws/notifications{query}",
            subprotocols=[protocol] if protocol else None,
        )
        scope: Any = socket.scope
        scope["user"] = user
        connected, chosen = await socket.connect()
        assert (connected, chosen) == (True, protocol)
        try:
            await work(socket)
        finally:
            await socket.disconnect()

    async_to_sync(run)()


async def close_code(socket: WebsocketCommunicator) -> int:
    """Reads on until the socket is closed."""
    while True:
        frame = await socket.receive_output(timeout=5)
        if frame["type"] == "websocket.close":
            return int(frame["code"])


@pytest.fixture
def first(project: NovelProject) -> AnalysisNotification:
    make_chapter(project)
    add_row(project, 10_000)
    return AnalysisNotification.objects.get()


def test_what_the_relay_lost_arrives_with_the_next_state(
    writer: User,
    project: NovelProject,
    first: object,
    relay: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumers, "STATE_SECONDS", 0.05)
    lost = 10_001

    async def work(socket: WebsocketCommunicator) -> None:
        assert (await socket.receive_json_from(5))["type"] == "state"
        await database_sync_to_async(add_row)(project, lost)
        while (frame := await socket.receive_json_from(5))["type"] != "notification":
            assert frame["type"] == "state"
        assert frame["data"]["id"] == lost

    talk(writer, work)


def test_what_comes_twice_is_sent_once(
    writer: User, first: AnalysisNotification, relay: Recorder
) -> None:
    async def work(socket: WebsocketCommunicator) -> None:
        assert (await socket.receive_json_from(5))["id"] == first.pk
        (subscriber,) = relay.subscribers
        subscriber.deliver(first)
        subscriber.deliver(first)
        assert await socket.receive_nothing(0.1)

    talk(writer, work, "?since=0", protocol=None)


def test_progress_is_for_v1_alone(writer: User, first: object, relay: Recorder) -> None:
    progress = Progress(writer.pk, 7, 40, "world_expansion", 1.5)

    async def enveloped(socket: WebsocketCommunicator) -> None:
        await socket.receive_json_from(5)
        relay.subscribers[0].deliver_progress(progress)
        frame = await socket.receive_json_from(5)
        expected = {"task_id": 7, "percent": 40, "feature": "world_expansion", "eta_seconds": 1.5}
        assert frame == {"v": 1, "type": "progress", "data": expected}

    async def plain(socket: WebsocketCommunicator) -> None:
        relay.subscribers[0].deliver_progress(progress)
        assert await socket.receive_nothing(0.1)

    talk(writer, enveloped)
    talk(writer, plain, protocol=None)


def test_a_client_that_stalls_is_4408(
    writer: User, first: AnalysisNotification, relay: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "WAITING_FRAMES", 2)

    async def work(socket: WebsocketCommunicator) -> None:
        await socket.receive_json_from(5)
        for _ in range(4):  # all at once: the sender has no turn in between
            relay.subscribers[0].deliver(first)
        assert await close_code(socket) == 4408

    talk(writer, work)


def test_a_sender_that_fails_closes_the_socket(
    writer: User, first: object, relay: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(inbox, "after", away)

    async def work(socket: WebsocketCommunicator) -> None:
        assert await close_code(socket) == 1011

    talk(writer, work, "?since=0")


def test_nothing_is_kept_of_a_closed_socket(writer: User, first: object, relay: Recorder) -> None:
    async def work(socket: WebsocketCommunicator) -> None:
        await socket.receive_json_from(5)
        assert consumers._open == {writer.pk: 1}

    talk(writer, work)
    assert consumers._open == {}
    assert relay.subscribers == []
