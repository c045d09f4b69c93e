"""Recording findings: the bible's tables follow, and rows keep their ids."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import models
from django.db.models import Model

from analysis.pipeline.run import Stated
from arboris.bible import models as bible
from arboris.bible import service
from arboris.bible.types.findings import (
    Appearance,
    Evidence,
    Finding,
    Relation,
    StateChange,
    WorldFact,
)
from arboris.db import in_transaction
from arboris.novels.models import Chapter, NovelProject
from tests.bible.test_fold import ev, payoff, person, seed
from tests.factories import JsonClient, make_chapter

pytestmark = pytest.mark.databases

TABLES: list[type[Model]] = [
    bible.Character,
    bible.CharacterAlias,
    bible.CharacterState,
    bible.WorldEntity,
    bible.ForeshadowingThread,
    bible.ForeshadowingEvent,
    bible.Relationship,
]
_tasks = itertools.count(1)


def stated(findings: Sequence[Finding], verified: bool = True) -> list[Stated]:
    return [Stated("character_tracking", finding, verified) for finding in findings]


def record(chapter: Chapter, *findings: Finding, verified: bool = True) -> None:
    def work() -> None:
        project = NovelProject.objects.select_for_update().get(pk=chapter.project_id)
        service.record(
            project,
            chapter_id=chapter.pk,
            version_id=chapter.current.pk,
            task_id=next(_tasks),
            findings=stated(findings, verified),
        )

    in_transaction(work)


def tables() -> dict[str, list[dict[str, Any]]]:
    return {t.__name__: list(t._default_manager.order_by("pk").values()) for t in TABLES}


def without_ids() -> dict[str, list[str]]:
    """The same, comparable between databases that counted differently."""
    keep = {"name", "kind", "description", "quote", "status", "outcome", "relation", "mentions",
            "chapter_id", "last_chapter_id", "aliases"}  # fmt: skip
    return {
        name: sorted(str({k: v for k, v in row.items() if k in keep}) for row in rows)
        for name, rows in tables().items()
    }


@pytest.fixture
def chapters(project: NovelProject) -> list[Chapter]:
    return [make_chapter(project) for _ in range(3)]


FIRST: list[Finding] = [
    person("沈砚秋", "老沈"),
    person("顾长风", start=9),
    Relation(
        source="沈砚秋", target="顾长风", relation="师徒", evidence=ev("师徒"), confidence=0.7
    ),
    WorldFact(
        type="location",
        name="听雨楼",
        aliases=["雨楼"],
        description="",
        evidence=ev("听雨楼"),
        confidence=0.9,
    ),
    seed("铜铃不响", "铜铃"),
]
SECOND: list[Finding] = [
    person("老沈"),
    StateChange(
        character="砚秋",
        kind="condition",
        description="受了伤",
        evidence=ev("受了伤"),
        confidence=0.6,
    ),
    payoff("铜铃响了", "铜铃"),
]
THIRD: list[Finding] = [person("顾长风"), person("林", start=5)]


def test_recording_twice_leaves_the_same_rows_with_the_same_ids(chapters: list[Chapter]) -> None:
    record(chapters[0], *FIRST)
    record(chapters[1], *SECOND)
    before = tables()
    assert all(before.values())
    record(chapters[1], *SECOND)
    record(chapters[0], *FIRST)
    assert tables() == before


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_it_does_not_matter_which_analysis_ended_first(
    chapters: list[Chapter], order: tuple[int, ...]
) -> None:
    for number in range(3):
        record(chapters[number], *[FIRST, SECOND, THIRD][number])
    expected = without_ids()
    bible.Finding.objects.all().delete()
    in_transaction(lambda: service.rebuild(chapters[0].project_id))
    assert not any(tables().values())
    for number in order:
        record(chapters[number], *[FIRST, SECOND, THIRD][number])
    assert without_ids() == expected


def test_an_edited_chapter_replaces_its_findings(chapters: list[Chapter]) -> None:
    record(chapters[0], *FIRST)
    record(chapters[1], *SECOND)
    kept = bible.Character.objects.get(name="沈砚秋").pk
    record(chapters[1], person("林"))
    assert bible.ForeshadowingThread.objects.get().status == "open"
    assert not bible.CharacterState.objects.exists()
    assert bible.Character.objects.get(name="沈砚秋").pk == kept
    assert bible.Character.objects.filter(name="林").exists()


def test_a_forgotten_chapter_counts_no_more(chapters: list[Chapter]) -> None:
    record(chapters[0], *FIRST)
    in_transaction(lambda: service.forget(chapters[0].project_id, chapters[0].pk))
    assert not any(tables().values())
    assert bible.Finding.objects.filter(current=False).count() == len(FIRST)


def test_what_is_not_in_the_text_is_kept_but_not_applied(chapters: list[Chapter]) -> None:
    record(chapters[0], *FIRST, verified=False)
    assert not any(tables().values())
    assert bible.Finding.objects.count() == len(FIRST)


def test_novels_keep_apart(chapters: list[Chapter], stranger: models.Model) -> None:
    from tests.factories import make_project

    other = make_chapter(make_project(chapters[0].project.owner, "别处"))
    record(other, person("沈砚秋"))
    record(chapters[0], *FIRST)
    before = bible.Character.objects.get(project=other.project).pk
    record(chapters[0])
    assert bible.Character.objects.get().pk == before


def test_names_that_differ_in_case_or_width_alone(chapters: list[Chapter]) -> None:
    record(chapters[0], person("Ada Finch"), person("ADA FINCH", start=20))
    record(chapters[1], person("Ａda Finch"))
    assert bible.Character.objects.count() == 1


@pytest.mark.parametrize("name", ["字" * 100, 'O\'Neil "%s" \\', "𠮷野家", "a" * 100])
def test_odd_names_are_kept(chapters: list[Chapter], name: str) -> None:
    record(chapters[0], person(name))
    assert bible.Character.objects.get().name == name


def test_the_api_shows_every_fact_with_its_ground(
    api: JsonClient, project: NovelProject, chapters: list[Chapter]
) -> None:
    record(chapters[0], *FIRST)
    record(chapters[1], *SECOND)
    body = api.get(f"/api/projects/{project.pk}/bible").json()
    assert set(body) == {"characters", "world", "foreshadowings", "relationships"}
    assert set(body["world"]) == {"locations", "factions", "items", "rules"}
    facts = [*body["characters"], *body["foreshadowings"], *body["relationships"]]
    facts += [entry for entries in body["world"].values() for entry in entries]
    facts += [state for one in body["characters"] for state in one["states"]]
    facts += [event for thread in body["foreshadowings"] for event in thread["events"]]
    assert len(facts) == 7
    for fact in facts:
        assert fact["chapter_number"] in {1, 2}
        assert fact["quote"]
        assert 0 <= fact["confidence"] <= 1
    shen = next(one for one in body["characters"] if one["name"] == "沈砚秋")
    assert shen["aliases"] == ["老沈"]
    assert shen["states"][0]["description"] == "受了伤"
    (thread,) = body["foreshadowings"]
    assert (thread["status"], thread["events"][0]["chapter_number"]) == ("paid_off", 2)
    (pair,) = body["relationships"]
    assert (pair["source"], pair["relation"], pair["target"]) == ("沈砚秋", "师徒", "顾长风")


def test_an_empty_bible_has_its_whole_shape(api: JsonClient, project: NovelProject) -> None:
    assert api.get(f"/api/projects/{project.pk}/bible").json() == {
        "characters": [],
        "world": {"locations": [], "factions": [], "items": [], "rules": []},
        "foreshadowings": [],
        "relationships": [],
    }


def test_findings_of_the_chapter_carry_their_place(api: JsonClient, project: NovelProject) -> None:
    chapter = make_chapter(project)
    start = chapter.current.content.index("听雨楼")
    finding = Appearance(
        name="沈砚秋",
        aliases=[],
        evidence=Evidence(quote="听雨楼", start=start, end=start + 3),
        confidence=0.9,
    )
    record(chapter, finding)
    (row,) = api.get(f"/api/chapters/{chapter.pk}/findings").json()
    assert chapter.current.content[row["start"] : row["end"]] == row["quote"] == "听雨楼"
