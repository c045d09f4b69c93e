"""A long chapter is asked about in pieces, each of which knows what the earlier ones have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django import Settings

from analysis.analyzers.llm import LLMAnalyzer
from analysis.features import FEATURES
from tests.analysis.llm_answers import EMPTY, chapter, data_of, feature_of, someone
from tests.llm.endpoint import Endpoint, Reply

FIRST, SECOND = "沈砚秋推开听雨楼的木门。", "老沈把灯吹灭，没有回头。"
RAIN, DAWN = ["檐下的雨落了一夜，没有人说话。"] * 70, ["天色微明，街上无人。"] * 30
LONG = "\n".join([FIRST, *RAIN, SECOND, *DAWN])


@pytest.fixture
def pieces(settings: Settings) -> None:
    settings.ARBORIS_LLM_CHUNK_CHARS = 1_000


def answer(body: dict[str, Any]) -> Reply:
    """As a model that goes by what it is told: who 老沈 is, only FOUND can tell."""
    feature = feature_of(body)
    said: dict[str, Any] = dict(EMPTY[feature])
    piece, told = data_of(body, "CHAPTER"), body["messages"][1]["content"]
    if feature == "character_tracking":
        if FIRST in piece:
            said["characters"] = [someone("沈砚秋", FIRST)]
        elif SECOND in piece:
            known = "<<<FOUND" in told and "沈砚秋" in data_of(body, "FOUND")
            name, aliases = ("沈砚秋", ["老沈"]) if known else ("老沈", [])
            said["characters"] = [someone(name, SECOND) | {"aliases": aliases}]
    return Reply(json.dumps(said, ensure_ascii=False))


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("cut_off", [False, True])
def test_later_pieces_know_whom_earlier_ones_have(
    endpoint: Endpoint, settings: Settings, cut_off: bool
) -> None:
    """Also the second half of a piece that was halved because its answer was cut off."""
    if cut_off:
        settings.ARBORIS_LLM_CHUNK_CHARS = 100_000
    endpoint.answer = lambda body: (
        Reply('{"characters": [', finish="length")
        if cut_off and data_of(body, "CHAPTER") == LONG and feature_of(body) == "character_tracking"
        else answer(body)
    )
    session = LLMAnalyzer().open(chapter(LONG, features=tuple(FEATURES)))
    (person,) = session.run("character_tracking", lambda part: None).findings
    others = [session.run(key, lambda part: None) for key in list(FEATURES)[1:]]
    session.close()
    assert (person.name, person.aliases) == ("沈砚秋", ["老沈"])  # type: ignore[union-attr]
    assert [one.findings for one in others] == [[]] * len(others)
    # What all questions about a piece have in common does not tell it.
    asked = {
        (feature_of(body), data_of(body, "CHAPTER")): body["messages"][1]["content"]
        for body in endpoint.requests
    }
    for (feature, piece), text in asked.items():
        alike, found, _ = text.partition("FOUND ")
        assert bool(found) == (feature == "character_tracking" and FIRST not in piece)
        other = asked.get(("world_expansion", piece))
        assert other is None or not found or other.startswith(alike[: alike.rindex("\n\n")])
