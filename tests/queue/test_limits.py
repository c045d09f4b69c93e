"""How many of one novel, and against one endpoint, may run at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from pytest_django import Settings

from analysis import queue
from analysis.models import AnalysisAttempt, QueuePause
from analysis.queue import Endpoint
from arboris.db import in_transaction
from arboris.novels.models import NovelProject
from arboris.sql import quoted_table
from tests.analyzers import permanent
from tests.factories import claim_next, expire_lease, finish_and_claim, make_project
from tests.queue.bulk import queue_many
from tests.queue.threads import side_by_side
from tests.waiting import wait_for

NORTH, SOUTH = Endpoint("north"), Endpoint("south")


@pytest.fixture
def second(writer: User) -> NovelProject:
    return make_project(writer, "续集")


def test_without_limits_any_number_runs(project: NovelProject) -> None:
    queue_many(project, 8)
    assert len([claim_next() for _ in range(8)]) == 8


def test_a_novel_at_its_maximum_waits_and_does_not_hold_up_the_next(
    project: NovelProject, second: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_PER_PROJECT = 2
    queue_many(project, 5, [10])
    behind = queue_many(second, 1, [1])[0]
    claims = [claim_next() for _ in range(3)]
    assert [claim.project_id for claim in claims[:2]] == [project.pk] * 2
    assert claims[2].task_id == behind.pk
    assert queue.claim("host:1") is None


@pytest.mark.parametrize("end", ["finish", "fail", "cancel", "give_back", "rescue"])
def test_whatever_ends_makes_room_for_one(
    project: NovelProject, settings: Settings, end: str
) -> None:
    settings.ARBORIS_MAX_PER_PROJECT = 1
    queue_many(project, 3)
    claim = claim_next()
    assert queue.claim("host:2") is None
    if end == "finish":
        queue.finish(claim, {}, {})
    elif end == "fail":
        queue.fail(claim, permanent())
    elif end == "cancel":
        queue.cancel(claim.task_id)
    elif end == "give_back":
        queue.give_back(claim)
    else:
        expire_lease(claim.task_id)
        assert queue.rescue() == 1
    assert claim_next().project_id == project.pk
    assert queue.claim("host:2") is None


def test_a_worker_may_go_on_with_the_novel_that_it_ends_a_task_of(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_PER_PROJECT = settings.ARBORIS_MAX_PER_ENDPOINT = 1
    queue_many(project, 2)
    following = finish_and_claim(claim_next())
    assert following is not None
    assert following.project_id == project.pk
    assert queue.running() == 1


def test_an_endpoint_at_its_maximum_waits_and_others_do_not(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_PER_ENDPOINT = 2
    queue_many(project, 6)
    assert all(queue.claim("host:1", NORTH) for _ in range(2))
    assert queue.claim("host:1", NORTH) is None
    assert all(queue.claim("host:2", SOUTH) for _ in range(2))
    assert queue.claim("host:2", SOUTH) is None
    assert queue.running() == 4


def test_both_limits_hold_together(
    project: NovelProject, second: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_PER_PROJECT, settings.ARBORIS_MAX_PER_ENDPOINT = 2, 3
    queue_many(project, 5, [10])
    queue_many(second, 5)
    claims = [queue.claim("host:1", NORTH) for _ in range(4)]
    taken = [claim.project_id for claim in claims if claim is not None]
    assert taken == [project.pk, project.pk, second.pk]
    following = queue.claim("host:2", SOUTH)
    assert following is not None
    assert following.project_id == second.pk
    assert queue.claim("host:2", SOUTH) is None  # both novels are at their maximum


def test_a_limit_that_is_changed_holds_from_the_next_claim_on(
    project: NovelProject, settings: Settings
) -> None:
    queue_many(project, 6)
    for _ in range(3):
        claim_next()
    settings.ARBORIS_MAX_PER_PROJECT = 2
    assert queue.claim("host:1") is None
    settings.ARBORIS_MAX_PER_PROJECT = 4
    claim_next()
    assert queue.claim("host:1") is None


@pytest.mark.databases
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", ["ARBORIS_MAX_PER_PROJECT", "ARBORIS_MAX_CONCURRENT_TOTAL"])
def test_claims_at_the_same_moment_stay_within_the_limit(
    project: NovelProject, settings: Settings, limit: str
) -> None:
    setattr(settings, limit, 3)
    queue_many(project, 10)
    claims = side_by_side(*[lambda: queue.claim("host:1")] * 8)
    assert sum(claim is not None for claim in claims) == 3


# Of each database: how a table is kept from readers and given back, and how many wait for it.
KEEP = {"mysql": "LOCK TABLES {} WRITE", "postgresql": "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE"}
GIVE_BACK = {"mysql": "UNLOCK TABLES", "postgresql": "SELECT 1"}
WAITING = {
    "mysql": "SELECT COUNT(*) FROM information_schema.processlist"
    " WHERE state = 'Waiting for table metadata lock'",
    "postgresql": "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
}


@contextmanager
def unreadable(table: str) -> Iterator[None]:
    """Another connection keeps the table from all readers, until the block ends."""
    kept, over = threading.Event(), threading.Event()

    def keep() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(KEEP[connection.vendor].format(table))
                kept.set()
                wait_for(over.is_set, "the readers are let in")
                cursor.execute(GIVE_BACK[connection.vendor])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        keeping = pool.submit(keep)
        try:
            wait_for(lambda: kept.is_set() or keeping.done(), "the table is kept")
            yield
        finally:
            over.set()
            keeping.result()


def _is_waited_for() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING[connection.vendor])
        return bool(cursor.fetchone()[0])


@pytest.mark.server_only
@pytest.mark.django_db(transaction=True)
def test_what_makes_room_has_ended_before_the_next_begins_however_slow_the_claim(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_PER_PROJECT = 1
    queue_many(project, 2)
    first = claim_next()

    def claim() -> queue.Claim:
        try:
            return claim_next()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with unreadable(quoted_table(QueuePause)):
            second = pool.submit(claim)
            wait_for(lambda: second.done() or _is_waited_for(), "the claim is on its way")
            in_transaction(lambda: queue.finish(first, {}, {}))
        claimed = second.result()
    ended = AnalysisAttempt.objects.get(task=first.task_id).ended_at
    assert ended is not None
    assert ended <= claimed.started_at
