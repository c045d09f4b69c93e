"""The trash: what is deleted is gone for everybody, and comes back as it was for thirty days."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from analysis import queue
from analysis.errors import QueueConflict
from analysis.models import PendingAnalysis, QueueControl
from analysis.queue.prune import prune_step
from arboris.bible import service as bible_service
from arboris.db import db_now, in_transaction
from arboris.novels import services, trash
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from notifications.models import AnalysisNotification
from tests.bible.test_service import FIRST, SECOND, THIRD, record
from tests.factories import (
    LONG_ENOUGH,
    JsonClient,
    claim_next,
    make_chapter,
    make_project,
    queue_chapter,
)

pytestmark = pytest.mark.databases
NEWER = "雨停了，沈砚秋才发觉灯笼早已熄灭，巷子尽头有人在等他。" * 12


@pytest.fixture
def chapters(project: NovelProject) -> list[Chapter]:
    """Three analysed chapters."""
    found = [make_chapter(project, title=title) for title in ("雨", "灯", "钟")]
    for chapter, findings in zip(found, (FIRST, SECOND, THIRD), strict=True):
        record(chapter, *findings)
    return found


def bible(api: JsonClient, project: NovelProject) -> Any:
    """The bible and its questions, without what counts rows."""
    texts = (api.get(f"/api/projects/{project.pk}/bible/export.{kind}") for kind in ("json", "md"))
    return [text.content for text in texts]


def restore(api: JsonClient, kind: str, key: object) -> Any:
    return api.post(f"/api/trash/{kind}/{key}/restore")


def test_a_chapter_comes_back_with_its_versions_and_the_bible_as_it_was(
    api: JsonClient, project: NovelProject, chapters: list[Chapter]
) -> None:
    decision = {"action": "add", "type": "character", "fields": {"name": "林晚"}}
    path = f"/api/projects/{project.pk}/bible/decisions"
    assert api.post(path, decision).status_code == 201
    api.patch(f"/api/chapters/{chapters[0].pk}", {"content": NEWER, "mode": "basic"})
    for chapter, findings in zip(chapters, (FIRST, SECOND, THIRD), strict=True):
        record(chapter, *findings)
    before = bible(api, project)
    assert api.delete(f"/api/chapters/{chapters[0].pk}").status_code == 204

    without = bible(api, project)
    assert without != before
    in_transaction(lambda: bible_service.rebuild(project.pk))
    assert bible(api, project) == without
    assert api.get(f"/api/chapters/{chapters[0].pk}").status_code == 404
    (item,) = api.get("/api/trash").json()
    assert (item["kind"], item["id"]) == ("chapter", chapters[0].pk)
    assert (item["title"], item["chapter_number"]) == ("雨", 1)
    assert item["project_title"] == project.title
    assert item["deleted_at"] < item["expires_at"]

    answer = restore(api, item["kind"], item["id"])
    assert (answer.status_code, answer.json()["chapter_number"]) == (200, 1)
    assert bible(api, project) == before
    shown = api.get(f"/api/chapters/{chapters[0].pk}").json()
    assert (shown["content"], shown["version"]) == (NEWER, 2)
    assert ChapterVersion.objects.filter(chapter=chapters[0]).count() == 2
    assert api.get("/api/trash").json() == []
    again = restore(api, item["kind"], item["id"])  # its first answer was lost
    assert (again.status_code, again.json()) == (200, answer.json())
    assert bible(api, project) == before


def test_a_place_that_is_taken_is_not_taken_away(
    api: JsonClient, project: NovelProject, chapters: list[Chapter]
) -> None:
    api.delete(f"/api/chapters/{chapters[1].pk}")
    path = f"/api/projects/{project.pk}/chapters"
    assert api.post(path, {"content": LONG_ENOUGH, "chapter_number": 2}).status_code == 201
    assert restore(api, "chapter", chapters[1].pk).json()["chapter_number"] == 4
    numbers = [row["chapter_number"] for row in api.get(path).json()]
    assert numbers == [1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["chapter", "project"])
def test_nobody_sees_what_is_in_the_trash(
    api: JsonClient, project: NovelProject, kind: str
) -> None:
    task = queue_chapter(project)
    in_transaction(lambda: queue.finish(claim_next(), {}, {}))
    cut_off = queue_chapter(project)
    kept = queue_chapter(make_project(project.owner))
    doomed = [task, cut_off]
    paths = (
        [f"/api/chapters/{one.chapter_id}" for one in doomed]
        if kind == "chapter"
        else [f"/api/projects/{project.pk}"]
    )
    for path in paths:
        assert api.delete(path).status_code == 204
        assert api.delete(path).status_code == 404

    status = api.get("/api/async-analysis/status").json()
    assert (status["total"], status["pending"]) == (1, 1)
    assert [row["id"] for row in api.get("/api/async-analysis/tasks").json()] == [kept.pk]
    assert api.get("/api/async-analysis/notifications").json() == []
    for one in doomed:
        tasks = "/api/async-analysis/tasks"
        assert api.get(f"{tasks}/{one.pk}").status_code == 404
        assert api.post(f"{tasks}/{one.pk}/retry").status_code == 404
        assert api.get(f"{tasks}/{one.chapter_id}/latest").status_code == 404
        assert api.patch(f"/api/chapters/{one.chapter_id}", {"title": "新"}).status_code == 404
        with pytest.raises((QueueConflict, PendingAnalysis.DoesNotExist)):
            queue.retry(one.pk)
    rows = api.get("/api/projects").json()
    counts = {row["id"]: (row["chapter_count"], row["word_count"]) for row in rows}
    assert counts.get(str(project.pk)) == ((0, 0) if kind == "chapter" else None)
    assert claim_next().task_id == kept.pk
    assert queue.claim("host:1") is None

    keys = [one.chapter_id for one in doomed] if kind == "chapter" else [project.pk]
    for key in keys:
        assert restore(api, kind, key).status_code == 200
    assert len(api.get("/api/async-analysis/notifications").json()) == 1
    # What was cut off is read after all, and only that.
    again = PendingAnalysis.objects.get(active_chapter=cut_off.chapter_id)
    assert (again.status, again.version_id) == ("pending", cut_off.version_id)
    assert not PendingAnalysis.objects.filter(active_chapter=task.chapter_id).exists()
    assert claim_next().task_id == again.pk


def test_who_is_in_the_trash_alone_is_not_searched_for(
    api: JsonClient,
    project: NovelProject,
    chapters: list[Chapter],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a long novel the bible is folded anew when somebody reads it: a search does."""
    path = f"/api/projects/{project.pk}"
    assert api.get(f"{path}/go-to", {"q": "听雨楼"}).json()["entries"] != []
    assert len(api.get(f"{path}/search", {"q": "老沈"}).json()["names"]) > 1
    monkeypatch.setattr(bible_service, "JOURNALS", 0)
    monkeypatch.setattr(bible_service, "SHORT", 0)
    api.delete(f"/api/chapters/{chapters[0].pk}")
    assert api.get(f"{path}/go-to", {"q": "听雨楼"}).json()["entries"] == []
    for chapter in chapters[1:]:
        api.delete(f"/api/chapters/{chapter.pk}")
    assert api.get(f"{path}/search", {"q": "老沈"}).json()["names"] == ["老沈"]


