"""A worker that lost its claim can change nothing any more, whatever it still writes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from django.forms.models import model_to_dict

from analysis import queue, run_analysis
from analysis.errors import LeaseLost
from analysis.models import AnalysisAttempt, PendingAnalysis
from analysis.queue import Claim
from analysis.worker.steward import Steward
from arboris.bible.models import Finding
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
    run_analysis.run(zombie, Steward())
    assert rows() == before
    assert not Finding.objects.exists()


def test_a_task_ends_once(project: NovelProject) -> None:
    queue_chapter(project)
    claim = claim_next()
    queue.finish(claim, {"findings": 1}, {})
    before = rows()
    with pytest.raises(LeaseLost), transaction.atomic():
        queue.finish(claim, {"findings": 2}, {})
    assert rows() == before
