"""Close every socket with 4012 ("come back") before the server handles SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Protocol

RESTARTING = 4012
# A client that does not answer the close frame must not delay the stop for longer than this.
PATIENCE_SECONDS = 1.0

Handler = Callable[[int, FrameType | None], object]


class Socket(Protocol):
    async def close(self, code: int) -> None: ...


_installed = False


def install(open_sockets: Callable[[], Sequence[Socket]]) -> None:
    """Wrap the server's handlers of SIGTERM and SIGINT, once per process.

    The caller runs in the event loop: the server has set its handlers by then.
    """
    global _installed
    if _installed or threading.current_thread() is not threading.main_thread():
        return
    _installed = True
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        server = signal.getsignal(number)
        if callable(server):
            signal.signal(number, _closing_first(server, loop, open_sockets))


def _closing_first(
    server: Handler, loop: asyncio.AbstractEventLoop, open_sockets: Callable[[], Sequence[Socket]]
) -> Handler:
    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(number, server)  # a second signal reaches the server at once
        loop.call_soon_threadsafe(
            lambda: asyncio.ensure_future(_close_all(open_sockets, lambda: server(number, frame)))
        )

    return handle


async def _close_all(
    open_sockets: Callable[[], Sequence[Socket]], stop: Callable[[], object]
) -> None:
    ends = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    closing = [socket.close(RESTARTING) for socket in open_sockets()]
    await asyncio.gather(*closing, return_exceptions=True)
    # A socket leaves the list when its client has answered the close frame.
    while open_sockets() and asyncio.get_running_loop().time() < ends:
        await asyncio.sleep(0.02)
    stop()
