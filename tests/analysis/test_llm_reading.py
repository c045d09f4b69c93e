"""What the analyzer that asks a model makes of the answers."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from pytest_django import Settings

from analysis.analyzers.base import KnownCharacter, OpenThread
from analysis.analyzers.llm.chunks import Chunk, split
from analysis.analyzers.llm.names import mentions
from analysis.analyzers.llm.quotes import Finder
from arboris.bible.types.findings import Appearance, Payoff, Relation, StateChange
from tests.analysis.llm_answers import TEXT, chapter, data_of, read, says, someone
from tests.llm.endpoint import Endpoint, Reply


def test_findings_stand_where_their_quotes_stand(endpoint: Endpoint) -> None:
    endpoint.answer = says(
        character_tracking={
            "characters": [
                someone("沈砚秋", "沈砚秋推开听雨楼的门"),
                someone("顾长风", "“等不得了。”顾长风说着,"),
            ],
            "changes": [
                {
                    "character": "沈砚秋",
                    "kind": "possession",
                    "description": "得到青铜钥匙",
                    "quote": "把青铜钥匙递给他",
                    "confidence": 0.9,
                },
                {
                    "character": "沈砚秋",
                    "kind": "location",
                    "description": "回到京城",
                    "quote": "他回到了京城",
                    "confidence": 0.9,
                },
            ],
            "relations": [
                {
                    "source": "顾长风",
                    "target": "沈砚秋",
                    "relation": "师兄",
                    "quote": "把青铜钥匙递给他",
                    "confidence": 0.6,
                }
            ],
        }
    )
    one, two, gain, invented, tie = read(chapter(), "character_tracking").findings
    assert TEXT[one.evidence.start : one.evidence.end] == one.evidence.quote
    # Other quote marks and another comma: found, and worded as the text has it.
    assert two.evidence.quote == "「等不得了。」顾长风说着，"
    assert TEXT[two.evidence.start : two.evidence.end] == two.evidence.quote
    assert isinstance(gain, StateChange) and gain.kind == "possession"
    assert (invented.evidence.quote, invented.evidence.start, invented.evidence.end) == (
        "他回到了京城",
        0,
        0,
    )
    assert isinstance(tie, Relation) and (tie.source, tie.target) == ("顾长风", "沈砚秋")


def test_an_alias_resolves_by_its_id(endpoint: Endpoint) -> None:
    known = (KnownCharacter(41, "沈砚秋", ("沈公子",)), KnownCharacter(42, "顾长风"))
    text = "沈公子来了，阿秋笑了笑。顾长风看着他。"
    endpoint.answer = says(
        character_tracking={
            "characters": [
                someone("阿秋", "阿秋笑了笑", known_id=41, aliases=["沈公子", "杜撰"]),
                someone("顾长风", "顾长风看着他", known_id=41),  # his own name counts more
                someone("路人", "顾长风看着他", known_id=99),  # nobody has this id or this name
            ]
        },
        new_character_detection={"characters": [someone("阿秋", "阿秋笑了笑", known_id=41)]},
    )
    result = read(chapter(text, known_characters=known), "character_tracking")
    first, second = result.findings
    assert isinstance(first, Appearance) and isinstance(second, Appearance)
    assert (first.name, first.aliases, first.mentions) == ("沈砚秋", ["阿秋", "沈公子"], 2)
    assert second.name == "顾长风"
    assert "left out: 1" in result.notes[0]
    assert read(chapter(text, known_characters=known), "new_character_detection").findings == []


@pytest.mark.parametrize(
    ("said", "level"), [(2, 2), (0, 0), (9, 3), (-1, 0), (None, 0), (1.0, 1), (float("inf"), 3)]
)
def test_a_change_says_how_much_it_is_a_growth(endpoint: Endpoint, said: Any, level: int) -> None:
    change = {
        "character": "沈砚秋",
        "kind": "ability",
        "description": "学会听铃",
        "quote": "窗外的铃响了三声",
        "confidence": 0.9,
        "growth_level": said,
    }
    endpoint.answer = says(character_tracking={"characters": [], "changes": [change]})
    (found,) = read(chapter(), "character_tracking").findings
    assert isinstance(found, StateChange) and found.growth_level == level
    assert len(endpoint.requests) == 1


def test_a_change_of_nobody_is_left_out(endpoint: Endpoint) -> None:
    change = {
        "kind": "condition",
        "description": "死了",
        "quote": "窗外的铃响了三声",
        "confidence": 0.9,
    }
    tie = {"relation": "仇人", "quote": "窗外的铃响了三声", "confidence": 0.9}
    endpoint.answer = says(
        character_tracking={
            "characters": [],
            "changes": [{"character": who, **change} for who in ("白无衣", "顾长风", "老赵")],
            "relations": [{"source": "白无衣", "target": "顾长风", **tie}],
        }
    )
    known = (KnownCharacter(7, "赵铁山", ("老赵",)),)  # a narrator is seldom named
    result = read(chapter(known_characters=known), "character_tracking")
    assert [getattr(f, "character", "") for f in result.findings] == ["顾长风", "赵铁山"]
    assert "left out: 2" in result.notes[0]


def test_an_answer_without_growth_is_read(endpoint: Endpoint) -> None:
    change = {
        "character": "沈砚秋",
        "kind": "ability",
        "description": "学会听铃",
        "quote": "窗外的铃响了三声",
        "confidence": 0.9,
    }
    endpoint.answer = says(character_tracking={"characters": [], "changes": [change]})
    (found,) = read(chapter(), "character_tracking").findings
    assert isinstance(found, StateChange) and found.growth_level == 0


def test_both_languages_ask_for_growth(endpoint: Endpoint) -> None:
    for language in ("zh", "en"):
        read(chapter(language=language), "character_tracking")
    for body in endpoint.requests:
        assert "growth_level" in data_of(body, "TASK")
        assert "growth_level" in json.dumps(body["response_format"])


def test_a_payoff_names_its_seed(endpoint: Endpoint) -> None:
    payoff = {
        "thread": 2,
        "outcome": "paid_off",
        "description": "铃声的来历揭开",
        "keywords": [],
        "quote": "窗外的铃响了三声",
        "confidence": 0.9,
    }
    endpoint.answer = says(foreshadowing={"seeds": [], "payoffs": [payoff, payoff | {"thread": 3}]})
    threads = (OpenThread(2, "铜铃", "铃声忽起", ("铜铃",)), OpenThread(1, "钥匙", "一把钥匙"))
    (found,) = read(chapter(open_threads=threads), "foreshadowing").findings
    assert isinstance(found, Payoff)
    assert (found.seed_quote, found.keywords) == ("铃声忽起", ["铜铃"])


def test_a_long_chapter_is_read_whole_and_merged(endpoint: Endpoint, settings: Settings) -> None:
    lines = [
        f"第{n}日，沈砚秋在听雨楼写下第{n}封信，等着顾长风的回音，窗外雨声不断。"
        for n in range(1_200)
    ]
    text = "\n".join(lines)
    assert len(text) > 40_000

    def answer(body: dict[str, Any]) -> Reply:
        seen = data_of(body, "CHAPTER").split("\n")[1]
        rising = 0.5 + len(endpoint.requests) / 100
        people = [someone("沈砚秋", seen, rising), someone("砚秋", seen, 0.4, aliases=["沈砚秋"])]
        return Reply(json.dumps({"characters": people}, ensure_ascii=False))

    endpoint.answer = answer
    settings.ARBORIS_LLM_CONCURRENCY = 1
    result = read(chapter(text), "new_character_detection")
    pieces = [data_of(body, "CHAPTER") for body in endpoint.requests]
    assert len(pieces) == 5
    assert all(len(piece) <= 12_000 for piece in pieces)
    assert all(any(line in piece for piece in pieces) for line in lines)
    assert all(piece.split("\n")[0] in lines for piece in pieces)  # cut between paragraphs
    (finding,) = result.findings
    assert (finding.confidence, getattr(finding, "mentions", 0)) == (0.55, 1_200)
    assert text[finding.evidence.start : finding.evidence.end] == finding.evidence.quote
    assert finding.evidence.start > 40_000  # the surest was in the last piece
    assert result.tokens == {"prompt": 50, "completion": 25}


@pytest.mark.parametrize(
    "text", ["字" * 50_000, "一句话。" * 9_000, "word " * 9_000, "a\n\n" * 5, ""]
)
def test_pieces_cover_everything(text: str) -> None:
    pieces = split(text, 1_000)
    assert (pieces[0].start, pieces[-1].end) == (0, len(text))
    for before, after in itertools.pairwise(pieces):
        assert before.start < after.start <= before.end < after.end
    assert all(piece.end - piece.start <= 1_000 for piece in pieces)


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("他说：“走。”", "「走。」", "“走。”"),
        ("价钱是１２两", "12两", "１２两"),
        ("He  said\n“don’t”.", 'said "don\'t"', "said\n“don’t”"),
        ("一——二", "一--二", "一——二"),
        ("铃响了三声，没有人", "“铃响了三声。”", "铃响了三声"),
        ("铃响了三声", "铃响了四声", None),
    ],
)
def test_a_quote_is_found_in_other_dress(text: str, quote: str, found: str | None) -> None:
    place = Finder(text, Chunk(0, len(text))).find(quote)
    assert (text[slice(*place)] if place else None) == found


def test_mentions_count_nested_names_once() -> None:
    assert mentions("沈砚秋来了，砚秋走了，沈砚秋笑了", ["砚秋", "沈砚秋"]) == 3
    assert mentions("Ada Finch saw Adam. Ada ran.", ["Ada", "Ada Finch"]) == 2


def test_a_cut_off_answer_says_so(endpoint: Endpoint) -> None:
    whole = json.dumps({"characters": [someone("顾长风", "顾长风说着"), someone("沈砚秋", "x")]})
    endpoint.replies(Reply(whole[:-40], finish="length"))
    result = read(chapter(), "new_character_detection")
    assert [getattr(finding, "name", "") for finding in result.findings] == ["顾长风"]
    assert "cut off" in result.notes[0]
