"""What a writer is told about a task that waits for more than its turn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from analysis import queue
from analysis.models import PendingAnalysis
from analysis.queue import endpoints
from arboris.db import db_now
from arboris.llm.errors import KeyRefused
from arboris.novels.models import NovelProject
from tests.analysis.operators import novel_of
from tests.factories import JsonClient, claim_next, queue_chapter

pytestmark = [pytest.mark.databases, pytest.mark.django_db]


def detail(api: JsonClient, task: PendingAnalysis, **headers: Any) -> dict[str, Any]:
    answer = api.get(f"/api/async-analysis/tasks/{task.pk}", **headers)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def test_nothing_but_its_turn(api: JsonClient, project: NovelProject) -> None:
    waiting, running = queue_chapter(project), queue_chapter(project, priority=9)
    claim_next()
    assert detail(api, waiting)["waiting"] is None
    assert detail(api, running)["waiting"] is None


def test_pauses_are_told_and_nobody_knows_how_long(api: JsonClient, project: NovelProject) -> None:
    queue_chapter(project)
    queue.finish(claim_next(), {}, {})
    task = queue_chapter(project)
    assert detail(api, task)["eta_seconds"] is not None
    queue.pause("an operator's words", queue.PauseTarget(user_id=project.owner_id))
    assert detail(api, task)["waiting"]["code"] == "writer_paused"
    queue.pause("", queue.PauseTarget(project_id=project.pk))
    assert detail(api, task)["waiting"]["code"] == "project_paused"
    queue.pause("an operator's words")
    body = detail(api, task)
    assert body["waiting"]["code"] == "paused"
    assert body["waiting"]["until"] is None
    assert body["eta_seconds"] is None
    assert body["queue_position"] == 1
    assert "operator" not in str(body)


def test_an_endpoint_that_refuses_is_told_with_its_next_probe(
    api: JsonClient, project: NovelProject
) -> None:
    task = queue_chapter(project)
    endpoints.pause(queue.configured(), KeyRefused("what the host said"), db_now())
    body = detail(api, task)
    assert body["waiting"]["code"] == "endpoint_paused"
    assert datetime.fromisoformat(body["waiting"]["until"]) > db_now()
    assert body["waiting"]["until"].endswith("Z")
    assert "host" not in str(body)


def test_a_back_off_ends_when_it_is_due(api: JsonClient, project: NovelProject) -> None:
    task = queue_chapter(project)
    later = db_now() + timedelta(minutes=5)
    PendingAnalysis.objects.filter(pk=task.pk).update(due_at=later)
    waiting = detail(api, task)["waiting"]
    assert waiting["code"] == "backoff"
    assert abs(datetime.fromisoformat(waiting["until"]) - later) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("ARBORIS_MAX_PER_PROJECT", "project_limit"),
        ("ARBORIS_MAX_CONCURRENT_TOTAL", "total_limit"),
        ("ARBORIS_MAX_PER_ENDPOINT", "endpoint_limit"),
    ],
)
def test_limits(
    api: JsonClient, project: NovelProject, settings: Settings, limit: str, code: str
) -> None:
    setattr(settings, limit, 1)
    queue_chapter(project)
    task = queue_chapter(project)
    assert detail(api, task)["waiting"] is None
    assert queue.claim("host:1", queue.configured()) is not None
    assert detail(api, task)["waiting"]["code"] == code


def test_in_both_languages(api: JsonClient, project: NovelProject) -> None:
    task = queue_chapter(project)
    queue.pause("", queue.PauseTarget(project_id=project.pk))
    assert detail(api, task)["waiting"]["message"] == "这部小说的分析已暂停。"
    english = detail(api, task, headers={"accept-language": "en"})
    assert english["waiting"]["message"] == "The analyses of this novel are paused."


def test_it_costs_few_queries(
    api: JsonClient, project: NovelProject, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    task = queue_chapter(project)
    detail(api, task)
    with django_assert_max_num_queries(12):
        detail(api, task)


def test_the_position_is_that_of_the_claims(
    api: JsonClient, project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_FAIRNESS = "writer"
    ours = [queue_chapter(project) for _ in range(3)]
    queue_chapter(novel_of("lin"))
    assert [detail(api, task)["queue_position"] for task in ours] == [1, 3, 4]
    settings.ARBORIS_FAIRNESS = "age"
    assert [detail(api, task)["queue_position"] for task in ours] == [1, 2, 3]
