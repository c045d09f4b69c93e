"""How large a request's body may be. One that is too large is refused with 413 before it is read.

``BodyLimit`` does so for any ASGI server. Daphne spools a body to its end before the application
hears of the request, so ``guard_daphne`` makes it ask here as soon as the headers are there.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from daphne import http_protocol
from django.conf import settings
from django.http import parse_cookie
from django.utils.translation import gettext_lazy as _

from arboris import refusals
from arboris.admission import callers
from arboris.refusals import Headers

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

# Bytes. Who has not signed in sends a form or a password, and nothing else.
ANONYMOUS = 64 * 1024
SIGN_IN = {"/login", "/admin/login/", "/api/auth/token", "/api/auth/session"}
TOO_LARGE = _("The request is larger than %(limit)d bytes.")
TOO_MANY_BYTES = _("You are sending too much at a time. Wait for the answers, then try again.")
IMPORT = re.compile(r"/api/projects/[^/]+/import")
FORM = 1024 * 1024  # what a form adds to the file in it
# Seconds for which a refused body is thrown away as it comes. A connection that is closed while its
# client still sends is reset, and the client may never see the answer.
LINGER = 30


def limit_for(path: str, headers: Headers) -> int:
    """The bytes that the body may have. Credentials are looked for here, not looked into."""
    values = [(name.lower(), value) for name, value in headers]
    cookies = [value.decode("latin-1") for name, value in values if name == b"cookie"]
    known = any(name == b"authorization" for name, _value in values) or any(
        settings.SESSION_COOKIE_NAME in parse_cookie(cookie) for cookie in cookies
    )
    if path in SIGN_IN or not known:
        return ANONYMOUS
    if IMPORT.fullmatch(path):
        largest = max(settings.ARBORIS_MAX_IMPORT_BYTES, settings.ARBORIS_MAX_ARCHIVE_BYTES)
        return max(largest + FORM, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def refusal(path: str, limit: int, headers: Headers) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of the 413, in the caller's language; it is logged."""
    log.warning("413 for a body over %d bytes at %.200r", limit, path)
    head, body = refusals.refusal(headers, "too_large", TOO_LARGE, {"limit": limit})
    return [*head, (b"Connection", b"close")], body


class Held:
    """Bytes of bodies whose requests have not ended: of one caller those that were announced, of
    all together those that came. Whoever announces much and sends nothing takes nobody's room.

    One body is always let in: the limits of single bodies are for that.
    """

    def __init__(self) -> None:
        self._by_caller: Counter[str] = Counter()
        self._came = 0

    def announce(self, caller: str, number: int) -> bool:
        """False where that is more than one caller may send at a time, or than there is room for
        now."""
        mine = self._by_caller[caller]
        if mine and mine + number > settings.ARBORIS_BODY_BYTES_PER_WRITER:
            return False
        if not self._has_room(number, self._came):
            return False
        self._by_caller[caller] += number
        return True

    def come(self, number: int, before: int) -> bool:
        """A piece of a body of which ``before`` bytes came earlier; False: all send too much."""
        if not self._has_room(number, self._came - before):
            return False
        self._came += number
        return True

    def remove(self, caller: str, announced: int, came: int) -> None:
        self._came -= came
        self._by_caller[caller] -= announced
        if self._by_caller[caller] <= 0:
            del self._by_caller[caller]

    def _has_room(self, number: int, others: int) -> bool:
        return not others or self._came + number <= settings.ARBORIS_BODY_BYTES_IN_ALL


held = Held()


