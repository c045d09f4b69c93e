"""What counts as claimable, and since when: the site is unready by this, wake-ups are issued."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django_q.models import OrmQ
from pytest_django import Settings

from analysis import health, queue
from analysis.djangoq import wakeups
from analysis.models import (
    AnalysisAttempt,
    EndpointState,
    PendingAnalysis,
    QueueControl,
    WorkerHeartbeat,
)
from analysis.queue import due, endpoints
from arboris.db import db_now, in_transaction
from arboris.llm.errors import KeyRefused
from arboris.novels.models import NovelProject
from tests.analysis.operators import novel_of
from tests.factories import claim_next, queue_chapter

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=2)
Pause = Callable[[NovelProject], Callable[[], object]]


def due_long_ago(project: NovelProject) -> PendingAnalysis:
    task = queue_chapter(project)
    PendingAnalysis.objects.filter(pk=task.pk).update(due_at=db_now() - LONG_AGO)
    return task


@pytest.fixture(autouse=True)
def workers(db: None) -> None:
    """Two, of which one is always free."""
    now = db_now()
    for worker in ("host:1", "host:2"):
        WorkerHeartbeat.objects.create(worker=worker, started_at=now, seen_at=now)


def stands() -> bool:
    """Whether the site is unready because nothing was claimed for over half a minute."""
    return any("nothing was claimed" in reason for reason in health.report()["reasons"])


def refused() -> None:
    """The configured endpoint has refused us just now."""
    error = KeyRefused("401")
    in_transaction(lambda: endpoints.pause(queue.configured(), error, db_now()))


def whole_queue(project: NovelProject) -> Callable[[], object]:
    queue.pause("moving")
    return queue.resume


def one_novel(project: NovelProject) -> Callable[[], object]:
    scope = queue.PauseTarget(project_id=project.pk)
    queue.pause("", scope)
    return lambda: queue.resume(scope)


def one_writer(project: NovelProject) -> Callable[[], object]:
    scope = queue.PauseTarget(user_id=project.owner_id)
    queue.pause("", scope)
    return lambda: queue.resume(scope)


def the_endpoint(project: NovelProject) -> Callable[[], object]:
    refused()
    return lambda: in_transaction(lambda: endpoints.resume(queue.configured().name))


PAUSES = [whole_queue, one_novel, one_writer, the_endpoint]


def test_a_queue_stands_when_something_is_due_for_a_while(
    project: NovelProject, settings: Settings
) -> None:
    assert not stands()
    due_long_ago(project)
    assert stands()
    settings.ARBORIS_POLL_INTERVAL = 200  # three sweeps may go by
    assert not stands()


@pytest.mark.parametrize("pause", PAUSES)
def test_what_is_paused_is_no_reason_to_be_unready(project: NovelProject, pause: Pause) -> None:
    now = db_now()
    due_long_ago(project)
    PendingAnalysis.objects.update(created_at=now - timedelta(hours=5))
    assert len(health.report()["reasons"]) == 2
    resume = pause(project)
    assert queue.claim("host:1", queue.configured()) is None
    assert health.report()["reasons"] == []
    resume()
    assert not stands()  # nobody has had the time to claim it
    QueueControl.objects.update(resumed_at=now - timedelta(seconds=90))
    assert stands()
    assert queue.claim("host:1", queue.configured()) is not None


@pytest.mark.parametrize("pause", [one_novel, one_writer])
def test_others_than_the_paused_are_missed_all_the_same(
    project: NovelProject, pause: Pause
) -> None:
    pause(project)
    due_long_ago(project)
    assert not stands()
    due_long_ago(novel_of("lin"))
    assert stands()


def test_a_probe_is_missed_when_its_time_has_come_long_ago(project: NovelProject) -> None:
    due_long_ago(project)
    refused()
    EndpointState.objects.update(probe_at=db_now() - timedelta(seconds=5))
    assert not stands()
    EndpointState.objects.update(probe_at=db_now() - timedelta(seconds=70))
    assert stands()


def test_a_pause_of_other_credentials_is_none(project: NovelProject) -> None:
    due_long_ago(project)
    refused()
    EndpointState.objects.update(credentials="another")
    assert stands()


@pytest.mark.parametrize(
    "limit",
    ["ARBORIS_MAX_PER_PROJECT", "ARBORIS_MAX_PER_ENDPOINT", "ARBORIS_MAX_CONCURRENT_TOTAL"],
)
def test_a_limit_that_is_reached_holds_tasks_back(
    project: NovelProject, settings: Settings, limit: str
) -> None:
    setattr(settings, limit, 1)
    due_long_ago(project)
    due_long_ago(project)
    running = queue.claim("host:1", queue.configured())
    assert running is not None
    long_ago = db_now() - timedelta(seconds=70)
    PendingAnalysis.objects.filter(pk=running.task_id).update(started_at=long_ago)
    assert not stands()
    queue.finish(running, {}, {})
    AnalysisAttempt.objects.update(started_at=long_ago)
    assert not stands()  # the place is free since now
    AnalysisAttempt.objects.update(ended_at=long_ago)
    assert stands()


@pytest.mark.parametrize("pause", PAUSES)
def test_no_wakeups_are_issued_for_what_is_paused(project: NovelProject, pause: Pause) -> None:
    due_long_ago(project)
    OrmQ.objects.all().delete()
    resume = pause(project)
    assert queue.sweep()
    assert wakeups.waiting() == 0
    resume()
    assert wakeups.waiting() > 0


def test_wakeups_are_issued_for_each_endpoint_whoever_swept_last(
    project: NovelProject, settings: Settings
) -> None:
    """The sweeper's cluster cannot claim it; one with another endpoint can."""
    due_long_ago(project)
    OrmQ.objects.all().delete()
    refused()
    assert queue.sweep()
    assert wakeups.waiting() == 0
    settings.ARBORIS_ANALYZER = "llm"
    assert not queue.sweep()
    assert wakeups.waiting() == 1


def test_the_order_is_that_of_the_claims(project: NovelProject, settings: Settings) -> None:
    for fairness in ("age", "writer"):
        settings.ARBORIS_FAIRNESS = fairness
        for owner in (project, novel_of(f"w-{fairness}")):
            for priority in (5, 9, 5):
                queue_chapter(owner, priority=priority)
        expected = due.first(queue.configured(), 100)
        assert [claim_next().task_id for _ in expected] == expected
        assert due.first(queue.configured(), 100) == []


def test_a_claim_may_be_narrowed(project: NovelProject) -> None:
    queue_chapter(project, priority=9)
    lin = novel_of("lin")
    first, second = queue_chapter(lin), queue_chapter(lin)
    only = PendingAnalysis.objects.filter(project=lin)
    for task in (first, second):
        claim = queue.claim("host:1", only=only)
        assert claim is not None and claim.task_id == task.pk
    assert queue.claim("host:1", only=only) is None
    queue.pause("", queue.PauseTarget(project_id=project.pk))
    assert queue.claim("host:1", only=PendingAnalysis.objects.filter(project=project)) is None


def test_resuming_says_whether_it_was_paused(project: NovelProject) -> None:
    scope = queue.PauseTarget(project_id=project.pk)
    assert (queue.resume(), queue.resume(scope)) == (False, False)
    queue.pause("")
    queue.pause("", scope)
    assert (queue.resume(), queue.resume(scope)) == (True, True)
