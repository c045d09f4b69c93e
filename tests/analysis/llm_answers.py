"""A chapter, and the answers of a model that is asked for the features of its analysis."""

from __future__ import annotations

import json
import re
from typing import Any

from analysis.analyzers.base import ChapterInput, FeatureResult
from analysis.analyzers.llm import LLMAnalyzer
from analysis.features import FEATURES, FeatureKey
from arboris.llm.routes import Route, Target
from tests.llm.endpoint import Reply

TEXT = (
    "沈砚秋推开听雨楼的门。「等不得了。」顾长风说着，把青铜钥匙递给他。\n窗"
    "外的铃响了三声，没有人去碰它。"
)
EMPTY: dict[FeatureKey, dict[str, Any]] = {
    "character_tracking": {"characters": [], "changes": [], "relations": []},
    "new_character_detection": {"characters": []},
    "world_expansion": {"entities": []},
    "foreshadowing": {"seeds": [], "payoffs": []},
    "continuity": {"contradictions": []},
}
MARKS: dict[str, FeatureKey] = {
    "Tracking": "character_tracking",
    "Newcomers": "new_character_detection",
    "World": "world_expansion",
    "Threads": "foreshadowing",
    "Contradictions": "continuity",
}


def feature_of(body: dict[str, Any]) -> FeatureKey:
    """By the schema that is asked for, in a field of its own or in words."""
    asked = body.get("response_format", {})
    if asked.get("type") == "json_schema":
        return MARKS[asked["json_schema"]["name"]]
    said = "".join(str(message["content"]) for message in body["messages"])
    marks = {
        '"changes"': "Tracking",
        '"entities"': "World",
        '"seeds"': "Threads",
        '"contradictions"': "Contradictions",
    }
    return MARKS[next((name for mark, name in marks.items() if mark in said), "Newcomers")]


def says(**answers: dict[str, Any]) -> Any:
    """An endpoint's mind: an answer for each feature, empty where none is given."""

    def answer(body: dict[str, Any]) -> Reply:
        feature = feature_of(body)
        return Reply(json.dumps(answers.get(feature, EMPTY[feature]), ensure_ascii=False))

    return answer


def someone(name: str, quote: str, confidence: float = 0.9, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "known_id": None,
        "aliases": [],
        "quote": quote,
        "confidence": confidence,
        **more,
    }


def chapter(text: str = TEXT, **more: Any) -> ChapterInput:
    return ChapterInput(text=text, language=more.pop("language", "zh"), chapter_number=3, **more)


def asking(model: str) -> dict[FeatureKey, Route]:
    """The same model about every feature."""
    return dict.fromkeys(FEATURES, Route((Target(model=model),)))


def read(given: ChapterInput, feature: FeatureKey) -> FeatureResult:
    session = LLMAnalyzer().open(given)
    try:
        return session.run(feature, lambda part: None)
    finally:
        session.close()


def data_of(body: dict[str, Any], name: str) -> str:
    """The block of data called so in the user message."""
    (block,) = re.findall(
        rf"<<<{name} (\w+)>>>\n(.*?)\n<<<END \1>>>", body["messages"][1]["content"], re.DOTALL
    )
    return str(block[1])
