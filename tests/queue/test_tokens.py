"""Tokens are counted once each, through retries, and stay when tasks are deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client

from analysis import queue
from analysis.errors import LeaseLost
from analysis.models import PendingAnalysis, Status
from analysis.queue import Claim
from arboris.db import db_now, in_transaction
from arboris.llm.errors import Overloaded
from arboris.novels.models import NovelProject
from tests.factories import claim_next, queue_chapter

pytestmark = pytest.mark.django_db


def counted(client: Client) -> dict[str, float]:
    """pending_analysis_tokens_total by kind."""
    head = "pending_analysis_tokens_total{kind="
    lines = client.get("/metrics").content.decode().splitlines()
    rows = (line.rsplit(" ", 1) for line in lines if line.startswith(head))
    return {name.split('"')[1]: float(value) for name, value in rows}


def finish(claim: Claim, used: dict[str, int]) -> None:
    in_transaction(lambda: queue.finish(claim, {}, used))


def claim_again() -> Claim:
    PendingAnalysis.objects.update(due_at=db_now())
    return claim_next()


def test_tokens_of_all_attempts_are_counted_once(client: Client, project: NovelProject) -> None:
    assert counted(client) == {"prompt": 0, "completion": 0, "estimated": 0}
    queue_chapter(project)
    queue.fail(claim_next(), Overloaded("gone"), token_usage={"prompt": 100})
    assert counted(client) == {"prompt": 100, "completion": 0, "estimated": 0}
    # What a task tells goes on through its attempts; one that is given back tells nothing.
    queue.give_back(claim_again())
    finish(claim_again(), {"prompt": 150, "completion": 20, "estimated": 7})
    assert counted(client) == {"prompt": 150, "completion": 20, "estimated": 7}
    queue_chapter(project)
    finish(claim_next(), {"prompt": 10, "completion": 1})
    assert counted(client) == {"prompt": 160, "completion": 21, "estimated": 7}


def test_deleting_tasks_takes_nothing_away(client: Client, project: NovelProject) -> None:
    queue_chapter(project)
    finish(claim_next(), {"prompt": 10, "completion": 1})
    before = counted(client)
    queue.prune([Status.COMPLETED], db_now() + timedelta(days=1), progress=lambda count: None)
    assert not PendingAnalysis.objects.exists()
    assert counted(client) == before


def test_a_result_that_is_dropped_counts_nothing(client: Client, project: NovelProject) -> None:
    task = queue_chapter(project)
    claim = claim_next()
    queue.cancel(task.pk)
    with pytest.raises(LeaseLost), transaction.atomic():
        finish(claim, {"prompt": 10})
    assert counted(client)["prompt"] == 0
