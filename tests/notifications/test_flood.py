"""A socket that floods is slowed down and closed; everybody else is answered meanwhile."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django import Settings
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from arboris import rates, socket_limits
from arboris.rates import Budget, Budgets
from arboris.socket_limits import TOO_MANY, WAITING_FRAMES, BoundedSocket
from tests.api.test_body_limits import resident
from tests.live import Site
from tests.waiting import PATIENCE_SECONDS

V1 = [Subprotocol("arboris.v1")]
PING = json.dumps({"type": "ping"})
MAY_GROW = 32 * 1024 * 1024


def test_others_are_answered_while_one_floods_until_it_is_closed(site: Site) -> None:
    before = resident(site)
    code: list[int | None] = []

    def flood() -> None:
        with site.socket(subprotocols=V1, max_queue=None) as socket:
            try:
                while True:
                    socket.send(PING)
            except ConnectionClosed:
                code.append(socket.close_code)

    with site.socket(user="stranger", subprotocols=V1) as other, site.client("stranger") as client:
        flooding = threading.Thread(target=flood)
        flooding.start()
        answered = 0
        while flooding.is_alive():
            other.send(PING)
            while json.loads(other.recv(timeout=PATIENCE_SECONDS))["type"] != "pong":
                pass
            assert client.get("/api/async-analysis/notifications").status_code == 200
            answered += 1
            flooding.join(0.1)
    assert code == [TOO_MANY]
    assert answered > 1
    assert resident(site) - before < MAY_GROW


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_is_earned_and_waited_for() -> None:
    clock = Clock()
    budget = Budget(rate=2, burst=4, clock=clock)
    assert [budget.spend() for _ in range(5)] == [0, 0, 0, 0, 0.5]
    clock.now = rates.PATIENCE_SECONDS + 0.1
    assert (budget.wait(), budget.exhausted) == (0, False)  # it has rested
    assert budget.spend(6) == 1
    for _ in range(20):  # always a little too much
        clock.now += 0.5
        budget.spend(1)
    assert budget.exhausted
    clock.now += 3
    assert (budget.wait(), budget.exhausted) == (0, False)


def test_few_callers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "REMEMBERED", 2)
    budgets = Budgets(lambda: 1, burst_seconds=1, clock=Clock())
    for caller in ("a", "b", "a", "c"):
        budgets.of(caller).spend()
    assert budgets.of("a").wait() == 1
    assert budgets.of("b").wait() == 0  # forgotten, and so as new


class Transport:
    reads = True

    def pauseProducing(self) -> None:
        self.reads = False

    def resumeProducing(self) -> None:
        self.reads = True


class Socket(BoundedSocket):
    """One that is open, without a network; ``later`` is what it does after a while."""

    def __init__(self, later: list[Any]) -> None:
        self.state, self.transport, self.later = self.STATE_OPEN, Transport(), later
        self.clean_headers: list[Any] = []
        self.client_addr = ["192.0.2.1", 1]
        self.current_frame = SimpleNamespace(opcode=9, length=0)
        self.waiting, self.closed_with = 0, 0
        self.application_queue = SimpleNamespace(qsize=lambda: self.waiting, empty=lambda: True)

    def sendCloseFrame(self, code: int = 0, **_: Any) -> None:
        self.closed_with = code

    def receive(self, frames: int) -> None:
        for _ in range(frames):
            self.onFrameBegin()


def reads(socket: Socket) -> bool:
    return bool(socket.transport.reads)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Clock:
    settings.ARBORIS_FRAMES_PER_SECOND = 1
    clock = Clock()
    frames = Budgets(lambda: 1, burst_seconds=10, clock=clock)
    monkeypatch.setattr(socket_limits, "frames", frames)
    return clock


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []
    monkeypatch.setattr(socket_limits, "_later", lambda _, call: calls.append(call))
    return calls


def test_sockets_of_one_writer_share_a_budget(clock: Clock, later: list[Any]) -> None:
    one, two = Socket(later), Socket(later)
    one.receive(10)
    assert reads(one)
    two.receive(1)
    assert (reads(one), reads(two)) == (True, False)
    later.pop()()
    assert not reads(two)  # it is not earned yet, and looks again
    clock.now = 2
    later.pop()()
    assert reads(two)
    for _ in range(6):
        clock.now += 1
        two.receive(2)
    assert two.closed_with == TOO_MANY
    later.clear()
    two.dataReceived(b"what comes after it is thrown away")
    assert not reads(two)
    later.pop()()
    assert reads(two)


def test_what_nobody_has_answered_is_not_added_to(clock: Clock, later: list[Any]) -> None:
    socket = Socket(later)
    socket.waiting = WAITING_FRAMES + 1
    socket.receive(1)
    assert not reads(socket)
    later.pop()()
    assert not reads(socket)
    socket.waiting = 0
    later.pop()()
    assert reads(socket)