class BodyLimit:
    """ASGI middleware: refuses by Content-Length, and a body of unknown length once it is too
    long."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        path, headers = scope["path"], scope["headers"]
        room = limit = limit_for(path, headers)

        async def refuse() -> None:
            head, body = refusal(path, limit, headers)
            await send({"type": "http.response.start", "status": 413, "headers": head})
            await send({"type": "http.response.body", "body": body})

        async def counted() -> Message:
            nonlocal room
            message = await receive()
            if message["type"] == "http.request":
                room -= len(message.get("body", b""))
                if room < 0:
                    await refuse()
                    return {"type": "http.disconnect"}  # on which Django ends without an answer
            return message

        if declared(headers) > limit:
            await refuse()
        else:
            await self._application(scope, counted, send)


def declared(headers: Headers) -> int:
    """The length that the headers tell of; 0 where they tell of none."""
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


class BoundedRequest(http_protocol.WebRequest):  # type: ignore[misc]
    """Asked by Twisted's channel: once the headers are there, and with each piece of the
    body."""

    refused = False
    room = ANONYMOUS
    _end: Any = None
    _announced = _came = 0  # bytes of this body in ``held``
    _caller: str | None = None

    def gotLength(self, length: int | None) -> None:
        # Twisted sets the request's own path only when the whole body is there.
        uri = getattr(self.channel, "_path", b"").decode("latin-1")
        self.target = unquote(uri.partition("?")[0])
        self.room = self.limit = limit_for(self.target, self._headers())
        too_long = (length or 0) > self.limit
        # 0: no file is opened for it, nor for what is small.
        super().gotLength(0 if too_long or self.limit <= ANONYMOUS else length)
        if too_long:
            self._refuse()
        elif length and not self._announce(length):
            self._refuse_for_now()

    def handleContentChunk(self, data: bytes) -> None:
        self.room -= len(data)
        if self.refused:
            return
        if self.room < 0:
            self._refuse()
            return
        unknown = self.limit - self.room > self._announced  # it has no length
        if (unknown and not self._announce(len(data))) or not held.come(len(data), self._came):
            self._refuse_for_now()
            return
        self._came += len(data)
        super().handleContentChunk(data)

    def process(self) -> Any:
        if self.refused:
            self.channel.loseConnection()  # all of it has come, nothing is left to throw away
            return None
        processed = super().process()
        if self.transport is None:  # daphne has made a socket of it: nobody tells us of its end
            self._let_go()
        return processed

    def _announce(self, number: int) -> bool:
        """Count so many bytes as the caller's, until the request has ended; False: too many."""
        if self._caller is None:
            client = [str(getattr(self.channel.transport.getPeer(), "host", "")), 0]
            headers = [(name.lower(), value) for name, value in self._headers()]
            self._caller = callers.of({"headers": headers, "client": client})
        if not held.announce(self._caller, number):
            return False
        self._announced += number
        return True

    def _let_go(self) -> None:
        if self._caller is not None:
            held.remove(self._caller, self._announced, self._came)
            self._announced, self._came, self._caller = 0, 0, None

    def finish(self) -> None:
        self._let_go()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        self._let_go()
        if self._end is not None and self._end.active():
            self._end.cancel()
        super().connectionLost(reason)

    def _refuse(self) -> None:
        head, body = refusal(self.target, self.limit, self._headers())
        self._answer(b"413", b"Content Too Large", head, body)

    def _refuse_for_now(self) -> None:
        log.warning("429 for a body at %.200r: %s sends too much", self.target, self._caller)
        head, body = refusals.refusal(self._headers(), "too_many_requests", TOO_MANY_BYTES)
        head += [(b"Retry-After", b"5"), (b"Connection", b"close")]
        self._answer(b"429", b"Too Many Requests", head, body)

    def _answer(self, status: bytes, phrase: bytes, head: Any, body: bytes) -> None:
        self.refused = True
        self._let_go()
        self.requestHeaders.removeHeader(b"Expect")  # or "100 Continue" would be sent as well
        self.channel.writeHeaders(b"HTTP/1.1", status, phrase, head)
        self.channel.write(body)
        self.content.seek(0)
        self.content.truncate()
        self._end = self.channel.callLater(LINGER, self.channel.forceAbortClient)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        rows = self.requestHeaders.getAllRawHeaders()
        return [(name, value) for name, values in rows for value in values]

    __hash__ = http_protocol.WebRequest.__hash__


def guard_daphne() -> None:
    """Make every Daphne of this process refuse a body while its client is still sending it."""
    # HTTPFactory takes the class by this name for each connection, and offers no other place.
    http_protocol.WebRequest = BoundedRequest
