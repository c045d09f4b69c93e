"""A feature that is switched off is not run, and nowhere shown as done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation
from pytest_django import Settings

from analysis import run_analysis
from analysis.features import FEATURES, FeatureKey, usual
from analysis.models import PendingAnalysis
from analysis.worker.steward import Steward
from arboris.bible.models import Finding
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.analyzers import Scripted
from tests.factories import LONG_ENOUGH, JsonClient, claim_next, make_chapter, queue_chapter
from tests.llm.endpoint import Endpoint, Reply, configured

WHOLE = "Character states, world and other information have been updated"
MARKS: dict[str, FeatureKey] = {
    "Tracking": "character_tracking",
    "Newcomers": "new_character_detection",
    "World": "world_expansion",
    "Threads": "foreshadowing",
}


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[Endpoint]:
    with configured(settings) as server:
        settings.ARBORIS_ANALYZER = "llm"
        settings.ARBORIS_SUMMARY = "extractive"
        empty: dict[str, list[str]] = {"characters": [], "entities": [], "seeds": []}
        server.answer = lambda body: Reply(json.dumps(empty))
        yield server


def analyse(project: NovelProject, switches: dict[str, bool]) -> PendingAnalysis:
    task = queue_chapter(project, enhanced_features=switches)
    run_analysis.run(claim_next(), Steward())
    task.refresh_from_db()
    assert task.status == "completed", task.error_message
    return task


def english(api: JsonClient, url: str) -> Any:
    return api.get(url, headers={"accept-language": "en"}).json()


@pytest.mark.parametrize("off", usual())
def test_one_that_is_off_is_not_asked_for_nor_told(
    api: JsonClient, project: NovelProject, endpoint: Endpoint, off: FeatureKey
) -> None:
    task = analyse(project, {off: False})
    asked = [MARKS[b["response_format"]["json_schema"]["name"]] for b in endpoint.requests]
    on = [feature for feature in usual() if feature != off]
    assert sorted(asked) == sorted(on)
    detail = api.get(f"/api/async-analysis/tasks/{task.pk}").json()
    assert detail["result"]["features"] == on
    assert detail["generation_config"] == {"enhanced_features": {off: False}}
    (told,) = english(api, "/api/async-analysis/notifications")
    assert told["data"]["features"] == on
    assert told["message"] == "Updated: " + ", ".join(str(FEATURES[key].updates) for key in on)


@pytest.mark.parametrize("only", usual())
def test_one_that_is_on_alone(
    project: NovelProject, scripted: None, settings: Settings, only: FeatureKey
) -> None:
    task = analyse(project, {feature: feature == only for feature in FEATURES})
    assert Scripted.runs == [only]
    assert task.result is not None and task.result["features"] == [only]
    assert set(Finding.objects.values_list("feature", flat=True)) <= {only}
    with translation.override("en"):
        assert AnalysisNotification.objects.get().data["features"] == [only]


def test_with_all_of_them_the_sentence_is_the_old_one(
    api: JsonClient, project: NovelProject, scripted: None
) -> None:
    analyse(project, {})
    (told,) = english(api, "/api/async-analysis/notifications")
    assert told["message"] == WHOLE


def test_the_offline_analyzer_finds_nothing_of_what_is_off(project: NovelProject) -> None:
    text = "沈砚秋推开听雨楼的木门，顾长风身受重伤。铜铃为什么会响？谁也不知道。" * 12
    kinds = {
        "character_tracking": {"appearance", "state", "relationship"},
        "new_character_detection": {"character"},
        "world_expansion": {"location", "faction", "item", "rule"},
        "foreshadowing": {"foreshadowing", "payoff"},
    }
    for off, types in kinds.items():
        queue_chapter(project, text, enhanced_features={off: False})
        claim = claim_next()
        run_analysis.run(claim, Steward())
        found = set(Finding.objects.filter(task_id=claim.task_id).values_list("type", flat=True))
        assert found and not found & types, off


def test_a_text_that_got_too_short_is_told_everywhere(
    api: JsonClient, project: NovelProject, scripted: None
) -> None:
    chapter = make_chapter(project)
    url = f"/api/chapters/{chapter.pk}"
    first = api.patch(url, {"content": LONG_ENOUGH + "一"}).json()
    assert first["analysis"]["status"] == "pending"
    run_analysis.run(claim_next(), Steward())
    assert api.get(url).json()["analysis"]["status"] == "completed"
    for answer in (api.patch(url, {"content": "短。"}).json(), api.get(url).json()):
        assert answer["analysis"] is None  # nothing is left that says "analysed"
        assert "200" in answer["analysis_note"]
        assert answer["summary"] == "短。"
    (row,) = api.get(f"/api/projects/{project.pk}/chapters").json()
    assert row["analysis"] is None


def test_a_threshold_of_the_last_analysis_holds_for_the_note(
    api: JsonClient, project: NovelProject
) -> None:
    config = {"dynamic_threshold": {"min_chapter_length": 50}}
    body = {"content": "字" * 60, "generation_config": config}
    chapter = api.post(f"/api/projects/{project.pk}/chapters", body).json()
    url = f"/api/chapters/{chapter['id']}"
    assert "50" in api.patch(url, {"content": "字" * 49}).json()["analysis_note"]
    assert "50" in api.get(url).json()["analysis_note"]
    assert api.get(url).json()["summary"]


def test_switched_off_altogether_the_chapter_says_so(
    api: JsonClient, project: NovelProject
) -> None:
    config = {"enhanced_features": dict.fromkeys(FEATURES, False)}
    chapter = make_chapter(project)
    url = f"/api/chapters/{chapter.pk}"
    answer = api.patch(url, {"content": LONG_ENOUGH * 2, "generation_config": config}).json()
    assert answer["analysis"] is None and answer["analysis_note"]
    assert not PendingAnalysis.objects.exists()
