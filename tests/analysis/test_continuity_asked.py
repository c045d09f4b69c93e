"""The fifth question: what a chapter says against the facts of earlier ones, asked of the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from analysis import run_analysis
from analysis.features import FEATURES
from analysis.worker.steward import Steward
from arboris.bible.models import Character
from arboris.novels.models import NovelProject
from arboris.workspace.bible import export
from notifications.models import AnalysisNotification
from tests.analysis.llm_answers import data_of, feature_of, says, someone
from tests.factories import JsonClient, claim_next, queue_chapter
from tests.llm.endpoint import Endpoint, Reply

FIRST = "顾长风死在听雨楼下，再没有起来。沈砚秋左眼上一道旧疤，掌心握着青铜钥匙。"
SECOND = "顾长风推门进来，笑着坐下。沈砚秋右眼上的旧疤泛着红。柳七手里转着青铜钥匙。"
LATER = "顾长风又喝了一碗酒。沈砚秋右眼的疤还在。"
DIED, SCAR, KEY = "顾长风死在听雨楼下", "左眼上一道旧疤", "掌心握着青铜钥匙"
ACTS, OTHER_SCAR, HANDS = "顾长风推门进来", "右眼上的旧疤泛着红", "柳七手里转着青铜钥匙"
FOUR = [key for key, feature in FEATURES.items() if not feature.compares]


def people(*names: str, quote: str) -> list[dict[str, Any]]:
    return [someone(name, quote) for name in names]


def change(name: str, kind: str, description: str, quote: str) -> dict[str, Any]:
    about = {"character": name, "kind": kind, "description": description}
    return {**about, "quote": quote, "confidence": 0.95}


def clash(kind: str, fact: int | None, earlier: str, quote: str, **more: Any) -> dict[str, Any]:
    said = {"kind": kind, "fact": fact, "earlier": earlier, "quote": quote}
    return {"confidence": 0.95, "description": "前后不合", **said, **more}


ONE = says(
    character_tracking={
        "characters": [*people("顾长风", quote=DIED), *people("沈砚秋", quote=SCAR)],
        "changes": [
            change("顾长风", "condition", "死亡", DIED),
            change("沈砚秋", "possession", "得到青铜钥匙", KEY),
        ],
    },
    new_character_detection={
        "characters": [someone("沈砚秋", SCAR, description="左眼有疤", role="main")]
    },
    world_expansion={
        "entities": [{"kind": "item", "name": "青铜钥匙", "quote": KEY, "confidence": 0.9}]
    },
)


def two(*contradictions: dict[str, Any]) -> Callable[[dict[str, Any]], Reply]:
    """The second chapter's people, and what the model says against the first."""
    answer: Callable[[dict[str, Any]], Reply] = says(
        character_tracking={
            "characters": [*people("顾长风", quote="顾长风"), *people("沈砚秋", quote=OTHER_SCAR)]
        },
        continuity={"contradictions": list(contradictions)},
    )
    return answer


def number_of(body: dict[str, Any], quote: str) -> int:
    (line,) = (line for line in data_of(body, "FACTS").splitlines() if quote in line)
    return int(line.partition(".")[0])


def analyse(project: NovelProject, text: str, **config: Any) -> Any:
    task = queue_chapter(project, text * 6, **config)
    run_analysis.run(claim_next(), Steward())
    task.refresh_from_db()
    assert task.status == "completed", task.error_message
    return task


def warnings(api: JsonClient, project: NovelProject) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/api/projects/{project.pk}/bible/inbox").json()[
        "warnings"
    ]
    return found


@pytest.fixture
def begun(project: NovelProject, settings: Settings, endpoint: Endpoint) -> NovelProject:
    """A novel of which the first chapter is read. With an empty bible only four are asked."""
    settings.ARBORIS_ANALYZER = "llm"
    settings.ARBORIS_SUMMARY = "extractive"
    endpoint.answer = ONE
    task = analyse(project, FIRST)
    assert sorted(map(feature_of, endpoint.requests)) == sorted(FOUR)
    assert task.result["features"] == FOUR
    told = AnalysisNotification.objects.get().as_dict()
    assert told["message"] == "角色状态、世界观等信息已更新"
    endpoint.requests.clear()
    return project


