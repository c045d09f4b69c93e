"""The relay's thread: whatever fails, it goes on, and says so once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.db import InterfaceError

from arboris import wake
from arboris.novels.models import NovelProject
from notifications import relay as module
from notifications.handshake import Credential
from notifications.models import AnalysisNotification
from notifications.ports import Bible, Progress
from notifications.relay import Relay, Tailer
from tests.factories import make_chapter
from tests.notifications.test_outbox import add_row
from tests.waiting import wait_for

# The thread has a connection of its own.
pytestmark = [pytest.mark.databases, pytest.mark.django_db(transaction=True)]


class Ear:
    """A socket that only remembers."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.heard: list[int] = []
        self.reads = 0
        self.live: Mapping[str, int] = {}
        self.bibles: Mapping[str, Bible] = {}
        self.credential, self.checked_at = Credential(user_id), 0.0

    def deliver_signed_out(self) -> None:
        pass

    def deliver(self, row: AnalysisNotification) -> None:
        self.heard.append(row.pk)

    def deliver_progress(self, progress: Progress) -> None:
        pass

    def deliver_reads(self) -> None:
        pass

    def deliver_live(self, numbers: Mapping[str, int]) -> None:
        pass

    def deliver_bibles(self, changed: Mapping[str, Bible]) -> None:
        pass

    async def close(self, code: int) -> None:
        pass


@pytest.fixture
def subscribe(project: NovelProject) -> Iterator[Callable[[], Ear]]:
    """Begins to listen when the test says so: what fails has to be in place before."""
    make_chapter(project)
    relay, ear = Relay(), Ear(project.owner_id)

    def begin() -> Ear:
        relay.subscribe(ear)
        return ear

    yield begin
    relay.unsubscribe(ear)
    wait_for(lambda: relay._thread is None, "the relay's thread ends")


def failing_at_first(times: int, work: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    left = [times]

    def call(*arguments: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise error
        return work(*arguments)

    return call


@pytest.mark.parametrize(
    "error",
    [InterfaceError("connection already closed"), OSError("no space"), ValueError("odd")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("where", ["listen", "read"])
def test_an_outage_is_survived_and_said_once(
    project: NovelProject,
    subscribe: Callable[[], Ear],
    where: str,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("arboris.outage.FIRST_PAUSE", 0.01)
    owner: Any = wake if where == "listen" else Tailer
    monkeypatch.setattr(owner, where, failing_at_first(4, getattr(owner, where), error))
    caplog.set_level(logging.WARNING, module.__name__)

    def said() -> list[str]:
        return [one.getMessage() for one in caplog.records if one.name == module.__name__]

    ear = subscribe()
    wait_for(lambda: "relay: works again" in said(), "the relay goes on")
    add_row(project, 10_001)
    wait_for(lambda: ear.heard == [10_001], "the notification arrives")
    assert said() == ["relay: stopped, tries again until it works", "relay: works again"]
