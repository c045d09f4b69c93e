"""Whether the readiness sees a cluster that does not move, and what the metrics tell of workers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django_q.models import OrmQ
from pytest_django import Settings

from analysis import health, queue
from analysis.djangoq import wakeups
from analysis.models import PendingAnalysis, WorkerHeartbeat
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.factories import claim_next, queue_chapter

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=2)


@pytest.fixture(autouse=True)
def worker() -> WorkerHeartbeat:
    return beat("host:1")


def beat(name: str, ago: float = 0) -> WorkerHeartbeat:
    seen = db_now() - timedelta(seconds=ago)
    return WorkerHeartbeat.objects.create(worker=name, started_at=seen, seen_at=seen)


def due_long_ago(project: NovelProject) -> PendingAnalysis:
    task = queue_chapter(project)
    PendingAnalysis.objects.filter(pk=task.pk).update(due_at=db_now() - LONG_AGO)
    return task


def seconds_of(reason: str) -> int:
    found = re.search(r"nothing was claimed for (\d+) s", reason)
    assert found is not None, reason
    return int(found[1])


def test_a_free_worker_that_claims_nothing_is_a_reason(
    client: Client, project: NovelProject
) -> None:
    due_long_ago(project)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    (reason,) = answer.json()["reasons"]
    assert reason.startswith("queue: a worker is free, but nothing was claimed for ")
    assert seconds_of(reason) >= LONG_AGO.seconds


def test_a_queue_that_stopped_moving_after_some_claims(project: NovelProject) -> None:
    for _ in range(3):
        due_long_ago(project)
    beat("host:2")
    claim_next()
    assert health.report()["reasons"] == []
    minute_ago = db_now() - timedelta(seconds=60)
    PendingAnalysis.objects.filter(status="processing").update(started_at=minute_ago)
    (reason,) = health.report()["reasons"]
    assert seconds_of(reason) >= 60


def test_what_is_no_reason(project: NovelProject, settings: Settings) -> None:
    waiting = due_long_ago(project)
    settings.ARBORIS_POLL_INTERVAL = 60  # a sweep has not had the time
    assert health.report()["reasons"] == []
    settings.ARBORIS_POLL_INTERVAL = 10
    queue.pause("moving")
    assert health.report()["reasons"] == []
    queue.resume()
    PendingAnalysis.objects.filter(pk=waiting.pk).update(due_at=db_now() + LONG_AGO)
    assert health.report()["reasons"] == []


def test_workers_that_are_all_busy_are_no_reason(project: NovelProject) -> None:
    due_long_ago(project)
    due_long_ago(project)
    claim_next()
    PendingAnalysis.objects.filter(status="processing").update(started_at=db_now() - LONG_AGO)
    assert health.report()["reasons"] == []


def test_a_long_queue_costs_no_more_queries(
    project: NovelProject, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for _ in range(5):
        due_long_ago(project)
    with django_assert_max_num_queries(18):  # type: ignore[attr-defined]
        health.report()


def test_only_wakeups_that_wait_are_counted(project: NovelProject) -> None:
    queue_chapter(project)
    queue_chapter(project)
    taken = OrmQ.objects.first()
    assert taken is not None
    OrmQ.objects.filter(pk=taken.pk).update(lock=db_now() + LONG_AGO)
    assert health.report()["broker"] == {"wakeups": 1} == {"wakeups": wakeups.waiting()}


def test_workers_that_are_gone_are_not_reported(client: Client) -> None:
    beat("host:2", ago=5)
    beat("host:3", ago=300)
    lines = client.get("/metrics").content.decode().splitlines()
    shown = [line for line in lines if line.startswith("arboris_worker_heartbeat_age_seconds{")]
    assert {line.split('"')[1] for line in shown} == {"host:1", "host:2"}
