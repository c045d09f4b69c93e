"""One answer in many ways: each is read, in one request, as what it means."""

from __future__ import annotations

from typing import Any

from analysis.analyzers.base import KnownFact
from analysis.analyzers.llm import LLMAnalyzer
from analysis.features import FEATURES
from arboris.llm.errors import LLMError
from tests.analysis.answer_cases import CASES, RIGHT
from tests.analysis.llm_answers import TEXT, asking, chapter, feature_of
from tests.llm.endpoint import Endpoint, Reply

FOUND = {
    "appearance": ["沈砚秋", "顾长风"],
    "character": ["沈砚秋", "顾长风"],
    "location": ["听雨楼"],
    "item": ["青铜钥匙"],
    "state": ["沈砚秋"],
    "foreshadowing": [""],
    "contradiction": ["沈砚秋"],
}
KNOWN = (KnownFact("沈砚秋", "described", "", 1, "听雨楼的门早就封死了"),)


def found_by(model: str) -> dict[str, list[str]]:
    """Who and what the analyzer finds, by type, in the words of the text."""
    given = chapter(features=tuple(FEATURES), routes=asking(model), known_facts=KNOWN)
    session = LLMAnalyzer().open(given)
    found: dict[str, list[str]] = {}
    try:
        for feature in FEATURES:
            for one in session.run(feature, lambda part: None).findings:
                assert TEXT[one.evidence.start : one.evidence.end] == one.evidence.quote != ""
                name = getattr(one, "name", getattr(one, "character", ""))
                found.setdefault(one.type, []).append(name)
    finally:
        session.close()
    return found


def test_what_a_model_means_is_read(endpoint: Endpoint) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        return Reply(CASES[body["model"]](RIGHT[feature_of(body)]))

    endpoint.answer = answer
    wrong = {}
    for case in CASES:
        try:
            found = found_by(case)
        except LLMError as error:
            wrong[case] = repr(error)
        else:
            if found != FOUND:
                wrong[case] = repr(found)
    assert not wrong
