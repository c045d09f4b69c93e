"""The versions of a chapter over HTTP: list, read, compare, restore; no text is lost by it."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.models import PendingAnalysis
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from tests.factories import LONG_ENOUGH, JsonClient, make_chapter, queue_chapter

pytestmark = pytest.mark.databases

SECOND = LONG_ENOUGH.replace("铜铃", "银铃", 1)
TYPED = f"{SECOND}他没有回头。"


@pytest.fixture
def chapter(project: NovelProject, api: JsonClient) -> Chapter:
    """Two versions; the first is analysed."""
    task = queue_chapter(project, LONG_ENOUGH, priority=7)
    api.patch(f"/api/chapters/{task.chapter_id}", {"content": SECOND})
    return Chapter.objects.get(pk=task.chapter_id)


def versions(api: JsonClient, chapter: Chapter, query: str = "") -> list[dict[str, Any]]:
    answer = api.get(f"/api/chapters/{chapter.pk}/versions{query}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


def restore(api: JsonClient, chapter: Chapter, number: int, **body: Any) -> Any:
    return api.post(f"/api/chapters/{chapter.pk}/versions/{number}/restore", body)


def type_into(api: JsonClient, chapter: Chapter, content: str, base_version: int) -> None:
    body = {"content": content, "base_version": base_version, "client": "page", "seq": 1}
    assert api.put(f"/api/chapters/{chapter.pk}/working", body).status_code == 200


def texts(chapter: Chapter) -> list[str]:
    return list(chapter.versions.order_by("number").values_list("content", flat=True))


def test_the_list_is_newest_first_with_names_and_word_counts(
    api: JsonClient, chapter: Chapter
) -> None:
    api.post(f"/api/chapters/{chapter.pk}/versions", {"name": "第二稿"})
    newest, first = versions(api, chapter)
    assert newest.keys() == {"number", "name", "source", "created_at", "word_count"}
    assert (newest["number"], newest["name"], newest["word_count"]) == (2, "第二稿", 20 * 12)
    assert (first["number"], first["name"], first["source"]) == (1, "", "written")
    assert first["created_at"].endswith("Z")
    read = api.get(f"/api/chapters/{chapter.pk}/versions/1").json()
    assert read == {**first, "content": LONG_ENOUGH}


def test_versions_from_before_are_counted_when_they_are_listed(
    api: JsonClient, chapter: Chapter
) -> None:
    ChapterVersion.objects.filter(chapter=chapter).update(word_count=None)
    assert {row["word_count"] for row in versions(api, chapter)} == {20 * 12}
    assert not ChapterVersion.objects.filter(word_count=None).exists()


def test_thousands_come_in_pages_without_their_texts(
    api: JsonClient, chapter: Chapter, django_assert_max_num_queries: Any
) -> None:
    ChapterVersion.objects.bulk_create(
        [
            ChapterVersion(chapter=chapter, number=number, content="字", word_count=1)
            for number in range(3, 2_001)
        ],
        batch_size=500,
    )
    with django_assert_max_num_queries(4) as queries:
        page = versions(api, chapter)
    assert [row["number"] for row in page] == list(range(2_000, 1_950, -1))
    assert not any('"content"' in query["sql"] for query in queries.captured_queries)
    following = versions(api, chapter, "?limit=200&before=1951")
    assert [row["number"] for row in following] == list(range(1_950, 1_750, -1))
    assert versions(api, chapter, "?before=1") == []


def test_two_versions_are_compared_by_the_letter(api: JsonClient, chapter: Chapter) -> None:
    path = f"/api/chapters/{chapter.pk}/versions"
    found = api.get(f"{path}/2/diff?against=1").json()
    assert found == api.get(f"{path}/2/diff").json()
    assert (found["number"], found["against"], found["coarse"]) == (2, 1, False)
    assert (found["added"], found["removed"]) == (1, 1)
    (hunk,) = found["hunks"]
    at = LONG_ENOUGH.index("铜铃")
    deleted, inserted = (one for one in hunk["edits"] if one["kind"] != "equal")
    assert deleted == {
        "kind": "delete",
        "old_start": at,
        "old_end": at + 1,
        "new_start": at,
        "new_end": at,
    }
    assert (inserted["kind"], inserted["new_start"], inserted["new_end"]) == ("insert", at, at + 1)
    back = api.get(f"{path}/1/diff?against=2").json()
    assert [hunk["kind"] for hunk in back["hunks"]] == ["changed"]
    (same,) = api.get(f"{path}/1/diff?against=1").json()["hunks"]
    assert (same["kind"], same["edits"]) == ("equal", [])


def test_restoring_makes_a_version_that_is_analysed(api: JsonClient, chapter: Chapter) -> None:
    answer = restore(api, chapter, 1, base_version=2)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["version"], body["content"]) == (3, LONG_ENOUGH)
    task = PendingAnalysis.objects.get(pk=body["analysis"]["id"])
    assert (task.status, task.version.number, task.priority) == ("pending", 3, 7)
    assert texts(chapter) == [LONG_ENOUGH, SECOND, LONG_ENOUGH]
    again = restore(api, chapter, 1).json()  # it is the chapter's text already
    assert (again["version"], again["analysis"]["id"]) == (3, task.pk)


def test_a_restore_that_is_sent_again_is_the_first(api: JsonClient, chapter: Chapter) -> None:
    path = f"/api/chapters/{chapter.pk}/versions/1/restore"
    answers = [
        api.post(path, {"base_version": 2}, headers={"Idempotency-Key": "again"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert texts(chapter) == [LONG_ENOUGH, SECOND, LONG_ENOUGH]


@pytest.mark.parametrize("number", [1, 2])
def test_restoring_keeps_what_was_typed_as_a_version(
    api: JsonClient, chapter: Chapter, number: int
) -> None:
    type_into(api, chapter, TYPED, base_version=2)
    body = restore(api, chapter, number).json()
    restored = LONG_ENOUGH if number == 1 else SECOND
    assert (body["version"], body["content"]) == (4, restored)
    assert texts(chapter) == [LONG_ENOUGH, SECOND, TYPED, restored]
    working = api.get(f"/api/chapters/{chapter.pk}/working").json()
    assert (working["content"], working["base_version"], working["saved_at"]) == (restored, 4, None)
    late = {"content": f"{TYPED}还在写。", "base_version": 2, "client": "page", "seq": 2}
    refused = api.put(f"/api/chapters/{chapter.pk}/working", late)  # the page that typed it
    assert refused.status_code == 409
    assert refused.json()["current"]["content"] == restored


def test_an_outdated_restore_is_a_conflict(api: JsonClient, chapter: Chapter) -> None:
    answer = restore(api, chapter, 1, base_version=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert answer.json()["current"]["version"] == 2
    assert texts(chapter) == [LONG_ENOUGH, SECOND]


def test_a_draft_that_is_restored_counts_as_written(api: JsonClient, project: NovelProject) -> None:
    chapter = make_chapter(project)
    ChapterVersion.objects.filter(chapter=chapter).update(source="draft")
    body = restore(api, chapter, 1).json()
    assert (body["version"], body["source"], body["analysis"]["status"]) == (
        2,
        "written",
        "pending",
    )


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("versions?limit=0", "limit"),
        ("versions?before=x", "before"),
        ("versions/1/diff", "against"),
        ("versions/2/diff?against=9", "against"),
        ("versions/2/diff?against=-1", "against"),
    ],
)
def test_bad_queries_name_their_field(
    api: JsonClient, chapter: Chapter, path: str, field: str
) -> None:
    answer = api.get(f"/api/chapters/{chapter.pk}/{path}")
    assert answer.status_code == 400
    assert field in answer.json()


@pytest.mark.sqlite_only
def test_versions_are_the_writers_own(
    api: JsonClient, foreign: JsonClient, anonymous: JsonClient, chapter: Chapter
) -> None:
    path = f"/api/chapters/{chapter.pk}"
    for call in ("versions", "versions/1", "versions/2/diff"):
        assert foreign.get(f"{path}/{call}").status_code == 404
        assert anonymous.get(f"{path}/{call}").status_code == 401
    for call, body in (("versions/1/restore", {}), ("impact", {"content": "字"})):
        assert foreign.post(f"{path}/{call}", body).status_code == 404
        assert anonymous.post(f"{path}/{call}", body).status_code == 401
    for call in ("versions/9", "versions/9/diff?against=1", f"versions/{10**30}"):
        assert api.get(f"{path}/{call}").status_code == 404
    assert restore(api, chapter, 9).status_code == 404
    assert restore(api, chapter, 1, base_version="2").status_code == 400
