"""generation_config: a wrong type or range names the key, unknown keys are kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analysis.models import PendingAnalysis
from arboris.novels.models import Chapter, NovelProject
from arboris.workspace.chapters.analysis_options import OTHERWISE
from tests.factories import LONG_ENOUGH, JsonClient, make_chapter


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


WRONG: list[tuple[Any, str]] = [
    ("text", ""),
    ([], ""),
    (7, ""),
    (True, ""),
    (None, ""),
    ({"enhanced_features": []}, "enhanced_features"),
    ({"enhanced_features": None}, "enhanced_features"),
    ({"enhanced_features": {"foreshadowing": "yes"}}, "enhanced_features.foreshadowing"),
    ({"enhanced_features": {"world_expansion": 1}}, "enhanced_features.world_expansion"),
    ({"enhanced_features": {"character_tracking": None}}, "enhanced_features.character_tracking"),
    ({"dynamic_threshold": 5}, "dynamic_threshold"),
    ({"dynamic_threshold": {"min_chapter_length": "200"}}, "dynamic_threshold.min_chapter_length"),
    ({"dynamic_threshold": {"min_chapter_length": -1}}, "dynamic_threshold.min_chapter_length"),
    ({"dynamic_threshold": {"min_chapter_length": 1.5}}, "dynamic_threshold.min_chapter_length"),
    ({"dynamic_threshold": {"min_chapter_length": True}}, "dynamic_threshold.min_chapter_length"),
    (
        {"dynamic_threshold": {"confidence_threshold": 1.01}},
        "dynamic_threshold.confidence_threshold",
    ),
    (
        {"dynamic_threshold": {"confidence_threshold": -0.1}},
        "dynamic_threshold.confidence_threshold",
    ),
    (
        {"dynamic_threshold": {"confidence_threshold": "0.5"}},
        "dynamic_threshold.confidence_threshold",
    ),
    (
        {"dynamic_threshold": {"confidence_threshold": True}},
        "dynamic_threshold.confidence_threshold",
    ),
    ({"model_name": 3}, "model_name"),
    ({"model_name": ""}, "model_name"),
    ({"temperature": "hot"}, "temperature"),
    ({"temperature": 2.1}, "temperature"),
    ({"temperature": True}, "temperature"),
    ({"note": "x" * 65_536}, ""),
    ({"note": "有\x00空"}, ""),
    ({"no\x00te": 1}, ""),
    ({"note": deep(200)}, ""),
    ({"note": deep(40)}, ""),
]
RIGHT: list[dict[str, Any]] = [
    {},
    {"own_key": {"nested": [1, None, "𠮷"]}},
    {"enhanced_features": {}},
    {"enhanced_features": {"foreshadowing": False, "another": "kept"}},
    {"dynamic_threshold": {"confidence_threshold": 1}},
    {"dynamic_threshold": {"confidence_threshold": 0.0, "min_chapter_length": 0}},
    {"model_name": "qwen3", "temperature": 0},
    {"model_name": None, "temperature": None},
    {"note": r"a backslash \u0000 spelled out is text"},
    {"note": "字" * 20_000},
]


def post(api: JsonClient, project: NovelProject, config: str) -> Any:
    body = f'{{"content": {json.dumps(LONG_ENOUGH)}, "generation_config": {config}}}'
    return api.post(f"/api/projects/{project.pk}/chapters", body, content_type="application/json")


@pytest.mark.parametrize(("config", "key"), WRONG, ids=lambda value: str(value)[:60])
def test_wrong_config_names_the_key(
    api: JsonClient, project: NovelProject, config: Any, key: str
) -> None:
    answer = post(api, project, json.dumps(config))
    assert answer.status_code == 400, answer.content
    (message, *_) = answer.json()["generation_config"]
    assert message.startswith(f"{key}:") if key else message
    assert not Chapter.objects.exists()
    assert not PendingAnalysis.objects.exists()


@pytest.mark.parametrize(
    "config",
    ['{"note": "\\ud800"}', '{"\\udfff": 1}', '{"note": 1e999}', '{"temperature": 1e999}'],
)
def test_what_no_database_can_hold_is_refused(
    api: JsonClient, project: NovelProject, config: str
) -> None:
    answer = post(api, project, config)
    assert answer.status_code == 400, answer.content
    assert "generation_config" in answer.json()
    assert not Chapter.objects.exists()


@pytest.mark.parametrize("config", ['{"note": NaN}', '{"temperature": Infinity}'])
def test_numbers_that_json_does_not_have_are_refused(
    api: JsonClient, project: NovelProject, config: str
) -> None:
    answer = post(api, project, config)
    assert answer.status_code == 400
    assert {"detail", "code"} <= set(answer.json())
    assert not Chapter.objects.exists()


@pytest.mark.parametrize("config", RIGHT, ids=lambda value: str(value)[:60])
def test_right_config_is_kept_as_given(
    api: JsonClient, project: NovelProject, config: dict[str, Any]
) -> None:
    answer = post(api, project, json.dumps(config))
    assert answer.status_code == 201, answer.content
    assert PendingAnalysis.objects.get().generation_config == config


def test_all_features_off_is_a_summary_alone(api: JsonClient, project: NovelProject) -> None:
    off = dict.fromkeys(
        ["character_tracking", "new_character_detection", "world_expansion", "foreshadowing"], False
    )
    body = post(api, project, json.dumps({"enhanced_features": off})).json()
    assert body["analysis"] is None
    assert body["analysis_note"]


def test_patch_checks_it_too(api: JsonClient, project: NovelProject) -> None:
    chapter = make_chapter(project)
    answer = api.patch(
        f"/api/chapters/{chapter.pk}",
        {"content": LONG_ENOUGH + "又一句。", "generation_config": {"temperature": 9}},
    )
    assert answer.status_code == 400
    assert answer.json()["generation_config"][0].startswith("temperature:")
    chapter.refresh_from_db()
    assert chapter.version == 1


MESSAGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"temperature": "hot"}, ["temperature: A number is required."]),
    ({"temperature": 2.5}, ["temperature: Must be 2 or less."]),
    ({"temperature": -1}, ["temperature: Must be 0 or more."]),
    ({"model_name": 3}, ["model_name: A text is required."]),
    ({"model_name": ""}, ["model_name: Must not be empty."]),
    ({"model_name": "x" * 201}, ["model_name: Must have at most 200 characters."]),
    ({"enhanced_features": 1}, ["enhanced_features: Must be a JSON object."]),
    (
        {
            "enhanced_features": {"foreshadowing": "yes"},
            "dynamic_threshold": {"min_chapter_length": 1.5, "confidence_threshold": True},
        },
        [
            "enhanced_features.foreshadowing: Must be true or false.",
            "dynamic_threshold.min_chapter_length: A whole number is required.",
            "dynamic_threshold.confidence_threshold: A number is required.",
        ],
    ),
]


@pytest.mark.parametrize(("config", "messages"), MESSAGES, ids=lambda value: str(value)[:40])
def test_one_sentence_a_key_in_our_words(
    api: JsonClient, project: NovelProject, config: dict[str, Any], messages: list[str]
) -> None:
    body = {"content": LONG_ENOUGH, "generation_config": config}
    path = f"/api/projects/{project.pk}/chapters"
    answer = api.post(path, body, HTTP_ACCEPT_LANGUAGE="en")
    assert answer.json()["generation_config"] == messages


def test_no_fault_is_left_to_the_catch_all(api: JsonClient, project: NovelProject) -> None:
    for config, _ in WRONG:
        body = {"content": LONG_ENOUGH, "generation_config": config}
        path = f"/api/projects/{project.pk}/chapters"
        answer = api.post(path, body, HTTP_ACCEPT_LANGUAGE="en")
        assert OTHERWISE not in answer.content.decode(), config
