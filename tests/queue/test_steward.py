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
from analysis.worker.steward import Steward
from tests.waiting import wait_for

SETTLE_SECONDS = 0.3


class Database:
    """Stands in for it: away or not; ``swept`` are the times of the sweeps that went through."""

    def __init__(self) -> None:
        self.away = False
        self.refused = 0
        self.swept: list[float] = []

    def ask(self) -> None:
        if self.away:
            self.refused += 1
            raise InterfaceError("connection already closed")

    def sweep(self) -> bool:
        self.ask()
        self.swept.append(time.monotonic())
        return True


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    database = Database()
    monkeypatch.setattr(queue, "sweep", database.sweep)
    monkeypatch.setattr(watching, "db_now", lambda: None)
    monkeypatch.setattr(Steward, "_beat", lambda *_: database.ask())
    monkeypatch.setattr(watching, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(watching, "SETTLE_SECONDS", SETTLE_SECONDS)
    return database


@pytest.fixture
def steward(settings: Settings, database: Database) -> Iterator[Steward]:
    settings.ARBORIS_POLL_INTERVAL = 0.05
    steward = Steward()
    steward.start()
    wait_for(lambda: database.swept, "it sweeps")
    yield steward
    steward.stop()


@pytest.mark.usefixtures("steward")
def test_an_outage_is_said_once_and_holders_of_leases_come_first(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, watching.__name__)
    database.away = True
    wait_for(lambda: database.refused >= 5, "it tries again and again")
    database.swept.clear()
    over = time.monotonic()
    database.away = False
    wait_for(lambda: database.swept, "it sweeps again")
    assert database.swept[0] - over >= SETTLE_SECONDS
    assert [record.getMessage() for record in caplog.records] == [
        "steward: tries again until it works",
        "steward: works again",
    ]
