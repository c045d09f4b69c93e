"""Clients that send slowly on purpose are cut, and there are descriptors enough for the others.

Twisted's own limit is for silence: one byte a minute keeps a connection for ever.
"""

from __future__ import annotations

import resource
from typing import Any

from daphne import http_protocol
from twisted.protocols import basic
from twisted.web import http

IDLE_SECONDS = 60  # between two requests
# For all headers of a request, and for each piece of its body, of BODY_BYTES.
HEAD_SECONDS = 20
BODY_SECONDS = 20
BODY_BYTES = 16 * 1024
DESCRIPTORS = 65_536


_receive_lines: Any = basic.LineReceiver.dataReceived
_HTTPChannel: Any = http.HTTPChannel  # Twisted's own is without types


class PatientChannel(_HTTPChannel):  # type: ignore[misc]
    """One connection; its timer runs from the first byte of a request, and is not set back by
    more of its headers."""

    _head_begun = False
    _piece = 0

    def dataReceived(self, data: bytes) -> None:
        if self.line_mode and not self._head_begun:
            self._head_begun = True
            self.setTimeout(HEAD_SECONDS)
        elif not self.line_mode and not self._handlingRequest:
            self._piece += len(data)
            if self._piece >= BODY_BYTES:
                self._piece = 0
                self.resetTimeout()
        _receive_lines(self, data)

    def allHeadersReceived(self) -> None:
        super().allHeadersReceived()
        self._piece = 0
        self.setTimeout(BODY_SECONDS)

    def allContentReceived(self) -> None:
        self._head_begun = False
        self.setTimeout(IDLE_SECONDS)  # for after the answer; none meanwhile
        super().allContentReceived()


def cut_slow_clients() -> None:
    """Make every Daphne of this process do so."""

    def protocol(factory: Any) -> Any:
        return http._GenericHTTPChannelProtocol(PatientChannel())

    http_protocol.HTTPFactory.protocol = protocol


def raise_descriptors() -> int:
    """As many as the system allows, up to DESCRIPTORS; returns how many there are.

    ``process_open_fds`` and ``process_max_fds`` of /metrics tell how many are left.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
