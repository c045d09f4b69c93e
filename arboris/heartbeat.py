"""Tells whoever started this process that it goes on.

systemd, where a unit has WatchdogSec= (``NOTIFY_SOCKET``), and a probe that looks at the age of
``ARBORIS_HEARTBEAT_FILE``. Without them nothing is told.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from pathlib import Path

from django.conf import settings

from arboris.outage import Outage

log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0

_told = 0.0
_outage = Outage(log)


def beat() -> None:
    """Call it again and again from what must not stand; it tells at most every five seconds.

    Where it cannot (systemd begins anew, say) that is logged, and tried again the next time: who
    calls has better to do than to end of it.
    """
    global _told
    now = time.monotonic()
    if now - _told < EVERY_SECONDS:
        return
    _told = now
    try:
        if settings.ARBORIS_HEARTBEAT_FILE:
            Path(settings.ARBORIS_HEARTBEAT_FILE).touch()
        if address := os.environ.get("NOTIFY_SOCKET"):
            _tell_systemd(address)
    except OSError as error:
        _outage.failed("heartbeat: nobody can be told that this process goes on: %s", error)
    else:
        _outage.worked("heartbeat: it can be told again that this process goes on")


def beat_in_the_event_loop() -> None:
    """Have daphne's event loop beat from its start on, where somebody listens."""
    if os.environ.get("NOTIFY_SOCKET") or settings.ARBORIS_HEARTBEAT_FILE:
        from twisted.internet.task import LoopingCall

        LoopingCall(beat).start(EVERY_SECONDS / 2)


def _tell_systemd(address: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.setblocking(False)  # a full queue of systemd's holds up nobody
        # A leading @ stands for the abstract namespace.
        told.connect("\0" + address[1:] if address.startswith("@") else address)
        told.sendall(b"WATCHDOG=1")
