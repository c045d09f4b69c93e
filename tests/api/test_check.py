"""What a text contradicts while it is written, over HTTP: both passages and their places."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.analyzers.base import ChapterInput
from analysis.analyzers.local import LocalAnalyzer
from analysis.pipeline import run
from arboris.bible import models as bible
from arboris.novels.models import Chapter, NovelProject
from tests.bible.test_service import record, tables
from tests.factories import JsonClient, make_chapter

pytestmark = pytest.mark.databases

FIRST = (
    "骆青梅有一双湛蓝的眼睛。骆青梅笑道：“走吧。”\n程砚点头。程砚问：“去哪里？”\n"
    "那天夜里，程砚病死了。"
)
OPEN = "雨下了一夜。\n骆青梅抬起头，褐色的眼睛里没有光。\n“早。”程砚推开门，低声说。"
EYES, ACT = "骆青梅抬起头，褐色的眼睛里没有光。", "程砚推开门，低声说。"


@pytest.fixture
def second(project: NovelProject) -> Chapter:
    """The chapter after one that was analysed offline."""
    first = make_chapter(project, FIRST, title="旧事")
    chapter = ChapterInput(text=FIRST, language="zh", chapter_number=1)
    outcome = run(LocalAnalyzer(), chapter, {}, {}, lambda *_: None)
    record(first, *(stated.finding for stated in outcome.findings))
    return make_chapter(project, "空。")


def ask(api: JsonClient, chapter: Chapter, **body: Any) -> list[dict[str, Any]]:
    answer = api.post(f"/api/chapters/{chapter.pk}/check", body)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["contradictions"]
    return found


def test_contradictions_have_both_passages_and_their_places(
    api: JsonClient, second: Chapter
) -> None:
    before, notices = tables(), list(bible.Notice.objects.values())
    looks, dead = ask(api, second, content=OPEN)
    assert (looks["kind"], looks["subject"]) == ("looks", "骆青梅")
    assert (looks["earlier"]["quote"], looks["earlier"]["chapter_title"]) == (
        "骆青梅有一双湛蓝的眼睛。",
        "旧事",
    )
    assert (looks["quote"], OPEN[looks["start"] : looks["end"]]) == (EYES, EYES)
    assert (dead["kind"], dead["earlier"]["chapter_number"]) == ("dead_acts", 1)
    assert dead["later"]["chapter_id"] == second.pk
    assert OPEN[dead["start"] : dead["end"]] == ACT
    assert (tables(), list(bible.Notice.objects.values())) == (before, notices)


def test_a_passage_alone(api: JsonClient, second: Chapter) -> None:
    start = OPEN.index(EYES)
    (looks,) = ask(api, second, content=OPEN, start=start, end=start + len(EYES))
    assert looks["start"] == start
    # Whom a pronoun means stands before the passage.
    text = "骆青梅抬起头。\n她褐色的眼睛里没有光。"
    (looks,) = ask(api, second, content=text, start=text.index("她"))
    assert looks["subject"] == "骆青梅"
    assert ask(api, second, content="", start=0) == []


def test_an_earlier_chapter_knows_nothing_of_what_comes(
    api: JsonClient, project: NovelProject, second: Chapter
) -> None:
    first = project.chapters.get(chapter_number=1)
    # Neither its own text nor its death contradict the chapter itself.
    assert ask(api, first, content=FIRST) == []
    assert ask(api, first, content=f"程砚推开门。\n{FIRST}") == []


def test_what_the_writer_said_is_none_is_not_told(
    api: JsonClient, project: NovelProject, second: Chapter
) -> None:
    chapter = ChapterInput(text=OPEN, language="zh", chapter_number=2)
    outcome = run(LocalAnalyzer(), chapter, {}, {}, lambda *_: None)
    record(second, *(stated.finding for stated in outcome.findings))
    told = api.get(f"/api/projects/{project.pk}/bible/inbox").json()["warnings"]
    for one in told:
        decision = {"action": "reject", "ref": one["ref"]}
        assert api.post(f"/api/projects/{project.pk}/bible/decisions", decision).status_code == 201
    assert {one["kind"] for one in told} == {"looks", "dead_acts"}
    assert ask(api, second, content=OPEN) == []


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content"),
        ({"content": 5}, "content"),
        ({"content": "字", "start": 2}, "start"),
        ({"content": "字", "end": 2}, "end"),
        ({"content": "字", "start": -1}, "start"),
        ({"content": "字", "start": "0"}, "start"),
    ],
)
def test_bad_input_names_the_field(
    api: JsonClient, second: Chapter, body: dict[str, Any], field: str
) -> None:
    answer = api.post(f"/api/chapters/{second.pk}/check", body)
    assert answer.status_code == 400
    assert field in answer.json()


@pytest.mark.sqlite_only
def test_whose_chapter(
    api: JsonClient, anonymous: JsonClient, foreign: JsonClient, second: Chapter
) -> None:
    url, body = f"/api/chapters/{second.pk}/check", {"content": OPEN}
    assert anonymous.post(url, body).status_code == 401
    assert foreign.post(url, body).status_code == 404