def test_what_the_model_says_against_the_bible_is_told_once(
    api: JsonClient, begun: NovelProject, endpoint: Endpoint
) -> None:
    answer = two()

    def numbered(body: dict[str, Any]) -> Reply:
        if feature_of(body) != "continuity":
            return answer(body)
        told = data_of(body, "FACTS")
        assert ". [第 1 章] 顾长风: 已死 — 顾长风死在听雨楼下" in told and "左眼有疤" in told
        reply = two(
            clash("dead_acts", number_of(body, DIED), DIED, ACTS),
            # The number is wrong, and the passage tells which is meant.
            clash("looks", number_of(body, DIED), SCAR, OTHER_SCAR),
            clash("一物两主", number_of(body, KEY), KEY, HANDS, item="青铜钥匙", holder="柳七"),
            # Without grounds: in no fact, of no fact, not in the chapter.
            clash("age", None, "他十七岁", ACTS),
            clash("age", 99, "", ACTS),
            clash("two_places", 1, DIED, "顾长风同时在京城"),
        )(body)
        return reply

    endpoint.answer = numbered
    task = analyse(begun, SECOND)
    assert task.result["features"] == list(FEATURES)
    assert (task.result["left_out"], task.result["problems"]) == (3, 3)
    shared = {body["messages"][1]["content"].partition("<<<FACTS")[0] for body in endpoint.requests}
    assert (
        len(endpoint.requests) == 5 and len({text.partition("<<<TASK")[0] for text in shared}) == 1
    )

    newest = api.get("/api/async-analysis/notifications").json()[0]
    assert newest["message"] == "角色状态、世界观等信息已更新"

    told = warnings(api, begun)
    assert {one["kind"]: (one["subject"], one["earlier"]["quote"]) for one in told} == {
        "dead_acts": ("顾长风", DIED),
        "looks": ("沈砚秋", SCAR),
        "item_in_two_hands": ("青铜钥匙", KEY),
    }
    assert {one["later"]["quote"] for one in told} == {ACTS, OTHER_SCAR, HANDS}
    assert {one["earlier"]["chapter_number"] for one in told} == {1}
    (item,) = (one for one in told if one["kind"] == "item_in_two_hands")
    assert item["people"] == ["沈砚秋", "柳七"]

    # The facts are told; the text counts as it was written last.
    endpoint.answer = two(
        clash("dead_acts", None, DIED, "顾长风又喝了一碗酒"),
        clash("looks", None, SCAR, "右眼的疤还在"),
    )
    endpoint.requests.clear()
    analyse(begun, LATER)
    assert "continuity" not in map(feature_of, endpoint.requests)  # nothing is left to compare
    assert [one["ref"] for one in warnings(api, begun)] == [one["ref"] for one in told]


def test_the_same_answers_again_and_the_writers_word(
    api: JsonClient, begun: NovelProject, endpoint: Endpoint
) -> None:
    endpoint.answer = two(
        clash("dead_acts", None, DIED, ACTS), clash("looks", None, SCAR, OTHER_SCAR)
    )
    task = analyse(begun, SECOND)
    before = export.as_json(begun)[0]
    dead, looks = sorted(warnings(api, begun), key=lambda one: str(one["kind"]))
    url = f"/api/projects/{begun.pk}/bible/decisions"
    assert api.post(url, {"action": "reject", "ref": looks["ref"]}).status_code == 201
    assert api.post(url, {"action": "accept", "ref": dead["ref"]}).status_code == 201
    for chapter_id, text, answer in (
        (task.chapter_id, SECOND, endpoint.answer),
        (begun.chapters.get(chapter_number=1).pk, FIRST, ONE),
    ):
        endpoint.answer = answer
        changed = api.patch(f"/api/chapters/{chapter_id}", {"content": f"{text * 6}\n天亮了。"})
        assert changed.status_code == 200
        run_analysis.run(claim_next(), Steward())
        assert export.as_json(begun)[0] == before
        (left,) = warnings(api, begun)
        assert (left["ref"], left["to_fix"]) == (dead["ref"], True)
    # It goes once the earlier chapter says it no more.
    endpoint.answer = says(character_tracking={"characters": people("顾长风", quote="顾长风")})
    first = begun.chapters.get(chapter_number=1)
    api.patch(f"/api/chapters/{first.pk}", {"content": "顾长风走下听雨楼，头也不回。" * 20})
    run_analysis.run(claim_next(), Steward())
    assert Character.objects.get(name="顾长风").death is None
    assert warnings(api, begun) == []


def test_it_can_be_switched_off_and_never_runs_alone_by_default(
    api: JsonClient, begun: NovelProject, endpoint: Endpoint
) -> None:
    endpoint.answer = two(clash("dead_acts", None, DIED, ACTS))
    task = analyse(begun, SECOND, enhanced_features={"continuity": False})
    assert task.result["features"] == FOUR and warnings(api, begun) == []
    off = dict.fromkeys(FOUR, False)
    url = f"/api/projects/{begun.pk}/chapters"
    said = {"content": SECOND * 6, "generation_config": {"enhanced_features": off}}
    assert api.post(url, said).json()["analysis"] is None
    endpoint.requests.clear()
    said["generation_config"] = {"enhanced_features": off | {"continuity": True}}
    assert api.post(url, said).json()["analysis"] is not None
    run_analysis.run(claim_next(), Steward())
    assert list(map(feature_of, endpoint.requests)) == ["continuity"]
    (told,) = warnings(api, begun)
    assert told["kind"] == "dead_acts"


def test_a_contradiction_the_patterns_found_is_not_told_twice(
    api: JsonClient, begun: NovelProject, endpoint: Endpoint
) -> None:
    sat = "顾长风推门进来，笑着坐下"
    answer = says(
        character_tracking={
            "characters": people("顾长风", quote=sat),
            "changes": [change("顾长风", "location", "来到屋里", sat)],
        },
        continuity={"contradictions": [clash("dead_acts", None, DIED, ACTS)]},
    )
    endpoint.answer = answer
    task = analyse(begun, SECOND)
    (told,) = warnings(api, begun)
    assert (told["kind"], told["subject"]) == ("dead_acts", "顾长风")
    shown = api.get(f"/api/chapters/{task.chapter_id}/findings").json()
    (finding,) = (one for one in shown if one["type"] == "contradiction")
    assert (finding["label"], finding["quote"]) == ("顾长风", ACTS)
    assert finding["payload"]["earlier"] == DIED
