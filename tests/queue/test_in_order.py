"""The chapters of one novel are analysed one after the other; novels side by side."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from analysis import queue
from analysis.models import PendingAnalysis, Status
from analysis.queue import Claim
from arboris.db import db_now, in_transaction
from arboris.llm.errors import OverBudget
from arboris.novels.models import NovelProject
from tests.analyzers import passing, permanent
from tests.factories import (
    claim_next,
    expire_lease,
    finish_and_claim,
    make_chapter,
    make_project,
    make_user,
    queue_chapter,
)

NUMBERS = (4, 2, 3, 1)  # in which they are queued


def queue_new(project: NovelProject, number: int, *, priority: int = 5) -> PendingAnalysis:
    chapter = make_chapter(project, number=number)
    return in_transaction(
        lambda: queue.enqueue(chapter, chapter.current, priority=priority, in_order=True)
    )


@pytest.fixture
def novel(project: NovelProject) -> NovelProject:
    for number in NUMBERS:
        queue_new(project, number)
    return project


def claims_to_the_end() -> list[int]:
    """The numbers of the chapters, each claimed once the one before has ended."""
    numbers: list[int] = []
    claim = queue.claim("host:1")
    while claim is not None:
        numbers.append(claim.chapter_number)
        claim = finish_and_claim(claim)
    return numbers


def fail(claim: Claim, wait: float = 60.0) -> None:
    queue.fail(claim, passing(retry_after=wait))


def test_the_first_chapter_first_whenever_it_was_queued(novel: NovelProject) -> None:
    assert claims_to_the_end() == [1, 2, 3, 4]


def test_one_at_a_time_beside_other_novels_and_edits(novel: NovelProject) -> None:
    first = claim_next()
    assert queue.claim("host:2") is None
    other = queue_new(make_project(novel.owner, "别处"), 7)
    edit = queue_chapter(novel)  # analysed again: not in order
    assert {claim_next("host:2").task_id, claim_next("host:3").task_id} == {other.pk, edit.pk}
    assert queue.claim("host:4") is None
    following = finish_and_claim(first)
    assert following is not None and following.chapter_number == 2


def test_a_higher_priority_goes_first_all_the_same(novel: NovelProject) -> None:
    queue_new(novel, 9, priority=8)
    queue_new(novel, 8, priority=8)
    assert claims_to_the_end() == [8, 9, 1, 2, 3, 4]


def test_the_others_wait_with_one_that_waits_for_its_next_try(novel: NovelProject) -> None:
    fail(claim_next())
    assert queue.claim("host:1") is None
    waiting = PendingAnalysis.objects.get(chapter__chapter_number=3)
    reason = queue.blocked_reason(waiting, queue.configured())
    assert reason is not None and reason.code == "chapter_before"
    PendingAnalysis.objects.update(due_at=db_now())
    assert claims_to_the_end() == [1, 2, 3, 4]


def test_nobody_waits_for_one_that_is_cancelled_meanwhile(novel: NovelProject) -> None:
    claim = claim_next()
    fail(claim)
    assert queue.claim("host:1") is None
    queue.cancel(claim.task_id)
    assert claims_to_the_end() == [2, 3, 4]


def test_nobody_waits_for_one_that_has_failed(novel: NovelProject) -> None:
    queue.fail(claim_next(), permanent())
    assert claims_to_the_end() == [2, 3, 4]


def test_what_a_dead_worker_had_comes_first_again(novel: NovelProject) -> None:
    claim = claim_next()
    expire_lease(claim.task_id)
    assert queue.claim("host:2") is None
    queue.rescue()
    assert claims_to_the_end() == [1, 2, 3, 4]


def test_a_month_without_money_holds_up_none_for_longer(novel: NovelProject) -> None:
    PendingAnalysis.objects.filter(chapter__chapter_number=1).update(
        error_type=OverBudget.code, due_at=db_now() + timedelta(days=9)
    )
    assert claims_to_the_end() == [2, 3, 4]


def test_only_the_chosen_ones(novel: NovelProject) -> None:
    chosen = PendingAnalysis.objects.filter(chapter__chapter_number__in=[3, 4])
    claim = queue.claim("host:1", only=chosen)
    assert claim is not None and claim.chapter_number == 3
    assert queue.claim("host:1", only=chosen) is None


def test_writers_take_turns_though_chapters_change_places(
    novel: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_FAIRNESS = "writer"
    other = make_project(make_user())
    for number in NUMBERS:
        queue_new(other, number)
    owners = []
    claim = queue.claim("host:1")
    while claim is not None:
        owners.append((claim.project_id == other.pk, claim.chapter_number))
        claim = finish_and_claim(claim)
    assert owners == [(theirs, number) for number in (1, 2, 3, 4) for theirs in (False, True)]
    assert not PendingAnalysis.objects.exclude(status=Status.COMPLETED).exists()
