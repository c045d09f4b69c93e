"""Chapters over the API: saved at once, analysis enqueued in the same transaction."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django_q.models import OrmQ

from analysis.models import PendingAnalysis
from arboris.bible.models import Finding
from arboris.novels import services
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from tests.factories import (
    LONG_ENOUGH,
    JsonClient,
    client_of,
    make_chapter,
    make_project,
    queue_chapter,
)
from tests.queue.threads import side_by_side

pytestmark = pytest.mark.databases

NEWER = "雨停了，沈砚秋才发觉灯笼早已熄灭，巷子尽头有人在等他。" * 12


def post(api: JsonClient, project: NovelProject, **body: Any) -> Any:
    return api.post(f"/api/projects/{project.pk}/chapters", {"content": LONG_ENOUGH, **body})


def test_post_saves_and_enqueues(api: JsonClient, project: NovelProject) -> None:
    answer = post(api, project, title="雨夜")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["chapter_number"], body["title"], body["version"]) == (1, "雨夜", 1)
    assert body["summary"]
    assert body["word_count"] == 20 * 12
    assert body["analysis"]["status"] == "pending"
    task = PendingAnalysis.objects.get(pk=body["analysis"]["id"])
    assert (task.chapter_id, task.priority, task.generation_config) == (body["id"], 5, {})
    assert ChapterVersion.objects.get().content == LONG_ENOUGH
    assert OrmQ.objects.count() == 1


def test_priority_and_config_reach_the_task(api: JsonClient, project: NovelProject) -> None:
    config = {"enhanced_features": {"foreshadowing": False}, "temperature": 0.3, "own": [1]}
    body = post(api, project, priority=10, generation_config=config).json()
    task = PendingAnalysis.objects.get(pk=body["analysis"]["id"])
    assert (task.priority, task.generation_config) == (10, config)


def test_numbers_count_on_and_may_be_given(api: JsonClient, project: NovelProject) -> None:
    numbers = [
        post(api, project, **given).json()["chapter_number"]
        for given in ({}, {"chapter_number": 7}, {})
    ]
    assert numbers == [1, 7, 8]
    listed = api.get(f"/api/projects/{project.pk}/chapters").json()
    assert [row["chapter_number"] for row in listed] == numbers
    assert {row["analysis"]["status"] for row in listed} == {"pending"}


def test_a_taken_number_names_its_field(api: JsonClient, project: NovelProject) -> None:
    post(api, project)
    answer = post(api, project, chapter_number=1)
    assert answer.status_code == 400
    assert "chapter_number" in answer.json()
    assert Chapter.objects.count() == ChapterVersion.objects.count() == 1


def test_basic_mode_makes_the_summary_alone(api: JsonClient, project: NovelProject) -> None:
    body = post(api, project, mode="basic").json()
    assert body["analysis"] is None
    assert body["summary"]
    assert body["analysis_note"]
    assert not PendingAnalysis.objects.exists()
    assert not OrmQ.objects.exists()


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("content", "summary"),
    [
        ("# The Quay\n\nThe *Marigold* came in.\n\n* * *\n\nNobody spoke, **nobody**.",
         "The Marigold came in. Nobody spoke, nobody."),
        ("他说**“走”**就走。\n\n---\n\n# 灯\n2 * 3 * 4，snake_case_name。",
         "他说“走”就走。2 * 3 * 4，snake_case_name。"),
        ("# 雨夜", "# 雨夜"),  # nothing else is there
    ],
)  # fmt: skip
def test_a_summary_has_no_marks(
    api: JsonClient, project: NovelProject, content: str, summary: str
) -> None:
    assert post(api, project, content=content, mode="basic").json()["summary"] == summary


@pytest.mark.parametrize(("length", "queued"), [(199, False), (200, True)])
def test_shorter_than_the_threshold_is_not_analysed(
    api: JsonClient, project: NovelProject, length: int, queued: bool
) -> None:
    body = post(api, project, content="字" * length).json()
    assert (body["analysis"] is not None) is queued
    assert bool(body["analysis_note"]) is not queued
    if not queued:
        assert "200" in body["analysis_note"]


def test_the_threshold_can_be_set(api: JsonClient, project: NovelProject) -> None:
    config = {"dynamic_threshold": {"min_chapter_length": 3}}
    assert post(api, project, content="三个字", generation_config=config).json()["analysis"]
    body = post(api, project, content="二字", generation_config=config).json()
    assert body["analysis"] is None


def test_get_shows_the_text_and_the_newest_task(api: JsonClient, project: NovelProject) -> None:
    saved = post(api, project, title="雨夜").json()
    read = api.get(f"/api/chapters/{saved['id']}").json()
    assert read["content"] == LONG_ENOUGH
    assert read["analysis"]["id"] == saved["analysis"]["id"]
    assert read["created_at"].endswith("Z")


def test_patch_makes_a_version_and_supersedes(api: JsonClient, project: NovelProject) -> None:
    saved = post(api, project).json()
    answer = api.patch(f"/api/chapters/{saved['id']}", {"content": NEWER})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["version"], body["content"]) == (2, NEWER)
    assert body["summary"] != saved["summary"]
    old = PendingAnalysis.objects.get(pk=saved["analysis"]["id"])
    assert (old.status, old.error_type) == ("cancelled", "superseded")
    new = PendingAnalysis.objects.get(pk=body["analysis"]["id"])
    assert (new.status, new.version.number) == ("pending", 2)
    assert ChapterVersion.objects.get(number=1).content == LONG_ENOUGH


def test_patch_of_the_same_text_changes_nothing(api: JsonClient, project: NovelProject) -> None:
    saved = post(api, project).json()
    body = api.patch(f"/api/chapters/{saved['id']}", {"content": LONG_ENOUGH}).json()
    assert (body["version"], body["analysis"]["id"]) == (1, saved["analysis"]["id"])
    assert PendingAnalysis.objects.count() == ChapterVersion.objects.count() == 1


def test_a_new_title_keeps_the_analysis(api: JsonClient, project: NovelProject) -> None:
    task = queue_chapter(project)
    body = api.patch(f"/api/chapters/{task.chapter_id}", {"title": "新题"}).json()
    assert (body["title"], body["version"], body["analysis"]["id"]) == ("新题", 1, task.pk)
    assert PendingAnalysis.objects.get().status == "pending"


def test_patch_to_a_short_text_ends_the_analysis(api: JsonClient, project: NovelProject) -> None:
    task = queue_chapter(project)
    body = api.patch(f"/api/chapters/{task.chapter_id}", {"content": "只剩一句。"}).json()
    assert body["version"] == 2
    assert body["analysis"] is None
    assert body["analysis_note"]
    assert PendingAnalysis.objects.get().status == "cancelled"


@pytest.mark.parametrize("content", ["", "   \n", None])
def test_patch_to_nothing_is_refused(
    api: JsonClient, project: NovelProject, content: str | None
) -> None:
    chapter = make_chapter(project)
    answer = api.patch(f"/api/chapters/{chapter.pk}", {"content": content})
    assert answer.status_code == 400
    assert "content" in answer.json()
    assert ChapterVersion.objects.count() == 1


def test_findings_of_an_unanalysed_chapter_are_none(api: JsonClient, project: NovelProject) -> None:
    chapter = make_chapter(project)
    assert api.get(f"/api/chapters/{chapter.pk}/findings").json() == []
    assert not Finding.objects.exists()


@pytest.mark.parametrize("chapter_id", [10**6, 2**63, 10**30])
def test_absent_chapter_is_404(api: JsonClient, chapter_id: int) -> None:
    assert api.get(f"/api/chapters/{chapter_id}").status_code == 404
    assert api.patch(f"/api/chapters/{chapter_id}", {"title": "x"}).status_code == 404
    latest = api.get(f"/api/async-analysis/tasks/{chapter_id}/latest")
    assert latest.status_code == 404


def test_text_is_kept_to_the_letter(api: JsonClient, project: NovelProject) -> None:
    content = "\n　　开头有缩进。\r\n结尾有空行。𠮷🏮\n\n" + LONG_ENOUGH + "  \n"
    saved = post(api, project, content=content).json()
    assert api.get(f"/api/chapters/{saved['id']}").json()["content"] == content


def test_the_note_is_english_on_request(api: JsonClient, project: NovelProject) -> None:
    answer = api.post(
        f"/api/projects/{project.pk}/chapters",
        {"content": "短", "mode": "basic"},
        HTTP_ACCEPT_LANGUAGE="en",
    )
    assert answer.json()["analysis_note"] == "Basic mode: only the summary was made."


@pytest.mark.parametrize("body", [{}, {"text": "x"}, {"priority": 3}, {"mode": "basic"}], ids=str)
def test_patch_of_nothing_says_so(
    api: JsonClient, project: NovelProject, body: dict[str, Any]
) -> None:
    task = queue_chapter(project)
    answer = api.patch(f"/api/chapters/{task.chapter_id}", body, HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert answer.json()["detail"] == "Give the content or the title that is to change."
    task.refresh_from_db()
    assert (task.status, task.priority) == ("pending", 5)


CONFIG = {"temperature": 0.3, "own": [1]}


@pytest.mark.parametrize(
    ("given", "priority", "config"),
    [
        ({}, 9, CONFIG),
        ({"priority": 2}, 2, CONFIG),
        ({"generation_config": {}}, 9, {}),
        ({"priority": 5, "generation_config": {"own": 2}}, 5, {"own": 2}),
    ],
)
def test_a_new_text_is_analysed_as_the_last_one_was(
    api: JsonClient,
    project: NovelProject,
    given: dict[str, Any],
    priority: int,
    config: dict[str, Any],
) -> None:
    saved = post(api, project, priority=9, generation_config=CONFIG).json()
    body = api.patch(f"/api/chapters/{saved['id']}", {"content": NEWER, **given}).json()
    task = PendingAnalysis.objects.get(pk=body["analysis"]["id"])
    assert (task.priority, task.generation_config) == (priority, config)


def test_the_last_threshold_holds_for_a_new_text(api: JsonClient, project: NovelProject) -> None:
    config = {"dynamic_threshold": {"min_chapter_length": 3}}
    saved = post(api, project, generation_config=config).json()
    assert api.patch(f"/api/chapters/{saved['id']}", {"content": "三个字"}).json()["analysis"]


def test_a_patch_analyses_a_basic_chapter(api: JsonClient, project: NovelProject) -> None:
    saved = post(api, project, mode="basic", priority=9).json()
    body = api.patch(f"/api/chapters/{saved['id']}", {"content": NEWER}).json()
    task = PendingAnalysis.objects.get(pk=body["analysis"]["id"])
    assert (task.priority, task.generation_config) == (5, {})


def test_a_chapters_analysis_without_error_has_null(api: JsonClient, project: NovelProject) -> None:
    assert post(api, project).json()["analysis"]["error_type"] is None


def current_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 409, answer.content
    body = answer.json()
    assert body["detail"] and body["code"] == "conflict"
    current: dict[str, Any] = body["current"]
    return current


@pytest.mark.parametrize(
    "change", [{"content": "旧。"}, {"title": "旧题"}, {"content": NEWER}], ids=str
)
def test_a_change_of_an_older_version_is_a_conflict(
    api: JsonClient, project: NovelProject, change: dict[str, str]
) -> None:
    saved = post(api, project, title="雨夜").json()
    url = f"/api/chapters/{saved['id']}"
    before = api.patch(url, {"content": NEWER, "base_version": 1}).json()
    current = current_of(api.patch(url, {**change, "base_version": 1}))
    assert current == {"version": 2, "content": NEWER, "title": "雨夜"}
    assert api.get(url).json() == before
    assert ChapterVersion.objects.count() == PendingAnalysis.objects.count() == 2


def test_a_change_of_the_newest_version_is_saved(api: JsonClient, project: NovelProject) -> None:
    saved = post(api, project).json()
    url = f"/api/chapters/{saved['id']}"
    assert api.patch(url, {"content": NEWER, "base_version": 1}).json()["version"] == 2
    assert api.patch(url, {"title": "新题", "base_version": 2}).json()["content"] == NEWER


def test_a_text_saved_meanwhile_is_a_conflict(
    api: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another tab saves after the first look at the version and before the lock."""
    saved = post(api, project).json()
    url = f"/api/chapters/{saved['id']}"
    lock = services.lock_project
    first = [{"content": NEWER, "base_version": 1}]

    def lock_late(project_id: Any) -> NovelProject:
        if first:
            assert api.patch(url, first.pop()).status_code == 200
        return lock(project_id)

    monkeypatch.setattr(services, "lock_project", lock_late)
    assert current_of(api.patch(url, {"content": "旧。", "base_version": 1}))["content"] == NEWER
    assert ChapterVersion.objects.count() == 2


@pytest.mark.parametrize("wrong", ["1", 1.0, 1.5, True, None, 0, -1, [], {}], ids=repr)
def test_a_wrong_base_version_is_named(
    api: JsonClient, project: NovelProject, wrong: object
) -> None:
    chapter = make_chapter(project)
    answer = api.patch(f"/api/chapters/{chapter.pk}", {"title": "新题", "base_version": wrong})
    assert answer.status_code == 400
    assert "base_version" in answer.json()
    chapter.refresh_from_db()
    assert chapter.title != "新题"


@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_once_one_is_a_conflict(writer: User) -> None:
    url = f"/api/chapters/{make_chapter(make_project(writer)).pk}"
    client = client_of(writer)

    def save(text: str) -> int:
        return int(client.patch(url, {"content": text, "base_version": 1}).status_code)

    codes = side_by_side(lambda: save(NEWER), lambda: save(LONG_ENOUGH + "又一句。"))
    assert sorted(codes) == [200, 409]
    assert ChapterVersion.objects.count() == 2
