"""The broker of the wake-ups where its table cannot be reached or written to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, ProgrammingError, connection
from django_q.models import OrmQ
from pytest_django import Settings

from analysis.djangoq import broker as module
from analysis.djangoq.broker import WakingORM
from arboris.novels.models import NovelProject
from tests.factories import queue_chapter
from tests.failures import disk_full, read_only

# As in a cluster's processes, which have no transaction open around it.
pytestmark = pytest.mark.django_db(transaction=True)


def failing(error: Exception) -> Callable[..., Any]:
    def execute(*_: object) -> Any:
        raise error

    return execute


@pytest.fixture
def broker(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WakingORM:
    settings.ARBORIS_WAKE_DIR, settings.REDIS_URL = tmp_path, ""
    monkeypatch.setattr("arboris.outage.FIRST_PAUSE", 0.01)
    return WakingORM()


@pytest.mark.parametrize(
    "error", [InterfaceError("connection already closed"), read_only(), disk_full()], ids=repr
)
def test_an_outage_ends_neither_pusher_nor_monitor_and_is_said_once(
    broker: WakingORM, project: NovelProject, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    queue_chapter(project)
    wakeup = OrmQ.objects.get()
    caplog.set_level(logging.WARNING, module.__name__)
    with connection.execute_wrapper(failing(error)):
        assert [broker.dequeue() for _ in range(3)] == [[], [], []]
    assert broker.dequeue() == [(wakeup.pk, wakeup.payload)]
    begun, over = (
        record.getMessage() for record in caplog.records if record.name == module.__name__
    )
    assert begun.startswith("no wake-ups") and str(error) in begun
    assert str(error) not in over
    with connection.execute_wrapper(failing(error)):
        broker.acknowledge(wakeup.pk)
        broker.fail(wakeup.pk)
    assert OrmQ.objects.count() == 1
    broker.acknowledge(wakeup.pk)
    assert not OrmQ.objects.exists()


def test_any_other_error_is_raised(broker: WakingORM) -> None:
    with connection.execute_wrapper(failing(ProgrammingError("no such table"))):
        with pytest.raises(ProgrammingError):
            broker.dequeue()
        with pytest.raises(ProgrammingError):
            broker.acknowledge(1)
