"""Who gets which task: strictly by priority, then age; each task once; none while paused."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from pytest_django import Settings

from analysis import queue
from analysis.models import AnalysisAttempt, PendingAnalysis, QueueControl
from analysis.queue import Claim
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.factories import claim_next, queue_chapter
from tests.queue.threads import side_by_side


def in_order() -> list[int]:
    """Ids in the order in which they have to be claimed."""
    rows = PendingAnalysis.objects.order_by("-priority", "created_at", "id")
    return list(rows.values_list("pk", flat=True))


def claim_all() -> list[Claim]:
    claims = []
    while (claim := queue.claim("host:1")) is not None:
        claims.append(claim)
    return claims


def test_highest_priority_then_oldest(project: NovelProject) -> None:
    for priority in (5, 1, 10, 5, 10, 7):
        queue_chapter(project, priority=priority)
    expected = in_order()
    assert [claim.task_id for claim in claim_all()] == expected


def test_age_goes_before_id(project: NovelProject, settings: Settings) -> None:
    settings.ARBORIS_FAIRNESS = "age"
    younger, older = queue_chapter(project), queue_chapter(project)
    PendingAnalysis.objects.filter(pk=older.pk).update(created_at=db_now() - timedelta(hours=1))
    assert [claim.task_id for claim in claim_all()] == [older.pk, younger.pk]


def test_a_claim_marks_the_row(project: NovelProject) -> None:
    task = queue_chapter(project, own_key="kept")
    claim = claim_next("host:7")
    task.refresh_from_db()
    assert (task.status, task.worker, task.attempt_count) == ("processing", "host:7", 1)
    assert task.started_at == claim.started_at
    assert task.lease_token == claim.token
    assert task.lease_expires_at is not None
    assert task.lease_expires_at > db_now()
    assert claim.config == {"own_key": "kept"}
    (attempt,) = task.attempts_so_far
    assert (attempt.number, attempt.outcome, attempt.worker) == (1, "running", "host:7")
    assert not AnalysisAttempt.objects.exists()  # its row is written at its end


def test_nothing_due_is_none(project: NovelProject) -> None:
    assert queue.claim("host:1") is None
    task = queue_chapter(project)
    PendingAnalysis.objects.update(due_at=db_now() + timedelta(minutes=1))
    assert queue.claim("host:1") is None
    PendingAnalysis.objects.update(due_at=db_now())
    assert claim_next().task_id == task.pk


def test_a_backing_off_task_does_not_hold_up_the_others(project: NovelProject) -> None:
    waiting, ready = queue_chapter(project, priority=10), queue_chapter(project, priority=1)
    PendingAnalysis.objects.filter(pk=waiting.pk).update(due_at=db_now() + timedelta(hours=1))
    assert [claim.task_id for claim in claim_all()] == [ready.pk]


def test_set_priority_reorders(project: NovelProject) -> None:
    first, second = queue_chapter(project), queue_chapter(project)
    queue.set_priority(second.pk, 6)
    assert [claim.task_id for claim in claim_all()] == [second.pk, first.pk]


@pytest.mark.parametrize("priority", [0, 11])
def test_set_priority_is_bounded(project: NovelProject, priority: int) -> None:
    task = queue_chapter(project)
    with pytest.raises(ValueError, match="priority"):
        queue.set_priority(task.pk, priority)


def test_pause_stops_claims_and_resume_allows_them(project: NovelProject) -> None:
    queue_chapter(project)
    running = claim_next()
    task = queue_chapter(project)
    queue.pause("maintenance")
    assert queue.claim("host:1") is None
    assert QueueControl.objects.get().paused_reason == "maintenance"
    queue.finish(running, {}, {})  # what runs goes on to its end
    queue.resume()
    assert claim_next().task_id == task.pk


@pytest.mark.django_db(transaction=True)
def test_no_task_is_claimed_twice_and_the_order_is_strict(project: NovelProject) -> None:
    generator = random.Random(7)
    for _ in range(24):
        queue_chapter(project, priority=generator.randint(1, 10))
    expected = in_order()
    claimed = side_by_side(*[claim_all] * 4)
    together = sorted(claim.task_id for claims in claimed for claim in claims)
    assert together == sorted(expected)
    # The time of a claim is taken under the queue's lock.
    order = PendingAnalysis.objects.order_by("started_at").values_list("pk", flat=True)
    assert list(order) == expected
    assert len({claim.token for claims in claimed for claim in claims}) == len(expected)


@pytest.mark.django_db(transaction=True)
def test_claims_hold_against_cancellations_at_the_same_moment(project: NovelProject) -> None:
    tasks = [queue_chapter(project).pk for _ in range(10)]

    def cancel_all() -> list[Claim]:
        for pk in reversed(tasks):
            queue.cancel(pk)
        return []

    claims, _ = side_by_side(claim_all, cancel_all)
    assert set(PendingAnalysis.objects.values_list("status", flat=True)) == {"cancelled"}
    assert not any(queue.owns(claim) for claim in claims)
