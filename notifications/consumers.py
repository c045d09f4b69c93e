"""The socket ``/ws/notifications`` sends a writer's notifications as they are committed.

Without a subprotocol every frame is one notification object. ``arboris.v1`` wraps frames as
``{"v": 1, "type": …, "data": {…}}`` and adds progress and state.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from prometheus_client import Histogram

from arboris.admission import callers
from arboris.db import is_away
from arboris.web_threads import Overloaded
from notifications import queries, shutdown
from notifications.handshake import (
    Credential,
    Opening,
    language_of,
    of_this_page,
    opening,
    origin_allowed,
    standing,
)
from notifications.models import AnalysisNotification
from notifications.ports import Bible, Progress
from notifications.relay import relay

log = logging.getLogger(__name__)

PROTOCOL = "arboris.v1"
TOO_BIG, BROKEN = 1009, 1011
NOT_SIGNED_IN, BAD_ORIGIN, NOT_FOUND, STALLED, TOO_MANY = 4401, 4403, 4404, 4408, 4429
WAITING_FRAMES = 1_000
# Beyond this, progress frames are dropped, so that they never displace a notification.
WAITING_PROGRESS = 100
LONGEST_FRAME = 64 * 1024
STATE_SECONDS = 30.0
# The relay looks once a second who is still signed in. Only where it is held up, a socket that was
# not looked at for so long asks by itself before it sends.
SIGNED_IN_SECONDS = 3.0
# Shorter than daphne's own limit, which drops a silent client without a close code.
STALLED_SECONDS = 20.0
REPLAY_BATCH = 100
ID_DIGITS = 19

PUSH_SECONDS = Histogram(
    "arboris_push_seconds",
    "From a notification's creation to its hand-over to an open socket; replays are left out.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)

_open: dict[int, int] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Live:
    """How many of the writer's analyses run or are due, by novel."""

    numbers: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Bibles:
    """These of the writer's bibles have changed, by novel."""

    changed: Mapping[str, Bible]


@dataclasses.dataclass(frozen=True, slots=True)
class Reads:
    """Notifications were marked as read."""


Item = AnalysisNotification | Progress | Live | Bibles | Reads


class Ended(Exception):
    """The socket has to be closed with ``code``."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def _rendered(row: AnalysisNotification, language: str) -> dict[str, Any]:
    """``as_dict``, once for all sockets that the relay has handed this row to."""
    texts: dict[str, dict[str, Any]] = row.__dict__.setdefault("_texts", {})
    if language not in texts:
        with translation.override(language):
            texts[language] = row.as_dict()
    return texts[language]


class NoSuchSocket(AsyncWebsocketConsumer):
    """Every other path: accepted, then closed with 4404, so that a browser sees the code."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(NOT_FOUND)