def test_a_novel_comes_back_before_its_chapters(
    api: JsonClient, project: NovelProject, chapters: list[Chapter]
) -> None:
    before = bible(api, project)
    api.delete(f"/api/chapters/{chapters[2].pk}")
    api.delete(f"/api/projects/{project.pk}")
    assert {row["kind"] for row in api.get("/api/trash").json()} == {"project", "chapter"}
    answer = restore(api, "chapter", chapters[2].pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "novel_in_trash")
    assert restore(api, "project", project.pk).status_code == 200
    assert len(api.get(f"/api/projects/{project.pk}/chapters").json()) == 2
    assert restore(api, "chapter", chapters[2].pk).status_code == 200
    assert bible(api, project) == before


def test_the_trash_is_its_owners(
    api: JsonClient,
    foreign: JsonClient,
    anonymous: JsonClient,
    project: NovelProject,
    chapters: list[Chapter],
) -> None:
    first = f"/api/chapters/{chapters[0].pk}"
    assert foreign.delete(first).status_code == 404
    assert anonymous.delete(first).status_code == 401
    assert anonymous.get("/api/trash").status_code == 401
    api.delete(first)
    api.delete(f"/api/projects/{project.pk}")
    assert foreign.get("/api/trash").json() == []
    for kind, key in (("chapter", chapters[0].pk), ("project", project.pk)):
        assert restore(foreign, kind, key).status_code == 404
        assert restore(anonymous, kind, key).status_code == 401
    nothing = [("chapter", "x"), ("chapter", 2**63), ("project", "1"), ("project", uuid.uuid4())]
    for of, unknown in (*nothing, ("novel", project.pk), ("chapter", "9" * 5000)):
        assert restore(api, of, unknown).status_code == 404


