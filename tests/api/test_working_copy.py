"""What is typed is kept beside the versions, and nothing is overwritten unseen."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from analysis.models import PendingAnalysis
from arboris.novels import services
from arboris.novels.models import Chapter, ChapterVersion, NovelProject, WorkingCopy
from tests.factories import LONG_ENOUGH, JsonClient, client_of, make_chapter, make_project
from tests.queue.threads import side_by_side

pytestmark = pytest.mark.databases

NEWER = "雨停了，沈砚秋才发觉灯笼早已熄灭，巷子尽头有人在等他。" * 12
OTHER = "钟又响了一声，没有人应。" * 20


@pytest.fixture
def chapter(project: NovelProject) -> Chapter:
    return make_chapter(project, title="雨夜")


def put(api: JsonClient, chapter: Chapter, content: str, seq: int = 1, **more: Any) -> Any:
    body = {"content": content, "base_version": 1, "client": "a", "seq": seq, **more}
    return api.put(f"/api/chapters/{chapter.pk}/working", body)


def copy_of(api: JsonClient, chapter: Chapter) -> dict[str, Any]:
    body: dict[str, Any] = api.get(f"/api/chapters/{chapter.pk}/working").json()
    return body


def cut(api: JsonClient, chapter: Chapter, **body: Any) -> Any:
    return api.post(f"/api/chapters/{chapter.pk}/versions", body)


def texts(chapter: Chapter) -> list[str]:
    return list(chapter.versions.order_by("number").values_list("content", flat=True))


def test_without_a_copy_the_version_is_what_to_go_on_with(
    api: JsonClient, chapter: Chapter
) -> None:
    assert copy_of(api, chapter) == {
        "content": LONG_ENOUGH,
        "title": "雨夜",
        "base_version": 1,
        "client": None,
        "seq": None,
        "saved_at": None,
    }


def test_a_copy_is_kept_and_makes_no_version(api: JsonClient, chapter: Chapter) -> None:
    saved = put(api, chapter, NEWER, 7, title="晴").json()
    assert saved["seq"] == 7
    assert saved["saved_at"].endswith("Z")
    found = {"content": NEWER, "title": "晴", "base_version": 1, "client": "a"}
    assert copy_of(api, chapter) == found | saved
    assert put(api, chapter, " \n", 8).status_code == 200  # all of it may be deleted
    assert (copy_of(api, chapter)["content"], copy_of(api, chapter)["title"]) == (" \n", "晴")
    chapter.refresh_from_db()
    assert (chapter.version, chapter.title) == (1, "雨夜")
    assert PendingAnalysis.objects.count() == 0


@pytest.mark.parametrize("late", [1, 2])
def test_what_comes_late_or_twice_changes_nothing(
    api: JsonClient, chapter: Chapter, late: int
) -> None:
    saved = put(api, chapter, NEWER, 2).json()
    again = put(api, chapter, OTHER, late)
    assert (again.status_code, again.json()) == (200, saved)
    assert copy_of(api, chapter)["content"] == NEWER


def test_another_clients_copy_is_replaced_once_it_was_seen(
    api: JsonClient, chapter: Chapter
) -> None:
    put(api, chapter, NEWER, title="晴")
    refused = put(api, chapter, OTHER, client="b")
    assert refused.status_code == 409
    body = refused.json()
    assert body["code"] == "conflict"
    assert body["current"] == {"version": 1, "content": LONG_ENOUGH, "title": "雨夜"}
    working = body["working"]
    assert working == {"content": NEWER, "title": "晴", "saved_at": working["saved_at"]}
    put(api, chapter, NEWER + "又一句。", 2)  # what b has seen is not the newest any more
    seen = working["saved_at"]
    refused = put(api, chapter, OTHER, client="b", seen=seen)
    assert refused.json()["working"]["content"] == NEWER + "又一句。"
    seen = refused.json()["working"]["saved_at"]
    assert put(api, chapter, OTHER, client="b", seen=seen).status_code == 200
    assert put(api, chapter, NEWER, 3).status_code == 409  # and now a has to look
    assert copy_of(api, chapter)["content"] == OTHER


def test_the_same_text_is_no_conflict(api: JsonClient, chapter: Chapter) -> None:
    put(api, chapter, NEWER)
    assert put(api, chapter, NEWER, client="b").status_code == 200
    assert put(api, chapter, NEWER, 2, title="晴").status_code == 409


@pytest.mark.parametrize("base", [1, 3])
def test_a_copy_of_another_version_is_a_conflict(
    api: JsonClient, chapter: Chapter, base: int
) -> None:
    api.patch(f"/api/chapters/{chapter.pk}", {"content": NEWER})
    body = put(api, chapter, OTHER, base_version=base).json()
    assert (body["current"]["version"], body["current"]["content"]) == (2, NEWER)
    assert body["working"] is None
    assert put(api, chapter, OTHER, base_version=2).status_code == 200


def test_a_version_is_cut_and_analysed(api: JsonClient, chapter: Chapter) -> None:
    put(api, chapter, NEWER, title="晴")
    body = cut(api, chapter, name="初稿").json()
    assert (body["version"], body["content"], body["title"]) == (2, NEWER, "晴")
    assert body["analysis"]["status"] == "pending"
    assert chapter.versions.get(number=2).name == "初稿"
    assert not WorkingCopy.objects.exists()
    # A second try makes no second version; a name is given to the one that there is.
    again = cut(api, chapter, name="定稿").json()
    assert (again["version"], again["analysis"]["id"]) == (2, body["analysis"]["id"])
    assert chapter.versions.get(number=2).name == "定稿"
    assert chapter.versions.get(number=1).name == ""


def test_what_was_typed_and_taken_back_makes_no_version(api: JsonClient, chapter: Chapter) -> None:
    put(api, chapter, NEWER, 1)
    put(api, chapter, LONG_ENOUGH, 2, title="晴")
    body = cut(api, chapter).json()
    assert (body["version"], body["title"]) == (1, "晴")
    put(api, chapter, NEWER, 1)  # late
    assert copy_of(api, chapter)["content"] == LONG_ENOUGH


def test_an_empty_text_is_no_version(api: JsonClient, chapter: Chapter) -> None:
    put(api, chapter, "")
    answer = cut(api, chapter)
    assert (answer.status_code, "content" in answer.json()) == (400, True)
    assert copy_of(api, chapter)["content"] == ""


def test_another_save_keeps_the_copy_as_a_version(api: JsonClient, chapter: Chapter) -> None:
    put(api, chapter, NEWER, title="晴")
    body = api.patch(f"/api/chapters/{chapter.pk}", {"content": OTHER}).json()
    assert (body["version"], body["content"], body["title"]) == (3, OTHER, "晴")
    assert texts(chapter) == [LONG_ENOUGH, NEWER, OTHER]
    put(api, chapter, NEWER, base_version=3)
    assert api.patch(f"/api/chapters/{chapter.pk}", {"content": NEWER}).json()["version"] == 4


def test_a_new_title_leaves_the_copy(api: JsonClient, chapter: Chapter) -> None:
    put(api, chapter, NEWER, title="晴")
    api.patch(f"/api/chapters/{chapter.pk}", {"title": "雪"})
    assert (copy_of(api, chapter)["title"], copy_of(api, chapter)["content"]) == ("雪", NEWER)
    assert cut(api, chapter).json()["title"] == "雪"


def test_a_draft_becomes_finished_by_a_cut(api: JsonClient, project: NovelProject) -> None:
    chapter = make_chapter(project)
    chapter.versions.update(source=ChapterVersion.Source.DRAFT)
    assert cut(api, chapter).json()["source"] == "draft"
    put(api, chapter, LONG_ENOUGH)
    body = cut(api, chapter).json()
    assert (body["version"], body["source"], body["analysis"]["status"]) == (
        2,
        "written",
        "pending",
    )


def test_what_is_typed_while_a_version_is_prepared_is_in_it(
    api: JsonClient, chapter: Chapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(api, chapter, NEWER)
    lock, late = services.lock_project, [OTHER]

    def lock_late(project_id: Any) -> NovelProject:
        if late:
            assert put(api, chapter, late.pop(), 2).status_code == 200
        return lock(project_id)

    monkeypatch.setattr(services, "lock_project", lock_late)
    assert cut(api, chapter).json()["content"] == OTHER
    chapter.refresh_from_db()
    assert OTHER[:5] in chapter.summary
    assert texts(chapter) == [LONG_ENOUGH, OTHER]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("content", None),
        ("content", "a\x00b"),
        ("content", 5),
        ("title", "x" * 201),
        ("base_version", 0),
        ("base_version", "1"),
        ("client", ""),
        ("client", "x" * 65),
        ("seq", -1),
        ("seq", True),
        ("seq", 2**53),
        ("seen", "gestern"),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_what_is_wrong_is_named(
    api: JsonClient, chapter: Chapter, field: str, wrong: object
) -> None:
    body = {"content": NEWER, "base_version": 1, "client": "a", "seq": 1, field: wrong}
    answer = api.put(f"/api/chapters/{chapter.pk}/working", body)
    assert (answer.status_code, field in answer.json()) == (400, True)
    assert not WorkingCopy.objects.exists()


def test_it_is_the_writers_own(
    foreign: JsonClient, anonymous: JsonClient, chapter: Chapter
) -> None:
    for client, status in ((foreign, 404), (anonymous, 401)):
        assert put(client, chapter, NEWER).status_code == status
        assert client.get(f"/api/chapters/{chapter.pk}/working").status_code == status
        assert cut(client, chapter).status_code == status
    assert not WorkingCopy.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_copy_that_arrives_during_a_cut_is_not_lost(writer: User) -> None:
    chapter = make_chapter(make_project(writer))
    client = client_of(writer)
    put(client, chapter, NEWER)
    answers = side_by_side(
        lambda: cut(client, chapter),
        lambda: put(client, chapter, OTHER, 2),
        lambda: put(client, chapter, OTHER + "他处。", client="b"),
    )
    assert answers[0].status_code == 200
    assert answers[2].status_code == 409
    # Either it came first, and is in the version; or it is refused, with what there is now.
    if answers[1].status_code == 200:
        assert texts(chapter) == [LONG_ENOUGH, OTHER]
    else:
        assert answers[1].json()["current"]["content"] == NEWER
