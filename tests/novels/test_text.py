"""Word count, language, basic summary, storability."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arboris.novels.manuscript.blocks import blocks
from arboris.novels.text import (
    Language,
    extractive_summary,
    guess_language,
    word_count,
)
from arboris.storable import find_unstorable, storable

CHAPTER = (
    "第三章 夜雨\n\n"
    "　　青州城的雨下了一夜。沈砚提着旧剑走进听雨楼，楼里只有一个说书人。\n"
    "　　“你来了。”说书人说。\n"
    "　　沈砚没有回答。他把旧剑放在桌上，剑鞘上刻着青州沈家的家徽。天色很暗。风有些冷。\n"
    "　　“这把旧剑，是你父亲留下的？”\n"
    "　　茶凉了。窗外有人走过。他想起许多小事。灯花爆了一下。远处有狗叫。\n"
    "　　说书人拔出旧剑，看见剑身上有一道裂痕，那是十年前听雨楼大火留下的。\n"
    "　　他们喝了茶。谁也没有说话。又过了很久。门外的脚步声停了。有人咳嗽了一声。\n"
    "　　“十年前放火的人，今夜会回青州。”说书人把旧剑推了回来。\n"
    "　　沈砚握紧旧剑，走进了青州的夜雨里。\n"
)


# The desk counts in the browser; tests/browser/test_desk.py holds it to the same.
COUNTED = json.loads(Path(__file__).with_name("word_counts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("text", "count"), COUNTED)
def test_words_are_counted_as_in_the_browser(text: str, count: int) -> None:
    assert word_count(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("，。！？……——“”", 0),
        ("他走了。", 3),
        ("他说OK，走了 3.14 公里", 8),
        ("Don't stop: a well-known road—2,000 miles.", 7),
        ("café cafe\u0301 naïve", 3),
        ("𠀀㐀々〇", 4),
        ("カタカナ", 4),
        ("snake_case", 2),
        ("ＡＢＣ 全角", 3),
        ("Привет мир", 2),
        ("第1章", 3),
    ],
)
def test_word_count(text: str, count: int) -> None:
    assert word_count(text) == count


@given(st.text(), st.text())
def test_word_count_adds_up_over_lines(one: str, other: str) -> None:
    assert word_count(f"{one}\n{other}") == word_count(one) + word_count(other)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "zh"),
        ("123", "zh"),
        ("他走了。", "zh"),
        ("He left.", "en"),
        ("他对 John Smith 说：明天见，不见不散。", "zh"),
        ("He said 你好 and left the house.", "en"),
    ],
)
def test_guess_language(text: str, language: Language) -> None:
    assert guess_language(text) == language


def test_a_summary_takes_what_carries() -> None:
    summary = extractive_summary(CHAPTER, "zh", 120)
    assert len(summary) <= 120
    assert "旧剑" in summary and "青州" in summary
    for filler in ("风有些冷", "远处有狗叫", "谁也没有说话", "第三章"):
        assert filler not in summary


def in_order(text: str, pieces: list[str]) -> bool:
    at = 0
    for piece in pieces:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def test_a_summary_keeps_the_order() -> None:
    summary = extractive_summary(CHAPTER, "zh", 100)
    assert summary[-1] in "。？！”"
    pieces = [piece for piece in summary.replace("”", "").replace("“", "").split("。") if piece]
    assert in_order(CHAPTER.replace("”", "").replace("“", ""), pieces)
    assert summary.count("“") == summary.count("”")


def test_english_summaries_know_abbreviations() -> None:
    line = "Mr. Vane took the iron key to Harrowgate. It rained. The key opened the tower of {}. "
    text = "\n".join(line.format(place) for place in ["Oswin", "Fenwick", "Thessaly"] * 20)
    summary = extractive_summary(text, "en")
    assert 0 < len(summary.split()) <= 80
    assert "Mr." not in summary.replace("Mr. Vane took the iron key to Harrowgate.", "")
    assert summary.endswith(".")


def test_hard_wrapped_english_is_joined() -> None:
    text = "The key was\nmade of iron. It\nwas cold."
    assert extractive_summary(text, "en") == "The key was made of iron. It was cold."


@pytest.mark.parametrize(
    ("text", "language", "limit", "summary"),
    [
        ("", "zh", 200, ""),
        (" \n\t\u3000", "zh", 200, ""),
        ("短。", "zh", 200, "短。"),
        ("……", "zh", 200, "……"),
        ("他他他。的的的。", "zh", 4, "他他他。"),
        ("很长很长的一句话没有尽头", "zh", 4, "很长很长"),
        ("山高路远，水长天阔，无尽头无归处", "zh", 9, "山高路远"),
        ("one two three four", "en", 5, "one two"),
        ("雨", "en", 1, "雨"),
    ],
)
def test_summaries_at_the_edges(text: str, language: Language, limit: int, summary: str) -> None:
    assert extractive_summary(text, language, limit) == summary


def test_a_limit_below_one_is_an_error() -> None:
    with pytest.raises(ValueError, match="limit"):
        extractive_summary("雨。", "zh", 0)


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(st.sampled_from("他她雨夜青州剑。！？…”“\n ,.!?\"'abMr 　Z0"), max_size=300),
    language=st.sampled_from(["zh", "en"]),
    limit=st.integers(1, 60),
)
def test_summaries_keep_their_promises(text: str, language: Language, limit: int) -> None:
    summary = extractive_summary(text, language, limit)
    assert summary == extractive_summary(text, language, limit)
    assert bool(summary.strip()) == bool(text.strip())
    if language == "zh":
        assert len(summary) <= limit
    else:
        assert len(summary.split()) <= max(1, limit * 2 // 5)


def varied(size: int) -> str:
    return "".join(
        f"{CHAPTER}{chr(0x4E00 + n % 20000)}{chr(0x5E00 + n % 9000)}来。"
        for n in range(size // 300)
    )[:size]


# Time that grows with the square of the text would end at the limit of a single test.
@pytest.mark.parametrize("junk", [".", "A. ", "“", '"', "他了。", "a ", "...!? ", "字", "\n", "'"])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.slow
def test_crafted_text_takes_linear_time(junk: str, language: Language) -> None:
    text = "x" + junk * (200_000 // len(junk))
    assert extractive_summary(text, language)
    word_count(text)


@pytest.mark.slow
def test_a_summary_takes_linear_time() -> None:
    assert extractive_summary(varied(400_000), "zh")


@pytest.mark.parametrize(
    ("text", "named", "offset"),
    [
        ("ab\x00c\x01", "U+0000", 2),
        ("雨\x0b", "U+000B", 1),
        ("\x1f", "U+001F", 0),
        ("𠀀a\ud83d", "U+D83D", 2),
        ("\udc80\x00", "U+DC80", 0),
    ],
)
def test_unstorable_characters_are_named(text: str, named: str, offset: int) -> None:
    message = find_unstorable(text)
    assert message is not None
    assert named in message
    assert str(offset) in message.replace(named, "")


@given(st.text())
def test_what_is_left_can_be_stored(text: str) -> None:
    assert find_unstorable(storable(text)) is None


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_ordinary_text_can_be_stored(text: str) -> None:
    text += "\t\r\n😀"
    assert find_unstorable(text) is None
    assert storable(text) == text


SCENES = json.loads(Path(__file__).with_name("scene_breaks.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("line", "is_break"), SCENES)
def test_a_scene_break_is_what_the_page_shows_as_one(line: str, is_break: bool) -> None:
    assert ("break" in [one.kind for one in blocks(line)]) == is_break
