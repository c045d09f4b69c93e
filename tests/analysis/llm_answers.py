"""A chapter, and the answers of a model that is asked for the features of its analysis."""

from __future__ import annotations

import json
from typing import Any

from analysis.features import FeatureKey
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
}
MARKS: dict[str, FeatureKey] = {
    "Tracking": "character_tracking",
    "Newcomers": "new_character_detection",
    "World": "world_expansion",
    "Threads": "foreshadowing",
}


def feature_of(body: dict[str, Any]) -> FeatureKey:
    return MARKS[body["response_format"]["json_schema"]["name"]]


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
