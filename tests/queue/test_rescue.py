"""Workers die: expired leases are rescued, lost wake-ups are issued again, nothing loops."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django_q.models import OrmQ
from pytest_django import Settings

from analysis import queue
from analysis.djangoq import wakeups
from analysis.models import AnalysisAttempt, PendingAnalysis, QueueControl, WorkerHeartbeat
from analysis.queue import budget
from arboris.db import db_now
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.factories import claim_next, expire_lease, queue_chapter
from tests.queue.threads import side_by_side


def allow_sweep() -> None:
    QueueControl.objects.update(swept_at=None)


def test_an_expired_lease_is_rescued_at_once(project: NovelProject) -> None:
    task = queue_chapter(project)
    claim_next("host:7")
    assert queue.rescue() == 0
    expire_lease(task.pk)
    assert queue.rescue() == 1
    task.refresh_from_db()
    assert (task.status, task.retry_count, task.lease_token) == ("pending", 1, "")
    assert task.due_at <= db_now()
    attempt = AnalysisAttempt.objects.get()
    assert (attempt.outcome, attempt.error_type) == ("lost", "worker_lost")
    assert claim_next().attempt == 2


def test_a_renewed_lease_is_left_alone(project: NovelProject) -> None:
    task = queue_chapter(project)
    claim = claim_next()
    expire_lease(task.pk)
    assert queue.renew(claim)
    assert queue.rescue() == 0


def test_a_task_that_kills_its_workers_ends_as_worker_lost(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_RETRIES = 2
    task = queue_chapter(project)
    for _ in range(3):
        claim_next()
        expire_lease(task.pk)
        assert queue.rescue() == 1
    task.refresh_from_db()
    assert (task.status, task.error_type) == ("failed", "worker_lost")
    assert (task.attempt_count, task.retry_count, task.active_chapter) == (3, 2, None)
    assert queue.claim("host:1") is None
    assert AnalysisNotification.objects.get().notification_type == "failed"


def test_a_sweep_happens_once_per_interval(project: NovelProject) -> None:
    allow_sweep()
    assert queue.sweep()
    assert not queue.sweep()
    QueueControl.objects.update(swept_at=db_now() - timedelta(hours=1))
    assert queue.sweep()


def test_a_sweep_issues_the_wakeups_that_are_missing(
    project: NovelProject, settings: Settings
) -> None:
    for _ in range(5):
        queue_chapter(project)
    OrmQ.objects.all().delete()
    allow_sweep()
    queue.sweep()
    assert wakeups.waiting() == settings.ARBORIS_MAX_CONCURRENT
    allow_sweep()
    queue.sweep()
    assert wakeups.waiting() == settings.ARBORIS_MAX_CONCURRENT


def test_a_sweep_issues_none_for_what_is_not_due(project: NovelProject) -> None:
    queue_chapter(project)
    PendingAnalysis.objects.update(due_at=db_now() + timedelta(hours=1))
    OrmQ.objects.all().delete()
    allow_sweep()
    queue.sweep()
    assert wakeups.waiting() == 0


def test_a_sweep_forgets_the_heartbeats_of_the_dead(db: None) -> None:
    now = db_now()
    for worker, age in (("dead:1", 3600), ("alive:1", 1)):
        seen = now - timedelta(seconds=age)
        WorkerHeartbeat.objects.create(worker=worker, started_at=seen, seen_at=seen)
    allow_sweep()
    queue.sweep()
    assert [beat.worker for beat in WorkerHeartbeat.objects.all()] == ["alive:1"]


def test_a_step_of_the_sweep_that_fails_does_not_stop_the_others(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen = db_now() - timedelta(hours=1)
    WorkerHeartbeat.objects.create(worker="dead:1", started_at=seen, seen_at=seen)

    def release() -> int:
        raise ValueError("a budget that is none")

    monkeypatch.setattr(budget, "release", release)
    allow_sweep()
    assert queue.sweep()
    assert not WorkerHeartbeat.objects.exists()
    assert "budgets failed" in caplog.text
    assert "a budget that is none" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_rescues_at_the_same_moment_count_once(project: NovelProject) -> None:
    tasks = [queue_chapter(project).pk for _ in range(6)]
    for pk in tasks:
        claim_next()
        expire_lease(pk)
    assert sum(side_by_side(*[queue.rescue] * 4)) == len(tasks)
    assert set(PendingAnalysis.objects.values_list("retry_count", flat=True)) == {1}
    assert AnalysisAttempt.objects.filter(outcome="lost").count() == len(tasks)


def test_a_wakeup_outside_a_transaction_is_refused() -> None:
    # Needs no database: it is refused before it gets there.
    class Connection:
        in_atomic_block = False

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wakeups, "connection", Connection())
        with pytest.raises(RuntimeError, match="transaction"):
            wakeups.issue()


def test_a_task_given_back_keeps_its_place_and_its_retries(project: NovelProject) -> None:
    first = queue_chapter(project)
    queue_chapter(project)
    claim = claim_next()
    assert queue.give_back(claim)
    first.refresh_from_db()
    assert (first.status, first.retry_count, first.started_at) == ("pending", 0, None)
    assert claim_next().task_id == first.pk
