"""Back-pressure: ``send`` waits for a slow client, and what it has not read stays in the database.

Some ASGI servers make ``send`` wait by themselves. daphne's returns at once and buffers without
limit; its connection reports a full buffer to a Twisted producer, which is what we register here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

# Close codes that the protocol itself defines; daphne rejects them as an application's mistake.
PROTOCOL_CODES = range(1001, 1016)

Send = Callable[[Any], Awaitable[None]]


class BackpressureMiddleware:
    """Makes ``send`` wait while more than 64 KiB are buffered for the client."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Send) -> Any:
        connection = _connection(send)
        return await self.app(scope, receive, _waiting(send, connection) if connection else send)


def _connection(send: Send) -> Any:
    """daphne's protocol object of this socket, bound to ``send``; None on other servers."""
    bound = next(iter(getattr(send, "args", ())), None)
    return bound if hasattr(bound, "registerProducer") else None


def _waiting(send: Send, connection: Any) -> Send:
    producer = _Producer(connection)
    # A frame above the server's own limit then ends in a close code, not in a cut connection.
    connection.failByDrop = False
    # The HTTP channel is registered until now, for the handshake: at the first full buffer it
    # would stop reading from the client and never start again.
    connection.unregisterProducer()
    connection.registerProducer(producer, True)

    async def waiting_send(message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await producer.writable.wait()
        if message["type"] == "websocket.close" and message.get("code", 0) in PROTOCOL_CODES:
            connection.sendCloseFrame(code=message["code"])
        else:
            await send(message)

    return waiting_send


class _Producer:
    """Twisted's push producer: the transport calls it when its buffer is full and when empty."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.writable = asyncio.Event()
        self.writable.set()

    def pauseProducing(self) -> None:
        self.writable.clear()

    def resumeProducing(self) -> None:
        self.writable.set()
        if self._connection.transport.disconnecting:
            # Twisted closes a connection only after its producer has unregistered.
            self._connection.unregisterProducer()

    def stopProducing(self) -> None:
        self.writable.set()  # the connection is lost: nobody may wait for it any more
