"""What one socket may send: a flood is slowed down by not reading it, then ended with 4429.

All sockets of one writer share one budget of frames. Autobahn, which daphne uses, parses whatever
was read at once, and daphne queues it without limit: so little is read at a time here, and nothing
while the budget is spent or much waits to be answered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from daphne import ws_protocol
from django.conf import settings
from prometheus_client import Counter

from arboris.admission import callers
from arboris.rates import Budget, Budgets

log = logging.getLogger(__name__)

TOO_MANY = 4429
# Longer than daphne's 5 s: after a restart all come at once, and wait for their turn.
HANDSHAKE_SECONDS = 30
READ_BYTES = 4096
FRAME_BYTES = 1024  # a longer frame counts once more for each
WAITING_FRAMES = 1_000
LOOK_AGAIN_SECONDS = 0.05
# What comes after the close frame is thrown away, a piece each 50 ms: whoever only sends sees the
# code once they read, and a connection that was cut would hide it.
CLOSE_SECONDS = 30.0
SILENT_SECONDS = 1.0

FLOODS = Counter("arboris_flooding_sockets", "Sockets closed because of too many frames.")
frames = Budgets(lambda: settings.ARBORIS_FRAMES_PER_SECOND, burst_seconds=10)


def _later(seconds: float, call: Callable[[], object]) -> None:
    """By the loop that daphne has chosen; to import it earlier would choose another."""
    from twisted.internet import reactor

    loop: Any = reactor  # a module in Twisted's types
    loop.callLater(seconds, call)


class BoundedSocket(ws_protocol.WebSocketProtocol):  # type: ignore[misc]
    """Daphne's socket, which reads no faster than its writer's budget allows."""

    openHandshakeTimeout = HANDSHAKE_SECONDS  # autobahn's word
    _budget: Budget | None = None
    _held = False
    _flooding = False
    _heard = False

    def onOpen(self) -> None:
        super().onOpen()
        self.transport.bufferSize = READ_BYTES

    def check_timeouts(self) -> None:
        if self.state != self.STATE_CONNECTING:
            super().check_timeouts()
        elif self.duration() > HANDSHAKE_SECONDS:
            self.serverReject()

    def dataReceived(self, data: bytes) -> None:
        if not self._flooding:
            super().dataReceived(data)
            return
        self._heard = True
        self.transport.pauseProducing()
        _later(LOOK_AGAIN_SECONDS, self.transport.resumeProducing)

    def onFrameBegin(self) -> None:
        """For each frame, pings, pongs and fragments too."""
        super().onFrameBegin()
        if self._flooding or self.state != self.STATE_OPEN:
            return
        if self._budget is None:
            self._budget = frames.of(self._caller())
        wait = self._budget.spend(1 + self.current_frame.length // FRAME_BYTES)
        if wait and self._budget.exhausted:
            self._end_flood()
        elif (wait or self._waiting() > WAITING_FRAMES) and not self._held:
            self._held = True
            self.transport.pauseProducing()
            _later(LOOK_AGAIN_SECONDS, self._look_again)

    def _look_again(self) -> None:
        """Whether to read on: others of the writer's sockets spend of the same budget."""
        assert self._budget is not None
        wait = self._budget.wait()
        if self._waiting() > WAITING_FRAMES // 2:
            wait = max(wait, LOOK_AGAIN_SECONDS)
        if wait and not self._flooding:
            _later(max(wait, LOOK_AGAIN_SECONDS), self._look_again)
        else:
            self._held = False
            self.transport.resumeProducing()

    def _waiting(self) -> int:
        """Frames that nobody has answered yet."""
        return int(self.application_queue.qsize())

    def _end_flood(self) -> None:
        self._flooding = True
        FLOODS.inc()
        log.warning("socket of %s: closed with %d, too many frames", self._caller(), TOO_MANY)
        while not self.application_queue.empty():
            self.application_queue.get_nowait()
        self.transport.bufferSize = 16 * READ_BYTES
        self.closeHandshakeTimeout = CLOSE_SECONDS
        self.sendCloseFrame(code=TOO_MANY)
        _later(SILENT_SECONDS, self._drop_when_silent)

    def _drop_when_silent(self) -> None:
        if self.state == self.STATE_CLOSED:
            return
        if self._heard:
            self._heard = False
            _later(SILENT_SECONDS, self._drop_when_silent)
        else:
            self.dropConnection(abort=False)

    def _caller(self) -> str:
        return callers.of({"headers": self.clean_headers, "client": self.client_addr})


def guard_daphne_sockets() -> None:
    """Make every Daphne of this process read its sockets so."""
    ws_protocol.WebSocketFactory.protocol = BoundedSocket
