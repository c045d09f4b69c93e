"""An upgrade of a database that the version before the desk has filled: nothing of it is lost.

What that version and this one write alike is made by this one; then the tables are taken back to
what that version had, which drops whatever it did not know, and one more chapter is written there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from analysis import queue
from analysis.errors import ProcessingTimeout
from arboris.db import in_transaction
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from tests.bible.test_fold import payoff, person, seed
from tests.bible.test_service import FIRST, record
from tests.factories import LONG_ENOUGH, JsonClient, claim_next, make_chapter

pytestmark = [pytest.mark.slow, pytest.mark.postgresql]

NOVELS = ("novels", "0002_draft_versions")
BEFORE = [
    NOVELS,
    ("notifications", "0004_kinds"),
    ("accounts", None),
    ("idempotency", None),
]
TEXTS = [f"{LONG_ENOUGH}\r\n\n  “{n}” 𠮷 é̂ &amp; <b>\n" for n in "一二三"]


@dataclass(frozen=True, slots=True)
class Outside:
    """A novel as its writer's client sees it."""

    api: JsonClient
    novel: NovelProject

    def get(self, path: str) -> Any:
        answer = self.api.get(path)
        assert answer.status_code == 200, (path, answer.content)
        return answer.json()

    def url(self, path: str) -> str:
        return f"/api/projects/{self.novel.pk}{path}"

    def of_novel(self, path: str) -> Any:
        return self.get(self.url(path))

    def chapter_ids(self) -> list[int]:
        return [row["id"] for row in self.of_novel("/chapters")]

    def everything(self) -> dict[str, Any]:
        """All that the API tells of the novel, of each chapter, and of the queue."""
        told: dict[str, Any] = {"projects": self.get("/api/projects")}
        for path in ("", "/chapters", "/order", "/bible", "/bible/inbox", "/bible/decisions"):
            told[path] = self.of_novel(path)
        for pk in self.chapter_ids():
            told[f"{pk}"] = self.get(f"/api/chapters/{pk}")
            told[f"{pk} findings"] = self.get(f"/api/chapters/{pk}/findings")
            versions = self.get(f"/api/chapters/{pk}/versions")
            told[f"{pk} versions"] = versions
            for row in versions:
                path = f"/api/chapters/{pk}/versions/{row['number']}"
                told[path] = self.get(path)
        tasks = self.get("/api/async-analysis/tasks")
        told["tasks"] = [self.get(f"/api/async-analysis/tasks/{task['id']}") for task in tasks]
        told["notifications"] = self.get("/api/async-analysis/notifications")
        told["status"] = self.get("/api/async-analysis/status")
        for kind in ("txt", "md", "archive"):
            told[f"as {kind}"] = self.export(kind)
        return told

    def export(self, kind: str) -> bytes:
        answer: Any = self.api.get(self.url(f"/export?format={kind}"))
        assert answer.status_code == 200
        return b"".join(answer)


@pytest.fixture
def outside(transactional_db: None, api: JsonClient, project: NovelProject) -> Outside:
    return Outside(api, project)


@pytest.fixture
def filled(outside: Outside) -> Outside:
    """Chapters with a gap in their numbers and no titles, versions, a draft, findings, decisions,
    and an analysis of each end."""
    api, project = outside.api, outside.novel
    for number, text in zip((1, 2, 7), TEXTS, strict=True):
        body = {"content": text, "title": "序" if number == 1 else "", "chapter_number": number}
        assert api.post(f"/api/projects/{project.pk}/chapters", body).status_code == 201
    in_transaction(lambda: queue.finish(claim_next(), {}, {}))
    queue.fail(claim_next(), ProcessingTimeout("no"))
    first, second, third = project.chapters.all()
    changed = api.patch(f"/api/chapters/{first.pk}", {"content": TEXTS[0] + "改"}).json()
    cancelled = f"/api/async-analysis/tasks/{changed['analysis']['id']}/cancel"
    assert api.post(cancelled).status_code == 200
    read = outside.get("/api/async-analysis/notifications")[-1]["id"]
    assert api.post(f"/api/async-analysis/notifications/{read}/read").status_code == 200
    in_transaction(lambda: queue.finish(claim_next(), {}, {}))
    draft = make_chapter(project, "没写完")
    ChapterVersion.objects.filter(chapter=draft).update(source="draft")
    first.refresh_from_db()
    record(first, *FIRST)
    record(second, person("老沈"), seed("断剑", "断剑"))
    record(third, person("顾长风"), person("林", start=5), payoff("铜铃响了", "铜铃"))
    people = {one["name"]: one["id"] for one in outside.of_novel("/bible")["characters"]}
    for asked in (
        {"action": "rename", "id": people["林"], "name": "林风"},
        {"action": "merge", "id": people["沈砚秋"], "into": people["顾长风"]},
    ):
        answer = api.post(outside.url("/bible/decisions"), {"type": "character", **asked})
        assert answer.status_code == 201, answer.content
    return outside


