"""Polling for notifications: bare array, newest first, texts as the original prints them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from analysis import queue
from arboris.novels.models import NovelProject
from tests.analyzers import permanent
from tests.factories import JsonClient, claim_next, make_chapter, queue_chapter

pytestmark = pytest.mark.databases

LIST = "/api/async-analysis/notifications"
FIELDS = {
    "id", "pending_analysis_id", "project_id", "chapter_id", "chapter_number",
    "notification_type", "title", "message", "data", "is_read", "created_at",
}  # fmt: skip


def complete_chapter(project: NovelProject) -> int:
    task = queue_chapter(project)
    queue.finish(claim_next(), {"findings": 2}, {})
    return task.pk


def test_a_completed_analysis_reads_as_printed(api: JsonClient, project: NovelProject) -> None:
    make_chapter(project, number=4)
    task_id = complete_chapter(project)
    (row,) = api.get(LIST).json()
    assert set(row) == FIELDS
    assert row["title"] == "第 5 章增强分析已完成"
    assert row["message"] == "角色状态、世界观等信息已更新"
    assert (row["pending_analysis_id"], row["chapter_number"]) == (task_id, 5)
    assert (row["notification_type"], row["is_read"]) == ("completed", 0)
    assert row["project_id"] == str(project.pk)
    assert row["created_at"].endswith("Z")


def test_english_on_request(api: JsonClient, project: NovelProject) -> None:
    complete_chapter(project)
    (row,) = api.get(LIST, HTTP_ACCEPT_LANGUAGE="en-GB,en;q=0.9").json()
    assert row["title"] == "Enhanced analysis of chapter 1 is complete"
    assert row["message"] == "Character states, world and other information have been updated"


def test_a_failure_says_why(api: JsonClient, project: NovelProject) -> None:
    queue_chapter(project)
    queue.fail(claim_next(), permanent())
    (row,) = api.get(LIST, HTTP_ACCEPT_LANGUAGE="en").json()
    assert row["notification_type"] == "failed"
    assert row["message"] == "The analysis took longer than allowed."
    assert row["data"]["error_type"] == "timeout"


def test_newest_first_within_the_limit_and_after_since(
    api: JsonClient, project: NovelProject
) -> None:
    for _ in range(4):
        complete_chapter(project)
    ids = [row["id"] for row in api.get(LIST).json()]
    assert ids == sorted(ids, reverse=True)
    assert [row["id"] for row in api.get(f"{LIST}?limit=2").json()] == ids[:2]
    assert [row["id"] for row in api.get(f"{LIST}?since={ids[2]}").json()] == ids[:2]
    assert api.get(f"{LIST}?since={2**63 - 1}").json() == []


def test_older_ones_page_by_page(api: JsonClient, project: NovelProject) -> None:
    for _ in range(5):
        complete_chapter(project)
    ids = [row["id"] for row in api.get(LIST).json()]
    pages, before = [], ""
    while page := api.get(f"{LIST}?limit=2{before}").json():
        pages.append([row["id"] for row in page])
        before = f"&before={page[-1]['id']}"
    assert pages == [ids[:2], ids[2:4], ids[4:]]
    answer = api.get(f"{LIST}?before=x")
    assert (answer.status_code, next(iter(answer.json()))) == (400, "before")


FOUND = {"by_type": {"character": 2, "payoff": 1, "item": 9}, "problems": 1}
DIGESTS = {
    "zh": "《盐灯》第 1 章：2 个新人物、1 处回收、1 个问题",
    "en": "“盐灯”, Chapter 1: 2 new characters, 1 payoff, 1 problem",
}


@pytest.mark.parametrize("language", DIGESTS)
def test_a_digest_names_the_novel_the_chapter_and_the_result(
    api: JsonClient, project: NovelProject, language: str
) -> None:
    api.patch(f"/api/projects/{project.pk}", {"title": "盐灯"})
    queue_chapter(project)
    queue.finish(claim_next(), FOUND, {})
    (row,) = api.get(LIST, HTTP_ACCEPT_LANGUAGE=language).json()
    assert row["data"]["digest"] == DIGESTS[language]
    assert (row["data"]["novel"], row["data"]["muted"]) == ("盐灯", False)


def test_a_digest_of_a_failure_says_why(api: JsonClient, project: NovelProject) -> None:
    task = queue_chapter(project)
    api.patch(f"/api/chapters/{task.chapter_id}", {"title": "楔子"})
    queue.fail(claim_next(), permanent())
    (row,) = api.get(LIST, HTTP_ACCEPT_LANGUAGE="en").json()
    told = f"“{project.title}”, 楔子: not analysed. The analysis took longer than allowed."
    assert row["data"]["digest"] == told


def test_marking_one_as_read(api: JsonClient, project: NovelProject) -> None:
    complete_chapter(project)
    complete_chapter(project)
    newest = api.get(LIST).json()[0]["id"]
    for _ in range(2):  # reading twice is no error
        answer = api.post(f"{LIST}/{newest}/read")
        assert answer.status_code == 200
        assert answer.json() == {"message": "已标记为已读"}
    unread = api.get(f"{LIST}?unread_only=true").json()
    assert len(unread) == 1
    assert newest not in [row["id"] for row in unread]
    assert api.get(LIST).json()[0]["is_read"] == 1


def test_marking_all_as_read_counts_the_unread(
    api: JsonClient, foreign: JsonClient, stranger: User, project: NovelProject
) -> None:
    for _ in range(3):
        complete_chapter(project)
    first = api.get(LIST).json()[-1]["id"]
    api.post(f"{LIST}/{first}/read")
    assert foreign.post(f"{LIST}/read-all").json() == {"message": "已标记 0 条通知为已读"}
    assert api.post(f"{LIST}/read-all").json() == {"message": "已标记 2 条通知为已读"}
    assert api.get(f"{LIST}?unread_only=true").json() == []
    assert len(api.get(f"{LIST}?unread_only=false").json()) == 3


def test_read_messages_in_english(api: JsonClient, project: NovelProject) -> None:
    complete_chapter(project)
    answer = api.post(f"{LIST}/read-all", HTTP_ACCEPT_LANGUAGE="en")
    assert answer.json() == {"message": "Marked 1 notifications as read"}


@pytest.mark.parametrize("notification_id", [10**6, 2**63, 10**30])
def test_absent_notification_is_404(api: JsonClient, notification_id: int) -> None:
    assert api.post(f"{LIST}/{notification_id}/read").status_code == 404
