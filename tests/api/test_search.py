"""Searching a novel, and replacing in it: places, names, widths, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from analysis.models import PendingAnalysis
from arboris.bible.models import Character, CharacterAlias, WorldEntity
from arboris.novels import services as novels
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.workspace.chapters import service as chapters
from arboris.workspace.search import replacing
from tests.factories import JsonClient, make_chapter, make_project

pytestmark = pytest.mark.postgresql

ONE = "雨停了。沈砚秋推开门，喊：“阿秋在吗？”\n\n没有人应。ＡＤＡ走了。"
TWO = "ada 与沈砚秋同行，路过Canada，遇见 Ada。"


@pytest.fixture
def novel(project: NovelProject) -> list[Chapter]:
    return [make_chapter(project, ONE, title="雨夜"), make_chapter(project, TWO)]


@pytest.fixture
def shen(project: NovelProject, novel: list[Chapter]) -> Character:
    person = Character.objects.create(
        project=project, natural_key="shen", name="沈砚秋", quote="", confidence=1
    )
    for name in ("阿秋", "秋"):
        CharacterAlias.objects.create(character=person, name=name, quote="", confidence=1)
    return person


def search(api: JsonClient, project: NovelProject, q: str, **more: Any) -> dict[str, Any]:
    answer = api.get(f"/api/projects/{project.pk}/search", {"q": q, **more})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def replace(api: JsonClient, project: NovelProject, q: str, by: str, **more: Any) -> Any:
    return api.post(f"/api/projects/{project.pk}/replace", {"q": q, "with": by, **more})


def words(body: dict[str, Any]) -> list[tuple[int, str]]:
    """The hits, cut out of the texts by their places."""
    texts = {1: ONE, 2: TWO}
    found = []
    for hit in body["hits"]:
        text = texts[hit["chapter_number"]]
        word = text[hit["offset"] : hit["offset"] + hit["length"]]
        at = hit["snippet_offset"]
        assert hit["snippet"][at : at + hit["length"]] == word
        assert hit["snippet"].strip("…") in text and "\n" not in hit["snippet"]
        found.append((hit["chapter_number"], word))
    return found


def text_of(chapter: Chapter) -> str:
    return Chapter.objects.get(pk=chapter.pk).current.content


@pytest.mark.usefixtures("shen")
def test_a_person_is_found_by_every_name(
    api: JsonClient, project: NovelProject, novel: list[Chapter]
) -> None:
    body = search(api, project, "阿秋")
    assert body["names"] == ["阿秋", "沈砚秋"]  # a name of one character is in every sentence
    assert words(body) == [(1, "沈砚秋"), (1, "阿秋"), (2, "沈砚秋")]
    assert (body["total"], body["chapters"]) == (3, 2)
    first = body["hits"][0]
    assert (first["chapter_id"], first["title"], first["version"]) == (novel[0].pk, "雨夜", 1)
    assert words(search(api, project, "阿秋", plain="1")) == [(1, "阿秋")]


LONG_ZH = (
    "雨停了。沈砚秋推开门，喊：“阿秋在吗？”没有人应，他便提着那盏旧灯笼沿着青石巷一直走到渡口，"
    "渡口的船家早已睡了，只有铜铃在风里轻轻地响。他站了很久，想起从前的话。"
)
LONG_EN = (
    'The Marigold came in on the tide, her sails torn, and nobody on the quay said anything, '
    'because "Captain Ives" was not at the wheel. Ada looked away.'
)  # fmt: skip


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("text", "query", "snippet"),
    [
        (
            LONG_ZH,
            "铜铃",
            "…渡口的船家早已睡了，只有铜铃在风里轻轻地响。他站了很久，想起从前的话。",
        ),
        (LONG_ZH, "雨停", "雨停了。沈砚秋推开门，喊：“阿秋在吗？”没有人应…"),
        (LONG_EN, "quay", "…sails torn, and nobody on the quay said anything…"),
        (LONG_EN, "Ada", '…Ives" was not at the wheel. Ada looked away.'),
        ("雨" * 300, "雨" * 150, f"{'雨' * 180}…"),  # no edge anywhere
    ],
)
def test_an_excerpt_is_cut_between_words(
    api: JsonClient, project: NovelProject, text: str, query: str, snippet: str
) -> None:
    make_chapter(project, text)
    hit = search(api, project, query)["hits"][0]
    assert hit["snippet"] == snippet
    at = hit["snippet_offset"]
    assert hit["snippet"][at : at + hit["length"]] == query


@pytest.mark.usefixtures("novel")
def test_case_and_width_do_not_matter(api: JsonClient, project: NovelProject) -> None:
    everywhere = [(1, "ＡＤＡ"), (2, "ada"), (2, "ada"), (2, "Ada")]
    for query in ("ada", "ＡＤＡ", "ａｄＡ"):
        assert words(search(api, project, query)) == everywhere
    assert words(search(api, project, "：“")) == [(1, "：“")]
    assert words(search(api, project, "a.a")) == []  # a text, and no pattern


def test_a_name_is_a_word_of_its_own(api: JsonClient, project: NovelProject, novel: Any) -> None:
    WorldEntity.objects.create(
        project=project, kind="item", name="Ada", aliases={"同行": {}}, quote="", confidence=1
    )
    assert words(search(api, project, "同行")) == [
        (1, "ＡＤＡ"),
        (2, "ada"),
        (2, "同行"),
        (2, "Ada"),
    ]


def test_pages_follow_each_other(api: JsonClient, project: NovelProject) -> None:
    for _ in range(25):  # more than are in memory at a time
        make_chapter(project, "雨。雨。")
    seen: list[tuple[int, int]] = []
    for offset in range(0, 60, 7):
        body = search(api, project, "雨", limit=7, offset=offset)
        assert (body["total"], body["chapters"]) == (50, 25)
        seen += [(hit["chapter_number"], hit["offset"]) for hit in body["hits"]]
    assert seen == [(number, at) for number in range(1, 26) for at in (0, 2)]


def test_what_is_typed_is_found_and_left_alone(
    api: JsonClient, project: NovelProject, novel: list[Chapter]
) -> None:
    typed = {"content": "雪。ada 没有来。", "base_version": 1, "client": "a", "seq": 1}
    assert api.put(f"/api/chapters/{novel[0].pk}/working", typed).status_code == 200
    (hit,) = search(api, project, "雪")["hits"]
    assert (hit["unsaved"], hit["offset"], hit["version"]) == (True, 0, 1)
    done = replace(api, project, "ada", "Eve").json()
    assert [(one["status"], one["count"]) for one in done["chapters"]] == [
        ("unsaved", 1),
        ("replaced", 3),
    ]
    chosen = replace(api, project, "ADA", "x", chapters=[one.pk for one in novel]).json()
    assert [one["status"] for one in chosen["chapters"]] == ["unsaved", "none"]
    assert text_of(novel[0]) == ONE
    assert api.get(f"/api/chapters/{novel[0].pk}/working").json()["content"] == typed["content"]


def test_a_preview_saves_nothing(
    api: JsonClient, project: NovelProject, novel: list[Chapter]
) -> None:
    body = replace(api, project, "ada", "Eve", preview=True).json()
    assert (body["total"], body["left"]) == (4, [])
    assert [(one["chapter_id"], one["count"], one["status"]) for one in body["chapters"]] == [
        (novel[0].pk, 1, "ready"),
        (novel[1].pk, 3, "ready"),
    ]
    hits = [hit for one in body["chapters"] for hit in one["hits"]]
    assert len(words({"hits": hits})) == 4
    assert ChapterVersion.objects.count() == 2


def test_chosen_chapters_get_one_version_each(
    api: JsonClient, project: NovelProject, novel: list[Chapter]
) -> None:
    body = replace(
        api, project, "ada", r"\g<0>", chapters=[novel[1].pk], base_versions={novel[1].pk: 1}
    ).json()
    (done,) = body["chapters"]
    assert (done["status"], done["count"], done["version"], done["undo"]) == ("replaced", 3, 2, 1)
    assert text_of(novel[1]) == TWO.replace("ada", r"\g<0>").replace("Ada", r"\g<0>")
    assert text_of(novel[0]) == ONE
    made = ChapterVersion.objects.get(chapter=novel[1], number=2)
    assert "ada" in made.name
    assert replace(api, project, "ada", "x", chapters=[]).json()["chapters"] == []


def test_a_second_try_replaces_nothing_twice(
    api: JsonClient, project: NovelProject, novel: list[Chapter]
) -> None:
    body = {"q": "ada", "with": "Ada ada"}
    path, key = f"/api/projects/{project.pk}/replace", {"Idempotency-Key": "a"}
    first, again = (api.post(path, body, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert first.json()["total"] == 4
    assert [Chapter.objects.get(pk=one.pk).version for one in novel] == [2, 2]
    assert api.post(path, {**body, "with": "x"}, headers=key).status_code == 422


@pytest.mark.usefixtures("shen")
def test_all_names_are_replaced_on_demand_alone(
    api: JsonClient, project: NovelProject, novel: list[Chapter]
) -> None:
    replace(api, project, "阿秋", "林晚")
    assert "沈砚秋" in text_of(novel[0])
    replace(api, project, "沈砚秋", "林晚", aliases=True)
    assert text_of(novel[0]).count("林晚") == text_of(novel[1]).count("林晚") + 1 == 2


def test_a_chapter_changed_meanwhile_is_told(
    api: JsonClient, project: NovelProject, novel: list[Chapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    api.patch(f"/api/chapters/{novel[0].pk}", {"content": "ADA"})
    one, other = replace(api, project, "ada", "Eve", base_versions={novel[0].pk: 1}).json()[
        "chapters"
    ]
    assert (one["status"], one["version"], one["undo"]) == ("changed", 2, None)
    assert other["status"] == "replaced"

    # Between the look at a chapter and its lock.
    lock = novels.lock_chapter

    def lock_late(chapter_id: int) -> Chapter:
        monkeypatch.setattr(novels, "lock_chapter", lock)
        api.patch(f"/api/chapters/{novel[0].pk}", {"content": "ADA, again"})
        return lock(chapter_id)

    monkeypatch.setattr(novels, "lock_chapter", lock_late)
    (one,) = replace(api, project, "ada", "Eve").json()["chapters"]
    assert (one["status"], one["version"]) == ("changed", 3)
    assert text_of(novel[0]) == "ADA, again"


def test_a_replaced_text_is_analysed_anew(api: JsonClient, project: NovelProject) -> None:
    long = make_chapter(project, "沈砚秋推开听雨楼的木门。" * 30)
    replace(api, project, "沈砚秋", "林晚")
    task = PendingAnalysis.objects.get()
    assert (task.chapter_id, task.version.number) == (long.pk, 2)


def test_what_cannot_be_saved_says_why(
    api: JsonClient, project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_CHAPTER_CHARS = 50
    for text in ("雨。", "雨。" * 20 + "晴", "雪落。雨。"):
        make_chapter(project, text)
    draft = make_chapter(project, "雨。未完")
    draft.versions.update(source="draft")
    found = replace(api, project, "雨。", "").json()["chapters"]
    assert [one["status"] for one in found] == ["empty", "replaced", "replaced", "draft"]
    found = replace(api, project, "雪", "雨" * 50).json()["chapters"]
    assert [one["status"] for one in found] == ["too_long"]
    assert replace(api, project, "雪", "雪").json()["chapters"][0]["status"] == "same"


def test_one_call_has_an_end(
    api: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replacing, "AT_ONCE", 2)
    ids = [make_chapter(project, "雨。").pk for _ in range(5)]
    asked: dict[str, Any] = {}
    calls = 0
    while True:
        body = replace(api, project, "雨", "雪", **asked).json()
        calls += 1
        if not body["left"]:
            break
        asked = {"chapters": body["left"]}
    assert calls == 3
    assert {Chapter.objects.get(pk=pk).version for pk in ids} == {2}


def test_it_can_be_taken_back(api: JsonClient, project: NovelProject, novel: list[Chapter]) -> None:
    for done in replace(api, project, "ada", "Eve").json()["chapters"]:
        chapter = Chapter.objects.get(pk=done["chapter_id"])
        before = chapter.versions.get(number=done["undo"]).content
        body = {"content": before, "base_version": done["version"]}
        assert api.patch(f"/api/chapters/{chapter.pk}", body).status_code == 200
    assert [text_of(one) for one in novel] == [ONE, TWO]


@pytest.mark.usefixtures("shen")
def test_the_palette_goes_anywhere(
    api: JsonClient, project: NovelProject, novel: list[Chapter]
) -> None:
    def go_to(q: str) -> dict[str, Any]:
        body: dict[str, Any] = api.get(f"/api/projects/{project.pk}/go-to", {"q": q}).json()
        return body

    chapter = {"id": novel[0].pk, "chapter_number": 1, "title": "雨夜"}
    assert go_to("雨夜")["chapters"] == go_to("1")["chapters"] == [chapter]
    body = go_to("阿秋")
    assert body["entries"] == [{"kind": "character", "name": "沈砚秋"}]
    assert words({"hits": body["passages"]}) == [(1, "阿秋")]
    assert go_to("雨")["passages"] == []  # one character is everywhere


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"with": "x"}, "q"),
        ({"q": "  ", "with": "x"}, "q"),
        ({"q": "x" * 201, "with": "x"}, "q"),
        ({"q": "x"}, "with"),
        ({"q": "x", "with": "\x00"}, "with"),
        ({"q": "x", "with": "y", "chapters": ["1"]}, "chapters"),
        ({"q": "x", "with": "y", "base_versions": {"a": 1}}, "base_versions"),
        ({"q": "x", "with": "y", "preview": "perhaps"}, "preview"),
    ],
)
def test_what_is_wrong_is_named(
    api: JsonClient, project: NovelProject, body: dict[str, Any], field: str
) -> None:
    answer = api.post(f"/api/projects/{project.pk}/replace", body)
    assert (answer.status_code, next(iter(answer.json()))) == (400, field)


def test_it_is_the_writers_own(
    api: JsonClient, foreign: JsonClient, anonymous: JsonClient, project: NovelProject
) -> None:
    mine = make_chapter(project, "雨。")
    theirs = make_project(project.owner)
    assert replace(api, theirs, "雨", "雪", chapters=[mine.pk]).json()["chapters"] == []
    for path in ("search?q=雨", "go-to?q=雨"):
        assert foreign.get(f"/api/projects/{project.pk}/{path}").status_code == 404
        assert anonymous.get(f"/api/projects/{project.pk}/{path}").status_code == 401
    assert replace(foreign, project, "雨", "雪").status_code == 404
    assert replace(anonymous, project, "雨", "雪").status_code == 401
    assert api.get(f"/api/projects/{project.pk}/search").json()["q"]
    assert chapters.SavedChapter.read(mine).content == "雨。"
