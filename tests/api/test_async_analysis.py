"""The original's calls about tasks, with the texts and codes that the contract prints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from analysis import queue
from analysis.models import PendingAnalysis
from arboris.novels.models import NovelProject
from tests.analyzers import passing, permanent
from tests.factories import JsonClient, claim_next, make_chapter, queue_chapter

pytestmark = pytest.mark.databases

BASE = "/api/async-analysis"
TASK = {
    "id", "project_id", "chapter_id", "chapter_number", "status", "priority", "retry_count",
    "max_retries", "created_at", "started_at", "completed_at", "duration_seconds", "error_type",
    "error_message", "progress",
}  # fmt: skip
DETAIL = TASK | {"attempts", "result", "token_usage", "queue_position", "eta_seconds"}
ENDED = ("completed", "failed", "cancelled")


@pytest.fixture
def tasks(project: NovelProject) -> dict[str, int]:
    """One task in every state: {status: id}."""
    made: dict[str, int] = {}
    for status in ("completed", "failed", "processing"):
        made[status] = queue_chapter(project).pk
        claim = claim_next()
        if status == "completed":
            queue.finish(claim, {"findings": 0}, {})
        elif status == "failed":
            queue.fail(claim, permanent())
    made["cancelled"] = queue_chapter(project).pk
    queue.cancel(made["cancelled"])
    made["pending"] = queue_chapter(project).pk
    return made


def test_status_counts_and_recent_tasks(
    api: JsonClient, project: NovelProject, tasks: dict[str, int]
) -> None:
    body = api.get(f"{BASE}/status?project_id={project.pk}").json()
    recent = body.pop("recent_tasks")
    assert body == {"total": 5, **dict.fromkeys(tasks, 1)}
    assert [task["id"] for task in recent] == sorted(tasks.values(), reverse=True)
    assert all(set(task) == TASK for task in recent)


def test_status_without_a_novel_is_of_all_the_callers(
    api: JsonClient, foreign: JsonClient, tasks: dict[str, int]
) -> None:
    assert api.get(f"{BASE}/status").json()["total"] == 5
    assert foreign.get(f"{BASE}/status").json()["total"] == 0


def test_a_task_of_each_state_tells_what_it_should(
    api: JsonClient, project: NovelProject, tasks: dict[str, int]
) -> None:
    seen = {status: api.get(f"{BASE}/tasks/{pk}").json() for status, pk in tasks.items()}
    for status, task in seen.items():
        assert set(task) >= DETAIL
        assert (task["status"], task["project_id"]) == (status, str(project.pk))
        assert (task["completed_at"] is not None) is (status in ENDED)
    assert seen["failed"]["error_type"] == "timeout"
    assert seen["failed"]["error_message"]
    assert seen["completed"]["error_type"] is None
    assert seen["completed"]["result"] == {"findings": 0}
    assert seen["completed"]["duration_seconds"] >= 0
    (attempt,) = seen["completed"]["attempts"]
    assert (attempt["outcome"], attempt["error_type"]) == ("completed", None)
    assert seen["failed"]["attempts"][0]["error_type"] == "timeout"
    assert seen["pending"]["queue_position"] == 1
    assert seen["processing"]["progress"] == {"percent": 0, "feature": None}
    assert seen["processing"]["queue_position"] is None


def test_times_are_utc_and_end_with_z(api: JsonClient, tasks: dict[str, int]) -> None:
    task = api.get(f"{BASE}/tasks/{tasks['completed']}").json()
    for name in ("created_at", "started_at", "completed_at"):
        assert task[name].endswith("Z")
        moment = datetime.fromisoformat(task[name])
        assert abs((datetime.now(UTC) - moment).total_seconds()) < 1800


def test_queue_position_follows_priority_then_age(api: JsonClient, project: NovelProject) -> None:
    made = [queue_chapter(project, priority=priority).pk for priority in (5, 9, 5, 1)]
    positions = [api.get(f"{BASE}/tasks/{pk}").json()["queue_position"] for pk in made]
    assert positions == [2, 1, 3, 4]


def test_eta_comes_from_what_ran_before(api: JsonClient, tasks: dict[str, int]) -> None:
    assert api.get(f"{BASE}/tasks/{tasks['pending']}").json()["eta_seconds"] >= 0


def test_latest_is_the_chapters_newest(api: JsonClient, project: NovelProject) -> None:
    task = queue_chapter(project)
    api.patch(f"/api/chapters/{task.chapter_id}", {"content": "另一段文字，足够长。" * 30})
    latest = api.get(f"{BASE}/tasks/{task.chapter_id}/latest")
    assert latest.status_code == 200
    assert latest.json()["id"] > task.pk
    assert set(latest.json()) >= TASK


def test_latest_of_a_chapter_without_tasks_is_404(api: JsonClient, project: NovelProject) -> None:
    chapter = make_chapter(project)
    assert api.get(f"{BASE}/tasks/{chapter.pk}/latest").status_code == 404


@pytest.mark.parametrize("status", ["pending", "processing", *ENDED])
def test_list_by_status(api: JsonClient, tasks: dict[str, int], status: str) -> None:
    listed = api.get(f"{BASE}/tasks?status={status}").json()
    assert [task["id"] for task in listed] == [tasks[status]]


def test_list_newest_first_within_the_limit(api: JsonClient, tasks: dict[str, int]) -> None:
    listed = api.get(f"{BASE}/tasks?limit=2").json()
    assert [task["id"] for task in listed] == sorted(tasks.values(), reverse=True)[:2]


@pytest.mark.parametrize("path", ["status", "tasks", "notifications"])
@pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "1.5", "9" * 5000], ids=lambda t: t[:9])
def test_limit_is_bounded(api: JsonClient, path: str, limit: str) -> None:
    answer = api.get(f"{BASE}/{path}?limit={limit}")
    assert answer.status_code == 400
    assert "limit" in answer.json()


@pytest.mark.parametrize(
    ("query", "field"),
    [("status?project_id=7", "project_id"), ("tasks?project_id=x", "project_id"),
     ("tasks?status=done", "status"), ("notifications?unread_only=maybe", "unread_only"),
     ("notifications?since=-1", "since"), ("notifications?since=x", "since")],
)  # fmt: skip
def test_wrong_parameters_are_named(api: JsonClient, query: str, field: str) -> None:
    answer = api.get(f"{BASE}/{query}")
    assert answer.status_code == 400
    assert field in answer.json()


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_retry(api: JsonClient, tasks: dict[str, int], status: str) -> None:
    answer = api.post(f"{BASE}/tasks/{tasks[status]}/retry")
    assert answer.status_code == 200
    assert answer.json() == {"message": "任务已重新加入队列"}
    task = api.get(f"{BASE}/tasks/{tasks[status]}").json()
    assert (task["status"], task["error_type"], task["completed_at"]) == ("pending", None, None)


@pytest.mark.parametrize("status", ["pending", "processing", "completed"])
def test_retry_of_what_has_not_failed_is_409(
    api: JsonClient, tasks: dict[str, int], status: str
) -> None:
    answer = api.post(f"{BASE}/tasks/{tasks[status]}/retry")
    assert answer.status_code == 409
    assert set(answer.json()) == {"detail", "code"}
    assert PendingAnalysis.objects.get(pk=tasks[status]).status == status


@pytest.mark.parametrize("status", ["pending", "processing"])
def test_cancel(api: JsonClient, tasks: dict[str, int], status: str) -> None:
    answer = api.post(f"{BASE}/tasks/{tasks[status]}/cancel")
    assert answer.status_code == 200
    assert answer.json() == {"message": "任务已取消"}
    assert api.get(f"{BASE}/tasks/{tasks[status]}").json()["status"] == "cancelled"


@pytest.mark.parametrize("status", ENDED)
def test_cancel_of_what_has_ended_is_409(
    api: JsonClient, tasks: dict[str, int], status: str
) -> None:
    answer = api.post(f"{BASE}/tasks/{tasks[status]}/cancel")
    assert answer.status_code == 409
    assert set(answer.json()) == {"detail", "code"}
    assert PendingAnalysis.objects.get(pk=tasks[status]).status == status


def test_retry_of_an_outdated_text_is_409(api: JsonClient, project: NovelProject) -> None:
    task = queue_chapter(project)
    api.patch(f"/api/chapters/{task.chapter_id}", {"content": "另一段文字，足够长。" * 30})
    answer = api.post(f"{BASE}/tasks/{task.pk}/retry")
    assert answer.status_code == 409
    assert PendingAnalysis.objects.filter(status="pending").count() == 1


def test_messages_are_english_on_request(api: JsonClient, tasks: dict[str, int]) -> None:
    english: dict[str, Any] = {"HTTP_ACCEPT_LANGUAGE": "en"}
    answer = api.post(f"{BASE}/tasks/{tasks['failed']}/retry", **english)
    assert answer.json() == {"message": "The task is back in the queue"}
    answer = api.post(f"{BASE}/tasks/{tasks['pending']}/cancel", **english)
    assert answer.json() == {"message": "The task was cancelled"}
    answer = api.post(f"{BASE}/tasks/{tasks['pending']}/cancel", **english)
    assert answer.json()["detail"] == "This analysis has already ended."


def test_internal_errors_are_not_shown(api: JsonClient, project: NovelProject) -> None:
    task = queue_chapter(project)
    PendingAnalysis.objects.update(max_retries=0)
    queue.fail(claim_next(), passing())
    body = api.get(f"{BASE}/tasks/{task.pk}").json()
    assert body["error_type"] == "analyzer_error"
    assert "stumbled" not in str(body)
