"""How long a failed task waits: exponential, with full jitter, never shorter than it was asked
to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django_q.models import OrmQ
from pytest_django import Settings

from analysis import queue
from analysis.djangoq import wakeups
from analysis.djangoq.broker import WakingORM
from analysis.errors import ERRORS, WorkerLost
from analysis.models import PendingAnalysis
from analysis.queue.retry import MAX_BACKOFF_SECONDS, decide
from arboris.db import db_now, in_transaction
from arboris.errors import ServiceError
from arboris.novels.models import NovelProject
from tests.analyzers import passing, permanent
from tests.factories import claim_next, queue_chapter

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DRAWS = 400


def drawn(retries: int, wished: float | None = None) -> list[float]:
    """The pauses that many decisions set, in seconds, shortest first."""
    pauses = []
    for _ in range(DRAWS):
        decision = decide(passing(retry_after=wished), retries, retries + 1, NOW)
        assert (decision.action, decision.retries) == ("again", retries + 1)
        assert decision.at is not None
        pauses.append((decision.at - NOW).total_seconds())
    return sorted(pauses)


def test_full_jitter_covers_all_of_a_span_that_doubles_up_to_an_hour(settings: Settings) -> None:
    settings.ARBORIS_RETRY_BASE_SECONDS = 10
    for retries in (0, 1, 2, 5, 20, 900):
        ceiling = min(10 * 2.0 ** min(retries, 60), MAX_BACKOFF_SECONDS)
        pauses = drawn(retries)
        assert pauses[0] >= 0
        assert pauses[-1] <= ceiling
        # A chance of 0.95 ** 400 each, one in 800 million, of being wrong.
        assert pauses[0] < 0.05 * ceiling
        assert pauses[-1] > 0.95 * ceiling
        assert max(b - a for a, b in pairwise(pauses)) < 0.1 * ceiling
    settings.ARBORIS_RETRY_BASE_SECONDS = 0
    assert drawn(5) == [0] * DRAWS


@pytest.mark.parametrize("wished", [0.5, 30.0, 3600.0, 1e9])
@pytest.mark.parametrize("retries", [0, 5])
def test_never_earlier_than_the_endpoint_wishes_up_to_an_hour(wished: float, retries: int) -> None:
    kept = min(wished, MAX_BACKOFF_SECONDS)
    pauses = drawn(retries, wished)
    assert pauses[0] >= kept
    assert pauses[-1] <= kept * 1.1
    assert len(set(pauses)) > 1  # tasks that were sent away together do not come back together


def test_a_retry_is_not_claimed_before_the_wished_time(project: NovelProject) -> None:
    task = queue_chapter(project)
    before = db_now()
    queue.fail(claim_next(), passing(retry_after=300))
    task.refresh_from_db()
    assert task.due_at >= before + timedelta(seconds=300)
    assert queue.claim("host:1") is None


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_every_error_does_what_it_says(project: NovelProject, error: type[ServiceError]) -> None:
    task = queue_chapter(project)
    status = queue.fail(claim_next(), error("so"))
    task.refresh_from_db()
    assert status == task.status == ("pending" if error.retryable else "failed")
    assert task.retry_count == (error.retryable and not (error.refuses_us or error.parks))
    assert task.error_type == error.code


def test_what_cannot_be_mended_by_waiting_fails_at_once(project: NovelProject) -> None:
    queue_chapter(project)
    OrmQ.objects.all().delete()
    assert queue.fail(claim_next(), permanent()) == "failed"
    assert not OrmQ.objects.exists()


def test_the_last_retry_fails(project: NovelProject, settings: Settings) -> None:
    settings.ARBORIS_RETRY_BASE_SECONDS = settings.ARBORIS_MAX_RETRIES = 0
    queue_chapter(project)
    assert queue.fail(claim_next(), passing(retry_after=5)) == "failed"


def test_a_retrys_wake_up_is_not_handed_out_before_it_is_due(project: NovelProject) -> None:
    task = queue_chapter(project)
    claim = claim_next()
    OrmQ.objects.all().delete()
    queue.fail(claim, passing(retry_after=100))
    task.refresh_from_db()
    row = OrmQ.objects.get()
    assert row.lock == task.due_at
    broker = WakingORM()
    assert broker._take() == []
    assert wakeups.waiting() == 0
    OrmQ.objects.update(lock=db_now() - timedelta(seconds=1))
    assert [pk for pk, _ in broker._take()] == [row.pk]


def test_a_retry_that_is_due_at_once_wakes_a_worker_at_once(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_RETRY_BASE_SECONDS = 0
    queue_chapter(project)
    claim = claim_next()
    OrmQ.objects.all().delete()
    queue.fail(claim, passing())
    assert wakeups.waiting() == 1


def test_a_wake_up_for_later_is_handed_out_once(db: None) -> None:
    in_transaction(lambda: wakeups.issue_for(db_now() - timedelta(seconds=1)))
    broker = WakingORM()
    assert len(broker._take()) == 1
    assert broker._take() == []


def test_who_lost_its_worker_need_not_wait(project: NovelProject) -> None:
    task = queue_chapter(project)
    claim_next()
    PendingAnalysis.objects.update(lease_expires_at=db_now() - timedelta(seconds=1))
    queue.rescue()
    task.refresh_from_db()
    assert (task.error_type, task.retry_count) == (WorkerLost.code, 1)
    assert claim_next().task_id == task.pk
