"""Old tasks are deleted; the counters behind the metrics never go down."""

from __future__ import annotations

import sys
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from pytest_django import Settings

from analysis import queue
from analysis.models import (
    AnalysisAttempt,
    BulkChange,
    BulkOperation,
    PendingAnalysis,
    QueueControl,
    Status,
)
from analysis.queue import counters
from analysis.queue.prune import prune_step
from arboris.db import db_now
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.analyzers import permanent
from tests.factories import claim_next, queue_chapter

ENDED = [Status.COMPLETED, Status.FAILED, Status.CANCELLED]


@pytest.fixture
def ended(project: NovelProject) -> None:
    """A task of each state, all of them old."""
    queue_chapter(project)
    queue.finish(claim_next(), {}, {})
    queue_chapter(project)
    queue.fail(claim_next(), permanent())
    queue.cancel(queue_chapter(project).pk)
    queue_chapter(project)
    claim_next()
    queue_chapter(project)
    PendingAnalysis.objects.filter(status__in=ENDED).update(
        completed_at=db_now() - timedelta(days=30)
    )


def prune(*statuses: Status, days: int = 7, limit: int | None = None) -> int:
    older = db_now() - timedelta(days=days)
    return queue.prune(statuses or ENDED, older, progress=lambda _: None, limit=limit)


@pytest.mark.usefixtures("ended")
def test_ended_tasks_go_and_live_ones_stay() -> None:
    assert prune() == 3
    left = PendingAnalysis.objects.values_list("status", flat=True)
    assert sorted(left) == ["pending", "processing"]
    assert not AnalysisAttempt.objects.exists()


@pytest.mark.usefixtures("ended")
def test_counters_never_go_down() -> None:
    before = counters.totals()
    prune()
    assert counters.totals() == before
    assert (before["completed"], before["failed"], before["cancelled"]) == (1, 1, 1)


@pytest.mark.usefixtures("ended")
def test_notifications_outlive_their_task() -> None:
    told = AnalysisNotification.objects.count()
    prune()
    assert AnalysisNotification.objects.filter(pending_analysis=None).count() == told == 3


@pytest.mark.usefixtures("ended")
def test_young_tasks_stay() -> None:
    assert prune(days=31) == 0


@pytest.mark.usefixtures("ended")
def test_only_the_named_states_and_no_more_than_the_limit() -> None:
    assert prune(Status.FAILED) == 1
    assert prune(limit=1) == 1
    assert prune() == 1


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING])
def test_live_tasks_are_never_pruned(db: None, status: Status) -> None:
    with pytest.raises(ValueError, match="live"):
        prune(status)


def test_batches_reach_everything(project: NovelProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["analysis.queue.prune"], "BATCH", 2)
    for _ in range(5):
        queue.cancel(queue_chapter(project).pk)
    PendingAnalysis.objects.update(completed_at=db_now() - timedelta(days=30))
    steps: list[int] = []
    assert queue.prune(ENDED, db_now(), progress=steps.append) == 5
    assert steps == [2, 2, 1]


def test_the_daily_clean_up_deletes_sessions_though_another_deletion_fails(
    db: None, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    now = db_now()
    for key, left in (("over", -1), ("lasts", 1)):
        Session.objects.create(
            session_key=key, session_data="", expire_date=now + timedelta(hours=left)
        )
    settings.ARBORIS_LLM_KEEP_DAYS = 10**6  # since a time before all times
    prune_step(now)
    assert [session.pk for session in Session.objects.all()] == ["lasts"]
    assert "deleting old rows of the call log failed" in caplog.text
    assert QueueControl.objects.get().pruned_at is None  # all of it is tried again

    settings.ARBORIS_LLM_KEEP_DAYS = 30
    prune_step(now)
    assert QueueControl.objects.get().pruned_at == now


def test_the_daily_clean_up_deletes_an_old_operation_in_batches(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.ARBORIS_KEEP_DAYS = 30
    now = db_now()
    old = now - timedelta(days=31)
    done, young = (
        BulkOperation.objects.create(kind="retry", state="done", created_at=at) for at in (old, now)
    )
    for operation in (done, young):
        BulkChange.objects.bulk_create(
            BulkChange(operation=operation, task_id=number) for number in range(3)
        )
    monkeypatch.setattr(sys.modules["analysis.queue.prune"], "MOST_CHANGES", 2)
    for left in (1, 0):
        prune_step(now)
        assert done.changes.count() == left
    prune_step(now)
    assert BulkOperation.objects.get() == young
    assert young.changes.count() == 3


@pytest.mark.usefixtures("ended")
def test_the_daily_clean_up_deletes_old_notifications(settings: Settings) -> None:
    settings.ARBORIS_KEEP_NOTIFICATION_DAYS = 30
    now = db_now()
    first, second, _third = AnalysisNotification.objects.order_by("pk")
    AnalysisNotification.objects.update(created_at=now)
    old = AnalysisNotification.objects.filter(pk__in=[first.pk, second.pk])
    old.update(created_at=now - timedelta(days=31))
    prune_step(now)
    assert AnalysisNotification.objects.count() == 1
