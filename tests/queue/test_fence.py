"""A worker that lost its claim can change nothing any more, whatever it still writes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from django.forms.models import model_to_dict

from analysis import queue, services
from analysis.errors import LeaseLost
from analysis.models import AnalysisAttempt, PendingAnalysis, QueueControl
from analysis.queue import Claim
from analysis.steward import Steward
from arboris.bible.models import Finding
from arboris.db import in_transaction
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.analyzers import passing, permanent
from tests.factories import JsonClient, claim_next, expire_lease, queue_chapter

NEWER = "另一段文字，足够长，与先前的完全不同。" * 20


def rescued(claim: Claim, api: JsonClient) -> None:
    expire_lease(claim.task_id)
    assert queue.rescue() == 1


def rescued_and_claimed_again(claim: Claim, api: JsonClient) -> None:
    rescued(claim, api)
    claim_next("host:2")


def cancelled(claim: Claim, api: JsonClient) -> None:
    queue.cancel(claim.task_id)


def cancelled_and_retried(claim: Claim, api: JsonClient) -> None:
    queue.cancel(claim.task_id)
    queue.retry(claim.task_id)


def superseded(claim: Claim, api: JsonClient) -> None:
    answer = api.patch(f"/api/chapters/{claim.chapter_id}", {"content": NEWER})
    assert answer.status_code == 200


LOSSES = [rescued, rescued_and_claimed_again, cancelled, cancelled_and_retried, superseded]
Loss = Callable[[Claim, JsonClient], None]


def rows() -> list[object]:
    """Everything that a worker writes."""
    models = (PendingAnalysis, AnalysisAttempt, AnalysisNotification, Finding)
    return [
        (model_to_dict(row), row.pk)
        for model in models
        for row in model._default_manager.order_by("pk")
    ]


@pytest.mark.parametrize("lose", LOSSES)
def test_a_zombie_changes_nothing(project: NovelProject, api: JsonClient, lose: Loss) -> None:
    queue_chapter(project)
    zombie = claim_next()
    lose(zombie, api)
    before = rows()
    for end in (
        lambda: queue.finish(zombie, {"findings": 99}, {}),
        lambda: queue.fail(zombie, passing()),
        lambda: queue.fail(zombie, permanent()),
    ):
        with pytest.raises(LeaseLost), transaction.atomic():
            end()
    assert not queue.renew(zombie)
    assert not queue.owns(zombie)
    assert not queue.report_progress(zombie, 50, "foreshadowing", {"x": {}})
    assert not queue.give_back(zombie)
    assert rows() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lose", LOSSES)
def test_the_findings_of_a_zombie_are_not_applied(
    project: NovelProject, api: JsonClient, scripted: None, lose: Loss
) -> None:
    queue_chapter(project, "「沈砚秋」说：走罢。" * 30)
    zombie = claim_next()
    lose(zombie, api)
    before = rows()
    services.run(zombie, Steward())
    assert rows() == before
    assert not Finding.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lose", LOSSES)
def test_what_is_sent_along_with_a_zombies_end_does_not_stand(
    project: NovelProject, api: JsonClient, lose: Loss
) -> None:
    queue_chapter(project)
    zombie = claim_next()
    queue_chapter(project)  # which it would have claimed next
    lose(zombie, api)
    before = rows()
    with pytest.raises(LeaseLost), transaction.atomic():
        queue.finish_and_claim(zombie, {"findings": 99}, {}, "host:1", last=True)
    assert rows() == before
    assert QueueControl.objects.get().claimed == AnalysisAttempt.objects.count()


@pytest.mark.django_db(transaction=True)
def test_an_end_that_comes_last_is_committed_with_what_it_claims(project: NovelProject) -> None:
    first, second = queue_chapter(project), queue_chapter(project)
    told: list[str] = []

    def work() -> Claim | None:
        transaction.on_commit(lambda: told.append("committed"))
        return queue.finish_and_claim(claim, {"findings": 1}, {}, "host:1", last=True)

    claim = claim_next()
    following = in_transaction(work)
    assert following is not None and following.task_id == second.pk
    claim = following
    assert in_transaction(work) is None  # nothing is left
    assert told == ["committed"] * 2
    assert {task.status for task in PendingAnalysis.objects.all()} == {"completed"}
    assert QueueControl.objects.get().claimed == 2
    # The next transaction is one like any other.
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        PendingAnalysis.objects.filter(pk=first.pk).update(worker="nobody")
        raise ZeroDivisionError
    assert not PendingAnalysis.objects.filter(worker="nobody").exists()


def test_a_task_ends_once(project: NovelProject) -> None:
    queue_chapter(project)
    claim = claim_next()
    queue.finish(claim, {"findings": 1}, {})
    before = rows()
    with pytest.raises(LeaseLost), transaction.atomic():
        queue.finish(claim, {"findings": 2}, {})
    assert rows() == before