@pytest.fixture
def taken_back(filled: Outside) -> Iterator[dict[str, Any]]:
    """What was told of the novel, whose tables are those of the version before by now."""
    told = filled.everything()
    MigrationExecutor(connection).migrate(BEFORE)
    yield told
    call_command("migrate", verbosity=0)


def columns(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {row.name for row in connection.introspection.get_table_description(cursor, table)}


def write_as_before(project: NovelProject) -> int:
    """A chapter with its version, by the tables of then; returns its id."""
    old = MigrationExecutor(connection).loader.project_state([NOVELS]).apps
    chapter = old.get_model("novels", "Chapter").objects.create(
        project_id=project.pk, chapter_number=9, word_count=len(LONG_ENOUGH)
    )
    old.get_model("novels", "ChapterVersion").objects.create(
        chapter=chapter, number=1, content=TEXTS[0], source="imported"
    )
    return int(chapter.pk)


def test_an_upgrade_keeps_everything(filled: Outside, taken_back: dict[str, Any]) -> None:
    assert not {"aside", "volume_id", "deleted_at"} & columns("novels_chapter")
    added = write_as_before(filled.novel)
    call_command("migrate", verbosity=0)

    assert filled.get(f"/api/chapters/{added}")["content"] == TEXTS[0]
    (version,) = filled.get(f"/api/chapters/{added}/versions")
    assert (version["number"], version["source"], version["name"]) == (1, "imported", "")
    assert version["word_count"] == filled.of_novel("/chapters")[1]["word_count"]
    Chapter.objects.get(pk=added).delete()

    assert filled.everything() == taken_back
    texts = [filled.get(f"/api/chapters/{pk}")["content"] for pk in filled.chapter_ids()]
    assert texts == [TEXTS[0] + "改", *TEXTS[1:], "没写完"]
    numbers = [row["chapter_number"] for row in filled.of_novel("/chapters")]
    assert numbers == [1, 2, 7, 8]
    expect_a_decision_undone(filled)
    expect_a_working_desk(filled)


def expect_a_decision_undone(outside: Outside) -> None:
    rename = outside.of_novel("/bible/decisions")[-1]
    undo = outside.url(f"/bible/decisions/{rename['id']}/undo")
    assert outside.api.post(undo).status_code == 200
    names = {one["name"] for one in outside.of_novel("/bible")["characters"]}
    assert "林" in names and "林风" not in names


def expect_a_working_desk(outside: Outside) -> None:
    """A chapter of then is typed in, made a version of, restored, moved, deleted and taken back."""
    first, second, *rest = outside.chapter_ids()
    url = f"/api/chapters/{second}"
    typed = {"content": "新写的", "base_version": 1, "client": "c", "seq": 1}
    assert outside.api.put(f"{url}/working", typed).status_code == 200
    cut = outside.api.post(f"{url}/versions", {"name": "改过"}).json()
    assert (cut["version"], cut["content"]) == (2, "新写的")
    assert outside.api.post(f"{url}/versions/1/restore").json()["content"] == TEXTS[1]
    volumes = [
        {"title": "上", "chapters": [second, *rest]},
        {"title": "下", "chapters": [first]},
    ]
    assert outside.api.put(outside.url("/order"), {"volumes": volumes}).status_code == 200
    assert outside.chapter_ids() == [second, *rest, first]
    assert outside.api.delete(url).status_code == 204
    assert outside.chapter_ids() == [*rest, first]
    assert outside.api.post(f"/api/trash/chapter/{second}/restore").status_code == 200
    assert outside.chapter_ids() == [second, *rest, first]
