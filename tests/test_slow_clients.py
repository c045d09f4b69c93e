"""Slow headers and slow bodies are cut, by a clock that the tests move."""

from __future__ import annotations

import resource
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web import http

from arboris import slow_clients
from arboris.slow_clients import (
    BODY_BYTES,
    BODY_SECONDS,
    HEAD_SECONDS,
    IDLE_SECONDS,
    PatientChannel,
    raise_descriptors,
)

POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"


class Request(http.Request):
    def process(self) -> None:
        self.write(b"answered")  # type: ignore[no-untyped-call]
        self.finish()  # type: ignore[no-untyped-call]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connection(clock: Clock) -> Any:
    channel = PatientChannel()
    channel.callLater, channel.timeOut = clock.callLater, IDLE_SECONDS
    channel.requestFactory = Request
    channel.site = http.HTTPFactory()
    channel.makeConnection(StringTransport())  # type: ignore[no-untyped-call]
    return channel


def slowly(connection: Any, clock: Clock, data: bytes, every: float, times: int) -> None:
    for _ in range(times):
        if not connection.transport.disconnecting:
            connection.dataReceived(data)
            clock.advance(every)


def test_headers_that_never_end_are_cut(connection: Any, clock: Clock) -> None:
    connection.dataReceived(b"GET / HTTP/1.1\r\nX: ")
    slowly(connection, clock, b"a", 1, HEAD_SECONDS - 1)
    assert not connection.transport.disconnecting
    slowly(connection, clock, b"a", 1, 1)
    assert connection.transport.disconnecting


def test_a_body_in_drops_is_cut_and_a_slow_line_is_not(connection: Any, clock: Clock) -> None:
    connection.dataReceived(POST)
    slowly(connection, clock, b"a" * BODY_BYTES, BODY_SECONDS - 1, 3)
    assert not connection.transport.disconnecting
    slowly(connection, clock, b"a", 1, BODY_SECONDS)
    assert connection.transport.disconnecting


def test_an_answered_connection_may_rest(connection: Any, clock: Clock) -> None:
    for _ in range(2):
        connection.dataReceived(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"answered" in connection.transport.value()
        connection.transport.clear()
        clock.advance(IDLE_SECONDS - 1)
        assert not connection.transport.disconnecting
    clock.advance(1)
    assert connection.transport.disconnecting


def test_descriptors_are_raised_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [256, 4_096]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.__setitem__(0, new[0]))
    assert raise_descriptors() == 4_096
    limits[:] = [256, resource.RLIM_INFINITY]
    assert raise_descriptors() == slow_clients.DESCRIPTORS
    limits[:] = [100_000, 100_000]
    assert raise_descriptors() == 100_000
