"""ARBORIS_FAIRNESS=writer: the writers in turn, however much one of them has queued."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from analysis import queue
from analysis.models import PendingAnalysis
from analysis.queue import Claim
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.analyzers import passing
from tests.factories import claim_next, finish_and_claim, make_project, make_user, queue_chapter
from tests.queue.bulk import queue_many

MANY, HUGE = 200, 5_000


@pytest.fixture(autouse=True)
def by_writer(settings: Settings) -> None:
    settings.ARBORIS_FAIRNESS = "writer"


@pytest.fixture
def busy(writer: User, project: NovelProject) -> NovelProject:
    """The novel of a writer with many chapters that wait."""
    queue_many(project, MANY)
    return project


@pytest.fixture
def huge(busy: NovelProject) -> NovelProject:
    queue_many(busy, HUGE - MANY)
    return busy


@pytest.fixture
def other(stranger: User) -> NovelProject:
    return make_project(stranger)


def claim_and_finish(count: int) -> list[int]:
    """The writers whose tasks one worker claims, one after the other."""
    writers = []
    for _ in range(count):
        claim = claim_next()
        writers.append(claim.user_id)
        queue.finish(claim, {}, {})
    return writers


def work_side_by_side(workers: int, claims: int) -> list[Claim]:
    """That many claims by workers that each end their task when they claim the next."""
    held = [claim_next(f"host:{number}") for number in range(workers)]
    made = list(held)
    while len(made) < claims:
        number = len(made) % workers
        following = finish_and_claim(held[number], f"host:{number}")
        assert following is not None
        held[number] = following
        made.append(following)
    return made


@pytest.mark.parametrize("workers", [1, 3])
def test_a_single_chapter_is_claimed_next(
    huge: NovelProject, other: NovelProject, workers: int
) -> None:
    held = work_side_by_side(workers, 40)
    task = queue_chapter(other)
    following = finish_and_claim(held[-1])
    assert following is not None
    assert following.task_id == task.pk
    assert claim_next().user_id == huge.owner_id


@pytest.mark.parametrize("workers", [1, 3])
def test_writers_take_turns(busy: NovelProject, other: NovelProject, workers: int) -> None:
    work_side_by_side(workers, 10)
    queue_many(other, 20)
    made = work_side_by_side(workers, 30)
    theirs = [number for number, claim in enumerate(made) if claim.user_id == other.owner_id]
    assert len(theirs) in {14, 15, 16}
    assert all(made[n].user_id != made[n + 1].user_id for n in range(1, 29))


def test_in_ones_own_line_the_oldest_comes_first(busy: NovelProject) -> None:
    oldest = PendingAnalysis.objects.order_by("created_at", "pk").values_list("pk", flat=True)[:5]
    assert [claim_next().task_id for _ in range(5)] == list(oldest)


def test_priorities_still_come_first(busy: NovelProject, other: NovelProject) -> None:
    queue_chapter(other, priority=5)
    urgent = queue_many(busy, 3, [9])
    assert [claim_next().task_id for _ in range(3)] == [task.pk for task in urgent]
    assert other.owner_id in {claim_next().user_id for _ in range(2)}


def test_an_urgent_batch_leaves_no_debt_behind(busy: NovelProject, other: NovelProject) -> None:
    """What was served at one priority is not counted at another."""
    queue_many(busy, 30, [9])
    assert claim_and_finish(33) == [busy.owner_id] * 33
    task = queue_chapter(other)
    assert task.pk in {claim_next().task_id for _ in range(2)}


def test_who_queues_one_at_a_time_does_not_push_aside_who_waits(
    busy: NovelProject, other: NovelProject
) -> None:
    claim_and_finish(3)
    writers = []
    queue_chapter(other)
    for _ in range(10):
        claim = claim_next()
        writers.append(claim.user_id)
        if claim.user_id == other.owner_id:
            queue_chapter(other)  # while the one before is being worked on
        queue.finish(claim, {}, {})
    assert writers.count(other.owner_id) in {5, 6}


def test_a_reordered_task_goes_behind_the_others_of_its_writer(
    busy: NovelProject, other: NovelProject
) -> None:
    queue_many(other, 2)
    claim_and_finish(2)
    moved = PendingAnalysis.objects.filter(status="pending", user=busy.owner_id).latest("pk")
    queue_many(busy, 2, [7])
    queue.set_priority(moved.pk, 7)
    urgent = queue_chapter(other, priority=7)
    claims = [claim_next() for _ in range(4)]
    assert urgent.pk in {claim.task_id for claim in claims[:2]}
    assert claims[-1].task_id == moved.pk


def test_setting_the_priority_that_it_has_costs_no_place(busy: NovelProject) -> None:
    first = PendingAnalysis.objects.earliest("pk")
    queue.set_priority(first.pk, first.priority)
    assert claim_next().task_id == first.pk


def test_retries_by_hand_do_not_go_before_others(busy: NovelProject, other: NovelProject) -> None:
    claim = claim_next()
    queue.cancel(claim.task_id)
    waiting = queue_chapter(other)
    # Its chapter is the one of all the others here, which have given way.
    PendingAnalysis.objects.filter(active_chapter=claim.chapter_id).delete()
    queue.retry(claim.task_id)
    assert claim_next().task_id == waiting.pk


def test_failing_tasks_do_not_go_before_others(
    busy: NovelProject, other: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_RETRY_BASE_SECONDS = 0
    queue_many(other, 10)
    writers = []
    for _ in range(12):
        claim = claim_next()
        writers.append(claim.user_id)
        if claim.user_id == busy.owner_id:
            queue.fail(claim, passing())
        else:
            queue.finish(claim, {}, {})
    PendingAnalysis.objects.filter(status="pending").update(due_at=db_now())
    assert writers.count(other.owner_id) == 6


def test_what_is_given_back_keeps_its_turn(busy: NovelProject, other: NovelProject) -> None:
    queue_many(other, 5)
    claim = claim_next()
    queue.give_back(claim)
    assert claim_next().task_id == claim.task_id


def test_a_cancelled_task_costs_its_writer_no_turn(busy: NovelProject, other: NovelProject) -> None:
    first, second = queue_many(other, 2)
    queue.cancel(first.pk)
    assert second.pk in {claim_next().task_id for _ in range(3)}


def test_a_change_of_the_setting_holds_for_what_waits(
    busy: NovelProject, other: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_FAIRNESS = "age"
    theirs = queue_many(other, 2)
    assert claim_and_finish(5) == [busy.owner_id] * 5  # older, all of them
    settings.ARBORIS_FAIRNESS = "writer"
    assert claim_next().task_id == theirs[0].pk
    late = queue_chapter(make_project(make_user()))
    assert late.pk in {claim_next().task_id for _ in range(3)}
    settings.ARBORIS_FAIRNESS = "age"
    assert claim_next().user_id == busy.owner_id


def test_by_default_priority_then_age_then_id(
    busy: NovelProject, other: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_FAIRNESS = "age"
    queue_many(other, 10, [5, 6])
    order = PendingAnalysis.objects.order_by("-priority", "created_at", "id")
    expected = list(order.values_list("pk", flat=True)[:12])
    assert [claim_next().task_id for _ in range(12)] == expected
