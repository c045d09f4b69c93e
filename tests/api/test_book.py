"""The order of a book: volumes, chapters moved, put in between, split and joined."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from analysis.models import PendingAnalysis
from arboris.bible.models import ForeshadowingThread
from arboris.novels.models import Chapter, ChapterVersion, NovelProject, Volume
from tests.api.test_trash import bible
from tests.bible.test_service import FIRST, SECOND, THIRD, record
from tests.factories import LONG_ENOUGH, JsonClient, make_chapter, make_project

pytestmark = pytest.mark.databases
SECOND_HALF = "雨停了，沈砚秋才发觉灯笼早已熄灭，巷子尽头有人在等他。" * 12


@pytest.fixture
def chapters(project: NovelProject) -> list[Chapter]:
    return [make_chapter(project, title=title) for title in ("序幕", "第一章 雨", "第二章 灯")]


def path(project: NovelProject) -> str:
    return f"/api/projects/{project.pk}/order"


def put(api: JsonClient, project: NovelProject, *volumes: tuple[str, list[Any]]) -> Any:
    body = {"volumes": [{"title": title, "chapters": keys} for title, keys in volumes]}
    return api.put(path(project), body)


def told(api: JsonClient, project: NovelProject) -> list[tuple[int, str]]:
    """Number and title of each chapter, as the list has them."""
    rows = api.get(f"/api/projects/{project.pk}/chapters").json()
    return [(row["chapter_number"], row["title"]) for row in rows]


def test_the_order_and_the_volumes_are_what_was_put(
    api: JsonClient, project: NovelProject, chapters: list[Chapter]
) -> None:
    a, b, c = (chapter.pk for chapter in chapters)
    assert api.get(path(project)).json()["volumes"] == [{"title": "", "chapters": [a, b, c]}]
    wanted = [("上卷", [c, a]), ("中卷", []), ("下卷", [b])]
    answer = put(api, project, *wanted)
    assert answer.status_code == 200
    assert [(v["title"], v["chapters"]) for v in answer.json()["volumes"]] == wanted
    assert told(api, project) == [(1, "第二章 灯"), (2, "序幕"), (3, "第一章 雨")]
    rows = list(Volume.objects.values_list("pk", "title"))
    assert put(api, project, *wanted).json() == answer.json() == api.get(path(project)).json()
    assert list(Volume.objects.values_list("pk", "title")) == rows

    # What comes later joins the volume of its neighbour, and so does what comes back.
    new = api.post(f"/api/projects/{project.pk}/chapters", {"content": LONG_ENOUGH}).json()["id"]
    api.delete(f"/api/chapters/{a}")
    api.post(f"/api/trash/chapter/{a}/restore")
    volumes = api.get(path(project)).json()["volumes"]
    assert [volume["chapters"] for volume in volumes] == [[c, a], [], [b, new]]
    assert put(api, project, ("", [a, b, c, new])).status_code == 200
    assert not Volume.objects.exists()


def test_a_longer_book_takes_no_more_queries(
    api: JsonClient, project: NovelProject, chapters: list[Chapter]
) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert api.get(path(project)).status_code == 200
        counts.append(len(queries))
        make_chapter(project)
    assert counts[0] == counts[1]


def test_every_chapter_is_named_once(
    api: JsonClient, foreign: JsonClient, project: NovelProject, chapters: list[Chapter]
) -> None:
    a, b, c = (chapter.pk for chapter in chapters)
    other = make_chapter(make_project(project.owner)).pk
    before = told(api, project)
    for keys, problem in (
        ([a, b], "第二章 灯"),
        ([a, b, c, a], str(a)),
        ([a, b, c, other], str(other)),
        ([a, b, True], None),
        ([a, b, "x"], None),
    ):
        answer = put(api, project, ("", keys))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert problem is None or problem in answer.json()["volumes"][0]
    bodies: list[dict[str, Any]] = [{}, {"volumes": []}, {"volumes": [{"title": "卷"}]}]
    for body in bodies:
        answer = api.put(path(project), body)
        assert answer.status_code == 400 and "volumes" in answer.json()
    assert told(api, project) == before
    assert put(foreign, project, ("", [a, b, c])).status_code == 404
    assert foreign.get(path(project)).status_code == 404
    for call in ("split", "join"):
        assert foreign.post(f"/api/chapters/{a}/{call}", {"at": 3}).status_code == 404


def test_the_bible_is_as_if_it_had_been_written_in_that_order(
    api: JsonClient, project: NovelProject, chapters: list[Chapter]
) -> None:
    """Three chapters moved, one put in: the same as analysed in that order from the start."""
    found = dict(zip((chapter.pk for chapter in chapters), (FIRST, SECOND, THIRD), strict=True))
    a, b, c = chapters
    seed = {"kind": "hint", "description": "钥匙", "keywords": ["钥匙"], "chapter_number": 1}
    decision = {"action": "add", "type": "foreshadowing", "fields": seed}
    decided = api.post(f"/api/projects/{project.pk}/bible/decisions", decision)
    assert decided.status_code == 201
    for chapter in chapters:
        record(chapter, *found[chapter.pk])
    assert put(api, project, ("", [c.pk, b.pk, a.pk])).status_code == 200
    body = {"content": LONG_ENOUGH, "title": "之间", "after": c.pk}
    new = api.post(f"/api/projects/{project.pk}/chapters", body)
    assert new.json()["chapter_number"] == 2
    expected = [(1, c.title), (2, "之间"), (3, b.title), (4, a.title)]
    assert told(api, project) == expected
    moved = bible(api, project)

    assert ForeshadowingThread.objects.get(description="钥匙").chapter_number == 4
    record(c, *THIRD)
    for chapter in (a, b, c):
        record(chapter)
    for chapter in (a, b, c):
        record(chapter, *found[chapter.pk])
    assert bible(api, project) == moved


def test_a_chapter_is_put_in_between(
    api: JsonClient, project: NovelProject, chapters: list[Chapter]
) -> None:
    a, b, _ = chapters
    put(api, project, ("上卷", [a.pk, b.pk]), ("下卷", [chapters[2].pk]))
    list_path = f"/api/projects/{project.pk}/chapters"
    for after, title in ((b.pk, "二"), (0, "零")):
        body = {"content": LONG_ENOUGH, "title": title, "after": after}
        assert api.post(list_path, body).status_code == 201
    titles = [title for _, title in told(api, project)]
    assert titles == ["零", "序幕", "第一章 雨", "二", "第二章 灯"]
    sizes = [len(v["chapters"]) for v in api.get(path(project)).json()["volumes"]]
    assert sizes == [4, 1]
    for wrong in ({"after": 10**9}, {"after": a.pk, "chapter_number": 9}, {"after": "x"}):
        answer = api.post(list_path, {"content": LONG_ENOUGH, **wrong})
        assert answer.status_code == 400 and "after" in answer.json()
    assert len(told(api, project)) == 5


def test_a_chapter_is_split_and_joined_again(
    api: JsonClient, project: NovelProject, chapters: list[Chapter]
) -> None:
    first = chapters[0]
    whole = f"{LONG_ENOUGH}\n\n　　{SECOND_HALF}"
    body = {"content": whole, "notes": "备注一\n  二"}
    assert api.patch(f"/api/chapters/{first.pk}", body).json()["notes"] == "备注一\n  二"
    one = f"/api/chapters/{first.pk}"
    ask = {"at": len(LONG_ENOUGH) + 2, "title": "之后", "base_version": 2}
    key = {"Idempotency-Key": "split-1"}
    answer = api.post(f"{one}/split", ask, headers=key)
    assert answer.status_code == 201
    assert api.post(f"{one}/split", ask, headers=key).json() == answer.json()
    kept, added = answer.json()["first"], answer.json()["second"]
    assert (kept["content"], kept["version"]) == (LONG_ENOUGH, 3)
    assert (added["content"], added["chapter_number"]) == (f"　　{SECOND_HALF}", 2)
    titles = [title for _, title in told(api, project)]
    assert titles == ["序幕", "之后", "第一章 雨", "第二章 灯"]
    assert ChapterVersion.objects.get(chapter=first, number=2).content == whole
    live = PendingAnalysis.objects.filter(active_chapter__isnull=False)
    assert set(live.values_list("chapter_id", flat=True)) == {first.pk, added["id"]}

    api.patch(f"/api/chapters/{added['id']}", {"notes": "备注三"})
    both = {"base_version": 3, "next_version": 1}
    joined = api.post(f"{one}/join", both).json()
    assert (joined["content"], joined["version"], joined["id"]) == (whole, 4, first.pk)
    assert joined["notes"] == "备注一\n  二\n\n备注三"
    # The same once more: it was done already.
    assert api.post(f"{one}/join", both).json()["code"] == "conflict"
    (item,) = api.get("/api/trash").json()
    assert item["id"] == added["id"]
    assert api.post(f"/api/trash/chapter/{item['id']}/restore").json()["chapter_number"] == 2
    assert api.get(f"/api/chapters/{added['id']}").json()["content"] == f"　　{SECOND_HALF}"


def test_what_cannot_be_split_or_joined_stays_as_it_is(
    api: JsonClient, project: NovelProject, chapters: list[Chapter], settings: Settings
) -> None:
    a, b, last = (f"/api/chapters/{chapter.pk}" for chapter in chapters)
    typed = {"content": "还没存的字", "base_version": 1, "client": "x", "seq": 1}
    assert api.put(f"{b}/working", typed).status_code == 200
    before = told(api, project)
    for at in (10**6, len(LONG_ENOUGH), 0, "x"):
        answer = api.post(f"{a}/split", {"at": at})
        assert answer.status_code == 400 and "at" in answer.json()
    refused = [
        (f"{a}/split", {"at": 5, "base_version": 0}, 400),
        (f"{b}/split", {"at": 5}, 409),  # what is typed there is no version yet
        (f"{b}/join", {}, 409),
        (f"{a}/join", {}, 409),
        (f"{last}/join", {}, 409),
    ]
    for call, body, status in refused:
        assert api.post(call, body).status_code == status, call
    assert api.post(f"{b}/join", {}).json()["working"]["content"] == "还没存的字"
    assert api.post(f"{last}/join", {}).json()["code"] == "no_next_chapter"
    api.post(f"{b}/versions", {})
    assert api.post(f"{b}/join", {"base_version": 1}).status_code == 409
    assert api.post(f"{b}/join", {"next_version": 1, "base_version": 2}).status_code == 200
    settings.ARBORIS_MAX_CHAPTER_CHARS = 10
    assert api.post(f"{a}/join", {}).status_code == 400
    assert told(api, project) == before[:2]
