"""The steward in an outage: it says so once, and lets holders of leases come first afterwards."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from django.db import InterfaceError
from pytest_django import Settings

import analysis.worker.steward as watching
from analysis import queue
from analysis.worker.bulk_runner import BulkRunner
from analysis.worker.steward import Steward
from tests.waiting import wait_for


class Database:
    """Stands in for it: away or not; the times of the sweeps that went through, and of those that
    took tasks from silent workers."""

    def __init__(self) -> None:
        self.away = False
        self.refused = 0
        self.swept: list[float] = []
        self.rescued: list[float] = []

    def ask(self) -> None:
        if self.away:
            self.refused += 1
            raise InterfaceError("connection already closed")

    def sweep(self, *, rescuing: bool, watch: queue.Watch) -> bool:
        self.ask()
        self.swept.append(time.monotonic())
        self.rescued += self.swept[-1:] if rescuing else []
        return True


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    database = Database()
    monkeypatch.setattr(queue, "sweep", database.sweep)
    monkeypatch.setattr(watching, "db_now", lambda: None)
    monkeypatch.setattr(Steward, "_beat", lambda *_: database.ask())
    monkeypatch.setattr(BulkRunner, "look", lambda *_: database.ask())
    monkeypatch.setattr(watching, "TICK_SECONDS", 0.01)
    return database


@pytest.fixture
def steward(settings: Settings, database: Database) -> Iterator[Steward]:
    settings.ARBORIS_POLL_INTERVAL = 0.05
    steward = Steward()
    steward.start()
    wait_for(lambda: database.rescued, "it sweeps")
    yield steward
    steward.stop()


def outage(database: Database) -> float:
    """An outage that it has noticed; when it was over."""
    refused = database.refused
    database.away = True
    wait_for(lambda: database.refused >= refused + 5, "it tries again and again")
    database.swept.clear()
    database.rescued.clear()
    over = time.monotonic()
    database.away = False
    return over


@pytest.mark.usefixtures("steward")
def test_an_outage_is_said_once_and_holders_of_leases_come_first(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, watching.__name__)
    settings.ARBORIS_LEASE_SECONDS = 3600
    outage(database)
    wait_for(lambda: database.swept, "it sweeps again")
    assert not database.rescued
    assert [record.getMessage() for record in caplog.records] == [
        "steward: tries again until it works",
        "steward: works again",
    ]

    settings.ARBORIS_LEASE_SECONDS = 0.3
    over = outage(database)
    wait_for(lambda: database.rescued, "it takes tasks from the silent again")
    assert database.rescued[0] - over >= 0.3
