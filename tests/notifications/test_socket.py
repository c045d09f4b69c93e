"""The consumer where things go wrong: lost deliveries heal, broken sockets are closed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.utils import translation

from arboris.novels.models import NovelProject
from notifications import consumers, queries
from notifications.consumers import PUSH_SECONDS, NotificationConsumer
from notifications.models import AnalysisNotification
from notifications.ports import Progress
from tests.factories import make_chapter
from tests.notifications.test_outbox import add_row
from tests.waiting import PATIENCE_SECONDS

# The socket has connections of its own.
pytestmark = [pytest.mark.databases, pytest.mark.django_db(transaction=True)]

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
    # No state by the clock, unless a test wants one.
    monkeypatch.setattr(consumers, "STATE_SECONDS", 3600.0)
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
        connected, chosen = await socket.connect(PATIENCE_SECONDS)
        assert (connected, chosen) == (True, protocol)
        try:
            await work(socket)
        finally:
            await socket.disconnect(timeout=PATIENCE_SECONDS)

    async_to_sync(run)()


async def close_code(socket: WebsocketCommunicator) -> int:
    """Reads on until the socket is closed."""
    while True:
        frame = await socket.receive_output(timeout=PATIENCE_SECONDS)
        if frame["type"] == "websocket.close":
            return int(frame["code"])


@pytest.fixture
def first(project: NovelProject) -> AnalysisNotification:
    make_chapter(project)
    add_row(project, 10_000)
    return queries.told().get()


def test_the_next_state_heals_a_lost_delivery(
    writer: User,
    project: NovelProject,
    first: object,
    relay: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumers, "STATE_SECONDS", 0.05)
    lost = 10_001

    async def work(socket: WebsocketCommunicator) -> None:
        assert (await socket.receive_json_from(PATIENCE_SECONDS))["type"] == "state"
        await database_sync_to_async(add_row)(project, lost)
        while (frame := await socket.receive_json_from(PATIENCE_SECONDS))["type"] != "notification":
            assert frame["type"] == "state"
        assert frame["data"]["id"] == lost

    talk(writer, work)


@pytest.fixture
def second(project: NovelProject, first: AnalysisNotification) -> AnalysisNotification:
    """Not in the database: a socket has it from the relay alone."""
    return AnalysisNotification(
        pk=first.pk + 1,
        user=project.owner,
        project=project,
        chapter=first.chapter,
        chapter_number=1,
        notification_type="completed",
        created_at=first.created_at,
    )


def test_what_comes_twice_is_sent_once(
    writer: User, first: AnalysisNotification, second: AnalysisNotification, relay: Recorder
) -> None:
    async def work(socket: WebsocketCommunicator) -> None:
        assert (await socket.receive_json_from(PATIENCE_SECONDS))["id"] == first.pk
        (subscriber,) = relay.subscribers
        for row in (first, first, second):
            subscriber.deliver(row)
        assert (await socket.receive_json_from(PATIENCE_SECONDS))["id"] == second.pk

    talk(writer, work, "?since=0", protocol=None)


def test_a_socket_that_closes_as_something_comes_is_left(
    writer: User, first: AnalysisNotification, relay: Recorder
) -> None:
    """At whichever turn of the event loop the end comes after what was delivered."""
    for turns in range(8):

        async def work(socket: WebsocketCommunicator, turns: int = turns) -> None:
            for kind in ("notification", "state"):
                assert (await socket.receive_json_from(PATIENCE_SECONDS))["type"] == kind
            for _ in range(50):  # the sender has taken some and not all
                relay.subscribers[0].deliver(first)
            for _ in range(turns):
                await asyncio.sleep(0)
            # ``talk`` closes the socket: a sender that goes on would keep it from ending.

        talk(writer, work, "?since=0")
        assert relay.subscribers == []


def test_progress_is_for_v1_alone(
    writer: User, second: AnalysisNotification, relay: Recorder
) -> None:
    progress = Progress(writer.pk, 7, 40, "world_expansion", 1.5)

    async def enveloped(socket: WebsocketCommunicator) -> None:
        await socket.receive_json_from(PATIENCE_SECONDS)
        relay.subscribers[0].deliver_progress(progress)
        frame = await socket.receive_json_from(PATIENCE_SECONDS)
        expected = {"task_id": 7, "percent": 40, "feature": "world_expansion", "eta_seconds": 1.5}
        assert frame == {"v": 1, "type": "progress", "data": expected}

    async def plain(socket: WebsocketCommunicator) -> None:
        relay.subscribers[0].deliver_progress(progress)
        relay.subscribers[0].deliver(second)
        assert (await socket.receive_json_from(PATIENCE_SECONDS))["id"] == second.pk

    talk(writer, enveloped)
    talk(writer, plain, protocol=None)


def test_a_client_that_stalls_is_4408(
    writer: User, first: AnalysisNotification, relay: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "WAITING_FRAMES", 2)

    async def work(socket: WebsocketCommunicator) -> None:
        await socket.receive_json_from(PATIENCE_SECONDS)
        for _ in range(4):  # all at once: the sender has no turn in between
            relay.subscribers[0].deliver(first)
        assert await close_code(socket) == 4408

    talk(writer, work)


@pytest.mark.parametrize("query", ["after", "mark_read"], ids=["sending", "answering"])
def test_an_error_closes_the_socket(
    writer: User, first: object, relay: Recorder, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(queries, query, away)

    async def work(socket: WebsocketCommunicator) -> None:
        await socket.send_json_to({"type": "read", "id": 1})
        assert await close_code(socket) == 1011

    talk(writer, work, "?since=0")
    assert consumers._open == {}


def test_an_outage_skips_a_state(
    writer: User, first: object, relay: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "STATE_SECONDS", 0.05)
    outage, read = threading.Semaphore(0), queries.after

    def away(*arguments: Any) -> Any:
        outage.release()
        raise InterfaceError("connection already closed")

    async def work(socket: WebsocketCommunicator) -> None:
        while (await socket.receive_json_from(PATIENCE_SECONDS))["type"] != "state":
            pass
        monkeypatch.setattr(queries, "after", away)
        for _ in range(2):
            assert await asyncio.to_thread(outage.acquire, timeout=PATIENCE_SECONDS)
        monkeypatch.setattr(queries, "after", read)
        while not socket.output_queue.empty():  # what was sent before
            await socket.receive_json_from(PATIENCE_SECONDS)
        assert (await socket.receive_json_from(PATIENCE_SECONDS))["type"] == "state"

    talk(writer, work)


def test_a_closed_socket_leaves_nothing(writer: User, first: object, relay: Recorder) -> None:
    async def work(socket: WebsocketCommunicator) -> None:
        await socket.receive_json_from(PATIENCE_SECONDS)
        assert consumers._open == {writer.pk: 1}

    talk(writer, work)
    assert consumers._open == {}
    assert relay.subscribers == []


def test_a_send_that_never_ends_is_4408(
    writer: User, first: AnalysisNotification, relay: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    async def work(socket: WebsocketCommunicator) -> None:
        await socket.receive_json_from(PATIENCE_SECONDS)
        monkeypatch.setattr(consumers, "STALLED_SECONDS", 0.05)
        monkeypatch.setattr(NotificationConsumer, "send", never)
        await socket.send_json_to({"type": "ping"})
        assert await close_code(socket) == 4408

    talk(writer, work)


def test_progress_never_displaces_notifications(
    writer: User, project: NovelProject, first: object, relay: Recorder
) -> None:
    add_row(project, 10_001)
    latest = queries.told().get(pk=10_001)

    async def work(socket: WebsocketCommunicator) -> None:
        assert (await socket.receive_json_from(PATIENCE_SECONDS))["type"] == "state"
        relay.subscribers[0].last_id = 10_000
        for percent in range(consumers.WAITING_FRAMES + 10):  # the sender has no turn in between
            relay.subscribers[0].deliver_progress(Progress(writer.pk, 7, percent, None, None))
        relay.subscribers[0].deliver(latest)
        while (frame := await socket.receive_json_from(PATIENCE_SECONDS))["type"] == "progress":
            pass
        assert frame["data"]["id"] == latest.pk

    talk(writer, work)


@pytest.mark.parametrize("protocol", ["arboris.v1", None])
@pytest.mark.parametrize("frame", ["字" * 22_000, b"x" * 65_537], ids=["text", "bytes"])
def test_a_frame_that_is_too_long_is_1009(
    writer: User, first: object, relay: Recorder, frame: Any, protocol: str | None
) -> None:
    async def work(socket: WebsocketCommunicator) -> None:
        if isinstance(frame, str):
            await socket.send_to(text_data=frame)
        else:
            await socket.send_to(bytes_data=frame)
        assert await close_code(socket) == 1009

    talk(writer, work, protocol=protocol)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    ("frame", "english"),
    [
        ("[]", "A JSON object with a type is expected."),
        ('{"type": "5%"}', "Unknown frame: '5%'"),
    ],
)
def test_errors_in_the_sockets_language(
    writer: User,
    first: object,
    relay: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    frame: str,
    english: str,
) -> None:
    monkeypatch.setattr(consumers, "language_of", lambda scope: language)
    # As if there were no catalogue but the name of its language.
    monkeypatch.setattr(
        "django.utils.translation._trans.gettext",
        lambda text: f"{translation.get_language()}: {text}",
    )

    async def work(socket: WebsocketCommunicator) -> None:
        await socket.receive_json_from(PATIENCE_SECONDS)
        await socket.send_to(text_data=frame)
        detail = (await socket.receive_json_from(PATIENCE_SECONDS))["data"]["detail"]
        assert detail == f"{language}: {english}"

    talk(writer, work)


def test_the_push_metric_leaves_out_replays(
    writer: User, project: NovelProject, first: object, relay: Recorder
) -> None:
    def measured() -> float:
        (family,) = PUSH_SECONDS.collect()
        return next(one.value for one in family.samples if one.name.endswith("_count"))

    async def work(socket: WebsocketCommunicator) -> None:
        before = measured()
        while (await socket.receive_json_from(PATIENCE_SECONDS))["type"] != "state":
            pass
        assert measured() == before
        await database_sync_to_async(add_row)(project, 10_001)
        row = await database_sync_to_async(queries.told().get)(pk=10_001)
        relay.subscribers[0].deliver(row)
        assert (await socket.receive_json_from(PATIENCE_SECONDS))["type"] == "notification"
        await socket.send_json_to({"type": "ping"})
        await socket.receive_json_from(PATIENCE_SECONDS)
        assert measured() == before + 1

    talk(writer, work, "?since=0")


def test_a_failed_socket_leaves_nothing(
    writer: User, first: object, relay: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no such code")

    async def run() -> None:
        socket = WebsocketCommunicator(NotificationConsumer.as_asgi(), "/ws/notifications")
        scope: Any = socket.scope
        scope["user"] = writer
        await socket.connect(PATIENCE_SECONDS)
        assert relay.subscribers
        monkeypatch.setattr(NotificationConsumer, "close", broken)
        await socket.send_to(bytes_data=b"x" * 65_537)
        with pytest.raises(RuntimeError):
            await socket.wait(PATIENCE_SECONDS)

    async_to_sync(run)()
    assert consumers._open == {}
    assert relay.subscribers == []
