"""``analysis_show``: all that the tables say of one analysis."""

from __future__ import annotations

import pytest

from analysis import queue
from analysis.models import PendingAnalysis
from analysis.queue import PauseTarget
from arboris.db import db_now
from arboris.llm.models import ModelCall
from arboris.novels.models import NovelProject
from tests.analysis.operators import call, failed_task
from tests.factories import queue_chapter

pytestmark = [pytest.mark.databases, pytest.mark.django_db]


def called(task: PendingAnalysis, purpose: str) -> None:
    ModelCall.objects.create(
        call_id=f"00000000-0000-4000-8000-{ModelCall.objects.count():012}",
        created_at=db_now(),
        endpoint="api.example.com",
        model="writer-1",
        purpose=purpose,
        task_id=task.pk,
        attempt=1,
        prompt_tokens=1200,
        completion_tokens=34,
        cost="0.0125",
        outcome="ok",
        seconds=3.21,
    )


def test_a_failed_one_with_what_was_tried_and_done(project: NovelProject) -> None:
    task = failed_task(project)
    called(task, "world_expansion")
    assert call("retry_analysis", task.pk, "--noinput", "--reason", "new key").code == 0
    queue.pause("moving", PauseTarget(project_id=project.pk))
    called(queue_chapter(project), "foreshadowing")  # another one's

    seen = call("analysis_show", task.pk, "--json").document
    assert (seen["id"], seen["status"], seen["waiting"]["code"]) == (
        task.pk,
        "pending",
        "project_paused",
    )
    (attempt,) = seen["attempts"]
    assert (attempt["outcome"], attempt["error_type"]) == ("failed", "timeout")
    (model_call,) = seen["calls"]
    assert (model_call["purpose"], model_call["prompt_tokens"]) == ("world_expansion", 1200)
    (told,) = seen["notifications"]
    assert (told["notification_type"], told["is_read"]) == ("failed", 0)
    (action,) = seen["record"]
    assert (action["action"], action["reason"]) == ("retry_analysis", "new key")

    page = call("analysis_show", task.pk).out
    for shown in ("听雨楼", "project_paused", "timeout", "world_expansion", "0.0125", "new key"):
        assert shown in page
    assert f"{task.created_at:%H:%M:%S}" in page
    assert "foreshadowing" not in page


@pytest.mark.parametrize(("number", "code"), [("99", 1), ("one", 2)])
def test_one_that_is_not_there(db: None, number: str, code: int) -> None:
    assert call("analysis_show", number).code == code
