"""Pauses of one novel, of one writer and of everything, and of all of them together."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django_q.models import OrmQ
from pytest_django import Settings

from analysis import queue
from analysis.models import PendingAnalysis, QueueControl, QueuePause
from analysis.queue import PauseTarget
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.factories import claim_next, finish_and_claim, make_project
from tests.queue.bulk import queue_many
from tests.queue.threads import side_by_side


@pytest.fixture
def second(writer: User) -> NovelProject:
    """Another novel of the same writer."""
    return make_project(writer, "续集")


@pytest.fixture
def foreign_novel(stranger: User) -> NovelProject:
    return make_project(stranger)


@pytest.fixture
def three(project: NovelProject, second: NovelProject, foreign_novel: NovelProject) -> None:
    """Tasks of three novels; ``project``'s come first, then ``second``'s."""
    for priority, novel in ((9, project), (7, second), (5, foreign_novel)):
        queue_many(novel, 2, [priority])


def novel_of_next() -> object:
    """Which novel would be next; what was claimed goes back to its place."""
    claim = queue.claim("host:1")
    if claim is None:
        return None
    queue.give_back(claim)
    return claim.project_id


@pytest.mark.usefixtures("three")
def test_a_paused_novel_does_not_hold_up_the_rest(
    project: NovelProject, second: NovelProject
) -> None:
    running = claim_next()
    queue.pause("proof-reading", PauseTarget(project_id=project.pk))
    assert novel_of_next() == second.pk
    queue.finish(running, {}, {})  # what runs goes on to its end
    assert novel_of_next() == second.pk
    queue.resume(PauseTarget(project_id=project.pk))
    assert novel_of_next() == project.pk


@pytest.mark.usefixtures("three")
def test_a_paused_writer_waits_with_all_novels(
    writer: User, project: NovelProject, foreign_novel: NovelProject
) -> None:
    queue.pause("in arrears", PauseTarget(user_id=writer.pk))
    assert novel_of_next() == foreign_novel.pk
    queue.resume(PauseTarget(user_id=writer.pk))
    assert novel_of_next() == project.pk


@pytest.mark.usefixtures("three")
def test_pauses_add_up_and_each_is_lifted_by_itself(
    writer: User, project: NovelProject, second: NovelProject, foreign_novel: NovelProject
) -> None:
    scopes = [PauseTarget(), PauseTarget(user_id=writer.pk), PauseTarget(project_id=project.pk)]
    for scope in scopes:
        queue.pause("so", scope)
    expected = [foreign_novel.pk, second.pk, project.pk]
    for scope, novel in zip(scopes, expected, strict=True):
        queue.resume(scope)
        assert novel_of_next() == novel


@pytest.mark.usefixtures("three")
def test_ending_a_task_claims_nothing_of_what_is_paused(
    project: NovelProject, second: NovelProject
) -> None:
    claim = claim_next()
    queue.pause("so", PauseTarget(project_id=project.pk))
    following = finish_and_claim(claim)
    assert following is not None
    assert following.project_id == second.pk
    queue.pause("so")
    assert finish_and_claim(following) is None


def test_pausing_again_only_changes_the_reason(project: NovelProject) -> None:
    for reason in ("first", "second"):
        queue.pause(reason, PauseTarget(project_id=project.pk))
        queue.pause(reason)
    assert QueuePause.objects.get().reason == "second"
    assert QueueControl.objects.get().paused_reason == "second"


def scope_of(kind: str, project: NovelProject) -> PauseTarget:
    return {
        "novel": PauseTarget(project_id=project.pk),
        "writer": PauseTarget(user_id=project.owner_id),
        "everything": PauseTarget(),
    }[kind]


@pytest.mark.parametrize("kind", ["novel", "writer", "everything"])
def test_resuming_wakes_the_workers(project: NovelProject, settings: Settings, kind: str) -> None:
    settings.ARBORIS_MAX_CONCURRENT = 4
    scope = scope_of(kind, project)
    queue_many(project, 10)
    queue.pause("so", scope)
    OrmQ.objects.all().delete()
    queue.resume(scope)
    assert OrmQ.objects.filter(lock__lte=db_now()).count() == 4


def test_a_deleted_novel_takes_its_pause_along(project: NovelProject) -> None:
    queue.pause("so", PauseTarget(project_id=project.pk))
    project.delete()
    assert not QueuePause.objects.exists()


def test_a_deleted_writer_takes_every_pause_along(writer: User, project: NovelProject) -> None:
    queue_many(project, 2)
    queue.pause("so", PauseTarget(project_id=project.pk))
    queue.pause("so", PauseTarget(user_id=writer.pk))
    writer.delete()
    assert not QueuePause.objects.exists()
    assert not PendingAnalysis.objects.exists()
    assert queue.claim("host:1") is None


@pytest.mark.parametrize("both", [True, False], ids=["both", "neither"])
def test_a_pause_names_a_novel_or_a_writer(project: NovelProject, both: bool) -> None:
    named = {"project": project, "user": project.owner} if both else {}
    with pytest.raises(IntegrityError), transaction.atomic():
        QueuePause.objects.create(paused_at=db_now(), **named)


def test_what_runs_of_a_scope_is_counted(
    project: NovelProject, second: NovelProject, writer: User
) -> None:
    queue_many(project, 2)
    queue_many(second, 1)
    for _ in range(3):
        claim_next()
    queue_many(project, 1)
    scopes = (PauseTarget(project_id=project.pk), PauseTarget(user_id=writer.pk), PauseTarget())
    assert [queue.running(scope) for scope in scopes] == [2, 3, 3]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["novel", "writer", "everything"])
def test_once_a_pause_has_returned_nothing_is_claimed(project: NovelProject, kind: str) -> None:
    """However many were claiming at that moment."""
    scope = scope_of(kind, project)
    queue_many(project, 40)
    claimed_at_return: list[int] = []

    def claim_all() -> None:
        while queue.claim("host:1") is not None:
            pass

    def pause() -> None:
        queue.pause("so", scope)
        claimed_at_return.append(QueueControl.objects.get().claimed)

    side_by_side(claim_all, claim_all, claim_all, pause)
    assert claimed_at_return == [QueueControl.objects.get().claimed]
