"""The socket ``/ws/notifications``: what a writer's analyses have to say, as it happens.

Without a subprotocol every frame is one notification object. ``arboris.v1`` wraps frames as
``{"v": 1, "type": …, "data": {…}}`` and adds progress and state.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import translation

from notifications import farewell, inbox
from notifications.handshake import language_of, origin_allowed
from notifications.models import AnalysisNotification
from notifications.relay import Progress, relay
from notifications.serializers import as_dict

log = logging.getLogger(__name__)

PROTOCOL = "arboris.v1"
BROKEN = 1011
NOT_SIGNED_IN, BAD_ORIGIN, STALLED, TOO_MANY = 4401, 4403, 4408, 4429
SOCKETS_PER_WRITER = 20
WAITING_FRAMES = 1_000
STATE_SECONDS = 30.0
REPLAY_BATCH = 500
ID_DIGITS = 19

_open: dict[int, int] = {}


class NotificationConsumer(AsyncWebsocketConsumer):
    user_id = 0
    last_id = 0
    counted = False

    async def connect(self) -> None:
        self.enveloped = PROTOCOL in self.scope["subprotocols"]
        user = self.scope["user"]
        if user is not None and user.is_authenticated:
            # Read before the client sees the socket open: whatever commits from then on is live.
            state = await database_sync_to_async(inbox.state)(user.pk)
            self.last_id = state["max_id"]
        # Accepted before it is refused: a browser cannot see the code of a refused handshake.
        await self.accept(PROTOCOL if self.enveloped else None)
        if not origin_allowed(self.scope):
            await self.close(BAD_ORIGIN)
        elif user is None or not user.is_authenticated:
            await self.close(NOT_SIGNED_IN)
        elif _open.get(user.pk, 0) >= SOCKETS_PER_WRITER:
            await self.close(TOO_MANY)
        else:
            await self._begin(user.pk)

    async def _begin(self, user_id: int) -> None:
        self.user_id = user_id
        self.language = language_of(self.scope)
        self.loop = asyncio.get_running_loop()
        self.queue: asyncio.Queue[AnalysisNotification | Progress] = asyncio.Queue(WAITING_FRAMES)
        _open[user_id] = _open.get(user_id, 0) + 1
        self.counted = True
        # Registered first, read second: what commits in between arrives by both ways, and the
        # id tells them apart.
        relay.subscribe(self)
        farewell.install(relay.subscribers)
        self.sender = asyncio.create_task(self._send_all())

    async def disconnect(self, code: int) -> None:
        if not self.counted:
            return
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

    def _hand_over(self, item: AnalysisNotification | Progress) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closing, and with it the socket
            self.loop.call_soon_threadsafe(self._put, item)

    def _put(self, item: AnalysisNotification | Progress) -> None:
        if self.queue.full():
            # Nothing is lost: the client comes back with the last id that it has.
            self.sender.cancel()
            self.closing = asyncio.create_task(self.close(STALLED))
        else:
            self.queue.put_nowait(item)

    # --- sending --------------------------------------------------------------------------

    async def _send_all(self) -> None:
        try:
            await self._replay()
            await self._send_live()
        except Exception:
            # An open socket that says nothing any more would be worse: the client comes back.
            log.exception("socket of user %s", self.user_id)
            await self.close(BROKEN)

    async def _send_live(self) -> None:
        state_at = self.loop.time() + STATE_SECONDS
        while True:
            try:
                item = await asyncio.wait_for(self.queue.get(), state_at - self.loop.time())
            except TimeoutError:
                await self._catch_up()
                state_at = self.loop.time() + STATE_SECONDS
                continue
            if isinstance(item, Progress):
                body = dataclasses.asdict(item)
                del body["user_id"]
                await self._frame("progress", body)
            else:
                await self._notify(item)

    async def _replay(self) -> None:
        """Everything after ``?since=``, or the place from which live begins."""
        since = parse_qs(self.scope["query_string"].decode("latin-1")).get("since", [""])[0]
        if since.isdecimal() and len(since) <= ID_DIGITS and int(since) <= self.last_id:
            self.last_id = int(since)
        elif since:
            # An id that was never given out (another database, a wrong number): start afresh.
            await self._frame("reset", {"max_id": self.last_id})
        await self._catch_up()

    async def _catch_up(self) -> None:
        """Send whatever is newer than the last frame, then say where we are."""
        after = database_sync_to_async(inbox.after)
        while rows := await after(self.user_id, self.last_id, REPLAY_BATCH):
            for row in rows:
                await self._notify(row)
        await self._frame("state", await database_sync_to_async(inbox.state)(self.user_id))

    async def _notify(self, row: AnalysisNotification) -> None:
        # Notifications of one writer become visible in the order of their ids (see outbox), so
        # a lower id was sent before.
        if row.pk <= self.last_id:
            return
        self.last_id = row.pk
        with translation.override(self.language):
            body = as_dict(row)
        await self._frame("notification", body)

    async def _frame(self, kind: str, body: dict[str, Any]) -> None:
        if self.enveloped:
            await self._send_json({"v": 1, "type": kind, "data": body})
        elif kind == "notification":
            await self._send_json(body)

    async def _send_json(self, body: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(body, ensure_ascii=False))

    # --- receiving ------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.enveloped or not self.counted:
            return
        try:
            frame = json.loads(text_data or "")
            kind, number = frame["type"], frame.get("id")
        except (ValueError, TypeError, KeyError, AttributeError):
            await self._frame("error", {"code": "invalid", "detail": "a JSON object with a type"})
            return
        if kind == "ping":
            await self._frame("pong", {})
        elif kind == "read" and type(number) is int:  # True is one as well
            await database_sync_to_async(inbox.mark_read)(self.user_id, number)
            await self._frame("state", await database_sync_to_async(inbox.state)(self.user_id))
        elif kind != "ack" or type(number) is not int:
            await self._frame("error", {"code": "invalid", "detail": f"unknown frame {kind!r:.50}"})