def age(rows: Any, days: int) -> None:
    rows.update(deleted_at=db_now() - timedelta(days=days))


def clean_up() -> list[int]:
    """Today's clean-up, to its end: the rows that are left in the trash after each step."""
    QueueControl.objects.filter(pk=1).update(pruned_at=None)
    left: list[int] = []
    while QueueControl.objects.get(pk=1).pruned_at is None:
        prune_step(db_now())
        left.append(Chapter.everything.count())
    return left


def test_the_trash_is_emptied_after_thirty_days_in_small_batches(
    api: JsonClient, project: NovelProject, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trash, "BATCH", 2)
    doomed = make_project(project.owner)
    for _ in range(5):
        queue_chapter(doomed)
    kept, young, old = (make_chapter(project) for _ in range(3))
    for chapter in (young, old):
        api.delete(f"/api/chapters/{chapter.pk}")
    api.delete(f"/api/projects/{doomed.pk}")
    age(Chapter.everything.filter(pk=young.pk), 29)
    age(Chapter.everything.filter(pk=old.pk), 31)
    age(NovelProject.everything.filter(pk=doomed.pk), 31)
    assert restore(api, "project", doomed.pk).status_code == 404
    assert restore(api, "chapter", old.pk).status_code == 404

    settings.ARBORIS_KEEP_TRASH_DAYS = 0
    assert clean_up() == [8]
    settings.ARBORIS_KEEP_TRASH_DAYS = 30
    assert clean_up() == [7, 5, 3, 2, 2, 2]
    assert set(Chapter.everything.values_list("pk", flat=True)) == {kept.pk, young.pk}
    assert not NovelProject.everything.filter(pk=doomed.pk).exists()
    assert not PendingAnalysis.objects.filter(project_id=doomed.pk).exists()
    assert restore(api, "chapter", young.pk).status_code == 200


@pytest.mark.parametrize("kind", ["chapter", "project"])
def test_what_is_restored_in_that_moment_stays(
    api: JsonClient,
    project: NovelProject,
    chapters: list[Chapter],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """The clean-up has seen that it is old; before it has the lock, the writer has it back."""
    key: object = chapters[0].pk if kind == "chapter" else project.pk
    api.delete(f"/api/{kind}s/{key}")
    really: Callable[..., Any] = services.removing
    tomorrow = db_now() + timedelta(days=1)

    def too_late(work: Callable[[], int]) -> int:
        assert restore(api, kind, key).status_code == 200
        return int(really(work))

    monkeypatch.setattr(trash, "removing", too_late)
    assert trash.empty_step(tomorrow) == 0
    assert len(api.get(f"/api/projects/{project.pk}/chapters").json()) == 3


def test_a_deleted_account_takes_its_trash_along(
    api: JsonClient, writer: User, project: NovelProject, chapters: list[Chapter]
) -> None:
    queue_chapter(project)
    api.delete(f"/api/chapters/{chapters[0].pk}")
    api.delete(f"/api/projects/{project.pk}")
    writer.delete()
    for model in (NovelProject.everything, Chapter.everything, ChapterVersion.objects):
        assert not model.exists()
    assert not AnalysisNotification.objects.exists()