class NotificationConsumer(AsyncWebsocketConsumer):
    user_id = 0
    credential = Credential(0)
    checked_at = 0.0
    last_id = 0
    reads = 0
    live: Mapping[str, int] = {}  # replaced, never changed
    bibles: Mapping[str, Bible] = {}  # likewise
    counted = False

    async def connect(self) -> None:
        self.enveloped = PROTOCOL in self.scope["subprotocols"]
        try:
            # Before the socket opens: whatever commits after the client sees it open is live.
            found = await database_sync_to_async(opening)(self.scope)
        except Overloaded:
            await self.accept(PROTOCOL if self.enveloped else None)
            await self.close(BROKEN)
            return
        # Accept first, refuse second: a browser cannot see the code of a refused handshake.
        await self.accept(PROTOCOL if self.enveloped else None)
        if not origin_allowed(self.scope):
            await self.close(BAD_ORIGIN)
        elif found is None or not of_this_page(self.scope, found.user):
            await self.close(NOT_SIGNED_IN)
        elif _open.get(found.user.pk, 0) >= settings.ARBORIS_SOCKETS_PER_WRITER:
            await self.close(TOO_MANY)
        else:
            callers.learn(dict(self.scope["headers"]), found.user)
            await self._begin(found)

    async def _begin(self, found: Opening) -> None:
        self.user_id = user_id = found.user.pk
        self.credential, self.reads, self.bibles = found.credential, found.reads, found.bibles
        self.last_id = found.last_id
        self.language = language_of(self.scope)
        self.loop = asyncio.get_running_loop()
        self.checked_at = self.loop.time()
        self.queue: asyncio.Queue[Item] = asyncio.Queue(WAITING_FRAMES)
        _open[user_id] = _open.get(user_id, 0) + 1
        self.counted = True
        # Subscribe first, read second: a row that commits in between arrives both ways, and its
        # id shows that it was sent.
        relay.subscribe(self)
        shutdown.install(relay.subscribers)
        self.sender = asyncio.create_task(self._send_all())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:  # channels does not call disconnect() after an error
            await self._leave()

    async def _leave(self) -> None:
        if not self.counted:
            return
        self.counted = False
        relay.unsubscribe(self)
        _open[self.user_id] -= 1
        if not _open[self.user_id]:
            del _open[self.user_id]
        self.sender.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.sender

    # --- the relay's thread ---------------------------------------------------------------

    def deliver(self, row: AnalysisNotification) -> None:
        self._hand_over(row)

    def deliver_progress(self, progress: Progress) -> None:
        if self.enveloped:
            self._hand_over(progress)

    def deliver_reads(self) -> None:
        if self.enveloped:
            self._hand_over(Reads())

    def deliver_live(self, numbers: Mapping[str, int]) -> None:
        if self.enveloped:
            self._hand_over(Live(numbers))

    def deliver_bibles(self, changed: Mapping[str, Bible]) -> None:
        if self.enveloped:
            self._hand_over(Bibles(changed))

    def deliver_signed_out(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._end, NOT_SIGNED_IN)

    def _hand_over(self, item: Item) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closing, and the socket with it
            self.loop.call_soon_threadsafe(self._put, item)

    def _put(self, item: Item) -> None:
        if self.sender.done() or self.sender.cancelling():
            return  # the socket is closing
        if isinstance(item, Progress) and self.queue.qsize() >= WAITING_PROGRESS:
            return
        if self.queue.full():
            # Nothing is lost: the client reconnects with the last id that it has.
            self._end(STALLED)
        else:
            self.queue.put_nowait(item)

    def _end(self, code: int) -> None:
        if not self.sender.done() and not self.sender.cancelling():
            self.sender.cancel()
            self.closing = asyncio.create_task(self.close(code))

    # --- sending --------------------------------------------------------------------------

    async def _send_all(self) -> None:
        await self._or_close(self._replay_and_go_on())

    async def _or_close(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Ended as end:
            await self.close(end.code)
        except Exception:
            # A closed socket is better than a silent one: the client reconnects.
            log.exception("socket of user %s", self.user_id)
            await self.close(BROKEN)

    async def _check_signed_in(self) -> None:
        if self.loop.time() - self.checked_at >= SIGNED_IN_SECONDS:
            if not await database_sync_to_async(standing)([self.credential]):
                raise Ended(NOT_SIGNED_IN)
            self.checked_at = self.loop.time()

    async def _replay_and_go_on(self) -> None:
        await self._replay()
        await self._send_live()

    async def _send_live(self) -> None:
        state_at = self.loop.time() + STATE_SECONDS
        while True:
            try:
                # Not wait_for: up to Python 3.11 it loses a cancellation that comes with an item,
                # and a closed socket's sender would live for ever.
                async with asyncio.timeout_at(state_at):
                    item = await self.queue.get()
            except TimeoutError:
                try:
                    await self._catch_up(live=True)
                except (Error, Overloaded) as error:
                    if isinstance(error, Error) and not is_away(error):
                        raise
                    # Keep the sockets of all clients open; the next state catches up.
                    log.warning("socket of user %s: no state: %r", self.user_id, error)
                state_at = self.loop.time() + STATE_SECONDS
                continue
            await self._check_signed_in()
            await self._send_item(item)

    async def _send_item(self, item: Item) -> None:
        if isinstance(item, AnalysisNotification):
            await self._notify(item, live=True)
        elif isinstance(item, Progress):
            body = dataclasses.asdict(item)
            del body["user_id"]
            await self._frame("progress", body)
        elif isinstance(item, Live):
            live = sum(item.numbers.values())
            await self._frame("queue", {"live": live, "projects": dict(item.numbers)})
        elif isinstance(item, Bibles):
            for project_id, bible in item.changed.items():
                await self._frame("bible", {"project_id": project_id, **dataclasses.asdict(bible)})
        else:
            unread = await database_sync_to_async(queries.unread_ids)(self.user_id)
            await self._frame("read", {"unread_ids": unread})
            await self._frame("state", await database_sync_to_async(queries.state)(self.user_id))

    async def _replay(self) -> None:
        """Send everything after ``?since=``; without it, only say where live frames begin."""
        since = parse_qs(self.scope["query_string"].decode("latin-1")).get("since", [""])[0]
        if since.isdecimal() and len(since) <= ID_DIGITS and int(since) <= self.last_id:
            self.last_id = int(since)
        elif since:
            # This database never gave out that id: the client has to start afresh.
            await self._frame("reset", {"max_id": self.last_id})
        await self._catch_up(live=False)

    async def _catch_up(self, *, live: bool) -> None:
        """Send every notification newer than the last one sent, then the state."""
        await self._check_signed_in()
        news, state = database_sync_to_async(queries.news), None
        while state is None:
            rows, state = await news(self.user_id, self.last_id, REPLAY_BATCH)
            for row in rows:
                await self._check_signed_in()  # a slow client may take minutes
                await self._notify(row, live=live)
        await self._frame("state", state)

    async def _notify(self, row: AnalysisNotification, *, live: bool) -> None:
        # One writer's notifications become visible in the order of their ids (see outbox), so a
        # lower id has been sent.
        if row.pk <= self.last_id:
            return
        self.last_id = row.pk
        body = _rendered(row, self.language)
        # Of a muted novel a page is told what has changed, and a plain client nothing.
        silent = row.project.muted or (row.is_quiet and self.enveloped)
        await self._frame("changed" if silent else "notification", body)
        if live:
            # The database's clock wrote it: another host's may be a little ahead.
            age = (datetime.now(UTC) - row.created_at).total_seconds()
            PUSH_SECONDS.observe(max(0.0, age))

    async def _frame(self, kind: str, body: dict[str, Any]) -> None:
        if self.enveloped:
            await self._send_json({"v": 1, "type": kind, "data": body})
        elif kind == "notification":
            await self._send_json(body)

    async def _send_json(self, body: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(STALLED_SECONDS):  # see backpressure
                await self.send(text_data=json.dumps(body, ensure_ascii=False))
        except TimeoutError:
            # Nothing is lost: the client reconnects with the last id that it has.
            raise Ended(STALLED) from None

    # --- receiving ------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await asyncio.sleep(0)  # many that came at once do not hold up everybody else
        if len(text_data.encode() if text_data else bytes_data or b"") > LONGEST_FRAME:
            await self.close(TOO_BIG)
        elif self.enveloped and self.counted and not self.sender.done():
            await self._or_close(self._answer(text_data or ""))

    async def _answer(self, text: str) -> None:
        await self._check_signed_in()
        try:
            frame = json.loads(text)
            kind, number = frame["type"], frame.get("id")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            await self._refuse(_("A JSON object with a type is expected."))
            return
        if kind == "ping":
            await self._frame("pong", {})
        elif kind == "read" and type(number) is int:  # isinstance would accept True
            await database_sync_to_async(queries.mark_read)(self.user_id, number)
            await self._frame("state", await database_sync_to_async(queries.state)(self.user_id))
        elif kind != "ack" or type(number) is not int:
            await self._refuse(_("Unknown frame: %(type)s"), type=f"{kind!r:.50}")

    async def _refuse(self, detail: Promise, **values: str) -> None:
        with translation.override(self.language):
            body = {"code": "invalid", "detail": str(detail) % values}
        await self._frame("error", body)
