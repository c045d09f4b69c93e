"""How large a request's body may be. One that is too large is refused with 413 before it is read.

``BodyLimit`` does so for any ASGI server. Daphne spools a body to its end before the application
hears of the request, so ``guard_daphne`` makes it ask here as soon as the headers are there.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from daphne import http_protocol
from django.conf import settings
from django.http import parse_cookie
from django.utils.translation import gettext_lazy as _

from arboris import refusals
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

    def gotLength(self, length: int | None) -> None:
        # Twisted sets the request's own path only when the whole body is there.
        uri = getattr(self.channel, "_path", b"").decode("latin-1")
        self.target = unquote(uri.partition("?")[0])
        self.room = self.limit = limit_for(self.target, self._headers())
        too_long = (length or 0) > self.limit
        super().gotLength(0 if too_long else length)  # 0: no file is opened for it
        if too_long:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self.room -= len(data)
        if self.refused:
            return
        if self.room < 0:
            self._refuse()
            return
        super().handleContentChunk(data)

    def process(self) -> Any:
        if not self.refused:
            return super().process()
        self.channel.loseConnection()  # all of it has come, nothing is left to throw away

    def connectionLost(self, reason: Any) -> None:
        if self._end is not None and self._end.active():
            self._end.cancel()
        super().connectionLost(reason)

    def _refuse(self) -> None:
        self.refused = True
        head, body = refusal(self.target, self.limit, self._headers())
        self.requestHeaders.removeHeader(b"Expect")  # or "100 Continue" would be sent as well
        self.channel.writeHeaders(b"HTTP/1.1", b"413", b"Content Too Large", head)
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
