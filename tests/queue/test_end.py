"""How attempts end: completion, back-off, failure for good, cancellation, another try."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django_q.models import OrmQ
from pytest_django import Settings

from analysis import queue
from analysis.errors import QueueConflict
from analysis.models import AnalysisAttempt, PendingAnalysis
from arboris.db import db_now
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.analyzers import passing, permanent
from tests.factories import JsonClient, claim_next, queue_chapter


def make_due() -> None:
    PendingAnalysis.objects.filter(status="pending").update(due_at=db_now())


def test_completion(project: NovelProject) -> None:
    task = queue_chapter(project)
    queue.finish(claim_next(), {"findings": 3}, {"prompt": 7})
    task.refresh_from_db()
    assert (task.status, task.result, task.token_usage) == (
        "completed",
        {"findings": 3},
        {"prompt": 7},
    )
    assert task.duration_seconds is not None
    assert task.duration_seconds >= 0
    assert (task.active_chapter, task.lease_token) == (None, "")
    assert AnalysisAttempt.objects.get().outcome == "completed"
    told = AnalysisNotification.objects.get()
    assert (told.notification_type, told.pending_analysis_id) == ("completed", task.pk)


def test_back_off_grows_and_ends_in_failure(project: NovelProject, settings: Settings) -> None:
    settings.ARBORIS_RETRY_BASE_SECONDS = 100
    settings.ARBORIS_MAX_RETRIES = 2
    task = queue_chapter(project)
    for retry in (1, 2):
        assert queue.fail(claim_next(), passing()) == "pending"
        task.refresh_from_db()
        pause = (task.due_at - db_now()).total_seconds()
        assert -5 <= pause <= 100 * 2 ** (retry - 1)
        assert (task.retry_count, task.error_type) == (retry, "analyzer_error")
        assert not AnalysisNotification.objects.exists()
        make_due()
    assert queue.fail(claim_next(), passing()) == "failed"
    task.refresh_from_db()
    assert (task.attempt_count, task.active_chapter) == (3, None)
    assert task.completed_at is not None
    assert AnalysisNotification.objects.get().notification_type == "failed"


def test_back_off_is_spread(project: NovelProject, settings: Settings) -> None:
    settings.ARBORIS_RETRY_BASE_SECONDS = 3600
    for _ in range(5):
        queue_chapter(project)
        queue.fail(claim_next(), passing())
    assert len(set(PendingAnalysis.objects.values_list("due_at", flat=True))) == 5


def test_the_endpoints_own_wish_goes_before_our_back_off(project: NovelProject) -> None:
    task = queue_chapter(project)
    queue.fail(claim_next(), passing(retry_after=500))
    task.refresh_from_db()
    assert task.due_at - db_now() > timedelta(seconds=480)


def test_a_permanent_error_fails_at_once(project: NovelProject) -> None:
    task = queue_chapter(project)
    assert queue.fail(claim_next(), permanent()) == "failed"
    task.refresh_from_db()
    assert (task.retry_count, task.error_type) == (0, "timeout")
    assert len(task.error_fingerprint) == 16


@pytest.mark.parametrize("claimed", [False, True], ids=["pending", "processing"])
def test_cancel(project: NovelProject, claimed: bool) -> None:
    task = queue_chapter(project)
    if claimed:
        claim_next()
    queue.cancel(task.pk)
    task.refresh_from_db()
    assert (task.status, task.active_chapter, task.lease_token) == ("cancelled", None, "")
    assert task.completed_at is not None
    assert [a.outcome for a in AnalysisAttempt.objects.all()] == ["cancelled"] * claimed
    assert AnalysisNotification.objects.get().notification_type == "cancelled"
    with pytest.raises(QueueConflict):
        queue.cancel(task.pk)
    assert AnalysisNotification.objects.count() == 1


def test_retry_starts_afresh_and_wakes_a_worker(project: NovelProject) -> None:
    task = queue_chapter(project)
    queue.fail(claim_next(), permanent())
    OrmQ.objects.all().delete()
    queue.retry(task.pk, priority=9)
    task.refresh_from_db()
    assert (task.status, task.priority, task.retry_count) == ("pending", 9, 0)
    assert (task.completed_at, task.duration_seconds, task.error_type) == (None, None, "")
    assert OrmQ.objects.count() == 1
    assert claim_next().attempt == 2


def test_retry_is_refused_while_the_chapter_has_a_live_task(
    project: NovelProject, api: JsonClient
) -> None:
    task = queue_chapter(project)
    queue.cancel(task.pk)
    queue.retry(task.pk)
    with pytest.raises(QueueConflict) as caught:
        queue.retry(task.pk)
    assert caught.value.code == "not_retryable"


def test_a_superseded_task_says_so_and_is_quiet(project: NovelProject, api: JsonClient) -> None:
    task = queue_chapter(project)
    api.patch(f"/api/chapters/{task.chapter_id}", {"content": "新的正文，换了说法。" * 30})
    task.refresh_from_db()
    assert (task.status, task.error_type) == ("cancelled", "superseded")
    assert not AnalysisNotification.objects.exists()
    with pytest.raises(QueueConflict) as caught:
        queue.retry(task.pk)
    assert caught.value.code == "text_changed"


def test_a_deleted_novel_takes_its_tasks_along(project: NovelProject, api: JsonClient) -> None:
    queue_chapter(project)
    claim = claim_next()
    assert api.delete(f"/api/projects/{project.pk}").status_code == 204
    assert not queue.owns(claim)
    assert queue.claim("host:1") is None
