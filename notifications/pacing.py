"""A client that reads slowly is sent to slowly: what it has not read stays in the database.

An ASGI server may make ``send`` wait by itself. daphne's returns at once and keeps everything in
memory; its connection says when it has enough of that, and here we listen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

# Close codes of the protocol itself, which daphne takes for a mistake of the application.
PROTOCOL_CODES = range(1001, 1016)

Send = Callable[[Any], Awaitable[None]]


class PacingMiddleware:
    """Makes ``send`` wait while more than 64 KiB are on their way to the client."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Send) -> Any:
        connection = _connection(send)
        return await self.app(scope, receive, _paced(send, connection) if connection else send)


def _connection(send: Send) -> Any:
    """daphne's protocol of this socket, which it has bound to ``send``; None on other servers."""
    bound = next(iter(getattr(send, "args", ())), None)
    return bound if hasattr(bound, "registerProducer") else None


def _paced(send: Send, connection: Any) -> Send:
    gate = _Gate(connection)
    # A frame above the server's own limit then ends in a close code, not in a cut connection.
    connection.failByDrop = False
    # In place of the HTTP channel, which belongs to the handshake: it would stop reading from
    # the client at the first full buffer, and never start again.
    connection.unregisterProducer()
    connection.registerProducer(gate, True)

    async def paced(message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await gate.open.wait()
        if message["type"] == "websocket.close" and message.get("code", 0) in PROTOCOL_CODES:
            connection.sendCloseFrame(code=message["code"])
        else:
            await send(message)

    return paced


class _Gate:
    """Twisted's push producer: told when the connection's buffer is full, and when it is empty."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.open = asyncio.Event()
        self.open.set()

    def pauseProducing(self) -> None:
        self.open.clear()

    def resumeProducing(self) -> None:
        self.open.set()
        if self._connection.transport.disconnecting:
            # A connection with a producer is not closed before that one has gone.
            self._connection.unregisterProducer()

    def stopProducing(self) -> None:
        self.open.set()  # the connection is lost: whoever waits may go
