"""What a text would do to the bible, over HTTP: told before it is saved, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from arboris.bible import models as bible
from arboris.bible.types.findings import Finding, WorldFact
from arboris.novels.models import Chapter, NovelProject
from tests.bible.test_fold import ev, payoff, person, seed
from tests.bible.test_foreshadowing import change
from tests.bible.test_service import record, tables
from tests.factories import JsonClient, make_chapter

pytestmark = pytest.mark.databases

SEED, PAID = "檐下的铜铃没有舌头。", "铜铃的舌头原来在井底。"
GAIN, GIVEN, LATER = "沈砚秋得到断剑。", "沈砚秋把断剑交给师父。", "顾长风得到断剑。"
FIRST = f"沈砚秋推开门。{SEED}{GAIN}"
SECOND = f"沈砚秋又来了。{GIVEN}青石镇落雪了。"
THIRD = f"顾长风赶到。{LATER}{PAID}"


def at(quote: str) -> dict[str, Any]:
    return {"evidence": ev(quote), "confidence": 0.9}


def sword(quote: str) -> WorldFact:
    return WorldFact(type="item", name="断剑", aliases=[], description="", **at(quote))


def findings(number: int) -> list[Finding]:
    snow = WorldFact(
        type="location", name="青石镇", aliases=[], description="", **at("青石镇落雪了")
    )
    found: dict[int, list[Finding]] = {
        1: [
            person("沈砚秋").model_copy(update={"evidence": ev("沈砚秋推开门")}),
            seed(SEED, "铜铃"),
            sword(GAIN),
            change("沈砚秋", "possession", "得到断剑", GAIN),
        ],
        2: [
            person("沈砚秋").model_copy(update={"evidence": ev("沈砚秋又来了")}),
            change("沈砚秋", "possession", "把断剑交给师父", GIVEN),
            snow,
        ],
        3: [
            person("顾长风").model_copy(update={"evidence": ev("顾长风赶到")}),
            change("顾长风", "possession", "得到断剑", LATER),
            payoff(PAID, "铜铃"),
        ],
    }
    return found[number]


@pytest.fixture
def chapters(project: NovelProject) -> list[Chapter]:
    made = [make_chapter(project, text, title="雨夜") for text in (FIRST, SECOND, THIRD)]
    for chapter in made:
        record(chapter, *findings(chapter.chapter_number))
    return made


def ask(api: JsonClient, chapter: Chapter, **body: Any) -> dict[str, Any]:
    answer = api.post(f"/api/chapters/{chapter.pk}/impact", body)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    assert found.keys() == {"vanishing", "orphaned_threads", "contradictions"}
    return found


NOTHING: dict[str, Any] = {"vanishing": [], "orphaned_threads": [], "contradictions": []}


def test_a_text_that_keeps_every_quote_changes_nothing(
    api: JsonClient, chapters: list[Chapter]
) -> None:
    assert ask(api, chapters[0], content=f"雨停了。\n{FIRST}又下了。") == NOTHING


def test_a_thread_loses_its_seed(api: JsonClient, chapters: list[Chapter]) -> None:
    before, notices = tables(), list(bible.Notice.objects.values())
    found = ask(api, chapters[0], content=FIRST.replace(SEED, ""))
    (thread,) = found["orphaned_threads"]
    assert (thread["description"], thread["quote"]) == (SEED, SEED)
    assert (thread["chapter_number"], thread["chapter_title"]) == (1, "雨夜")
    (paid,) = thread["payoffs"]
    assert (paid["quote"], paid["chapter_number"]) == (PAID, 3)
    assert (paid["chapter_id"], paid["outcome"]) == (chapters[2].pk, "paid_off")
    assert (found["vanishing"], found["contradictions"]) == ([], [])
    assert (tables(), list(bible.Notice.objects.values())) == (before, notices)  # a dry run


def test_facts_vanish_and_a_contradiction_appears(api: JsonClient, chapters: list[Chapter]) -> None:
    found = ask(api, chapters[1], content="沈砚秋又来了。")
    lost = [(one["type"], one["name"], one["quote"]) for one in found["vanishing"]]
    assert sorted(lost) == [("location", "青石镇", "青石镇落雪了"), ("state", "沈砚秋", GIVEN)]
    assert {one["chapter_id"] for one in found["vanishing"]} == {chapters[1].pk}
    (told,) = found["contradictions"]
    assert (told["kind"], told["subject"]) == ("item_in_two_hands", "断剑")
    assert (told["earlier"]["quote"], told["earlier"]["chapter_number"]) == (GAIN, 1)
    assert (told["later"]["quote"], told["later"]["chapter_number"]) == (LATER, 3)
    assert (told["quote"], told["chapter_number"]) == (LATER, 3)
    assert told["people"] == ["沈砚秋", "顾长风"]
    assert found["orphaned_threads"] == []
    assert not bible.Notice.objects.filter(kind="item_in_two_hands").exists()


def test_what_another_chapter_says_stays(api: JsonClient, chapters: list[Chapter]) -> None:
    found = ask(api, chapters[0], content="门开了。")
    # 沈砚秋 is in the second chapter too; the sword and the seed are gone.
    assert {one["type"] for one in found["vanishing"]} == {"state", "item"}
    found = ask(api, chapters[2], content="门开了。")
    names = {(one["type"], one["name"], one["description"]) for one in found["vanishing"]}
    assert ("character", "顾长风", "") in names
    assert ("payoff", "", PAID) in names  # the thread stays, and is open again


def rewrite(api: JsonClient, chapter: Chapter, text: str, *found: Finding) -> None:
    assert api.patch(f"/api/chapters/{chapter.pk}", {"content": text}).status_code == 200
    chapter.refresh_from_db()
    record(chapter, *found)


def test_a_version_is_judged_by_its_own_findings(api: JsonClient, chapters: list[Chapter]) -> None:
    _, second, third = chapters
    rewrite(api, second, "沈砚秋又来了。", findings(2)[0])
    rewrite(api, third, "顾长风赶到。", findings(3)[0])
    # The text alone does not say that the sword changes hands in it; the old analysis did.
    assert ask(api, third, content=THIRD) == NOTHING
    found = ask(api, third, version=1)
    assert [one["kind"] for one in found["contradictions"]] == ["item_in_two_hands"]
    assert found["contradictions"][0]["quote"] == LATER
    assert (found["vanishing"], found["orphaned_threads"]) == ([], [])


def test_the_writers_decisions_count(api: JsonClient, chapters: list[Chapter]) -> None:
    place = bible.WorldEntity.objects.get(name="青石镇")
    path = f"/api/projects/{place.project_id}/bible/decisions"
    rejected = {"action": "reject", "type": "location", "id": place.pk}
    assert api.post(path, rejected).status_code == 201
    content = SECOND.replace("青石镇落雪了。", "")
    assert ask(api, chapters[1], content=content) == NOTHING


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "non_field_errors"),
        ({"content": "字", "version": 1}, "non_field_errors"),
        ({"content": " "}, "content"),
        ({"content": 5}, "content"),
        ({"version": 9}, "version"),
        ({"version": "1"}, "version"),
    ],
)
def test_bad_input_names_its_field(
    api: JsonClient, chapters: list[Chapter], body: dict[str, Any], field: str
) -> None:
    answer = api.post(f"/api/chapters/{chapters[0].pk}/impact", body)
    assert answer.status_code == 400
    assert field in answer.json()
