"""Texts whose lines are broken at a fixed width."""

from __future__ import annotations

import textwrap

import pytest

from tests.novels.reading import md, titles, txt
from tests.novels.test_importing_series import EN, ZH

VERSE = ["The lamp is low,", "The tide is slow,", "And none will go", "Across the river."]


def wrap_zh(paragraph: str, columns: int) -> str:
    return "\n".join(paragraph[at : at + columns] for at in range(0, len(paragraph), columns))


@pytest.mark.parametrize("columns", [50, 65, 72, 80])
def test_english_lines_become_paragraphs_again(columns: int) -> None:
    said = "“Who rang?” she asked.\n“Nobody.”\n“Then why did it ring?”"
    told = [*EN, said, "\n".join(VERSE), *EN[::-1]]
    wrapped = "\n\n".join(textwrap.fill(one, columns) if one in EN else one for one in told)
    novel = txt(f"Chapter One\n\n{wrapped}\n\nChapter Two\n\n{wrapped}\n")
    assert titles(novel) == ["Chapter One", "Chapter Two"]
    assert novel.chapters[0].content == "\n\n".join(told)
    assert novel.chapters[1].content == "\n\n".join(told)


@pytest.mark.parametrize("columns", [25, 35, 40])
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_chinese_lines_become_paragraphs_again(columns: int, gap: str) -> None:
    told = [*(ZH[0] + one.strip() for one in ZH), "　　“谁？”", "　　“是我。”", "　　" + "雨" * 60]
    wrapped = gap.join(wrap_zh(one, columns) for one in told * 2)
    novel = txt(f"第一章 归航\n\n{wrapped}\n\n第二章 旧灯\n\n{wrapped}")
    assert novel.chapters[0].content == gap.join(told * 2)
    assert titles(novel) == ["第一章 归航", "第二章 旧灯"]


def test_lines_with_a_blank_between_any_two() -> None:
    wrapped = "\n\n\n".join(textwrap.fill(one, 60).replace("\n", "\n\n") for one in EN * 2)
    novel = txt(f"Chapter 1\n\n{wrapped}\n\nChapter 2\n\n{wrapped}")
    paragraphs = [line for line in novel.chapters[0].content.split("\n") if line]
    assert paragraphs == EN * 2


@pytest.mark.parametrize(
    "lines",
    [
        VERSE * 6,
        ["床前明月光，", "疑是地上霜。", "举头望明月，", "低头思故乡。"] * 6,
        ["“谁在那里？”他问，没有人回答他的话。", "“是我，”她说，声音比雨还要轻得多。"] * 8,
        [line.strip() for line in ZH] * 4,
        EN * 4,
        ["短。", "雨下了一夜，到天亮也没有停。", "他走了。"] * 8,
        ["Rain fell.", "He waited by the door of the ferry house for an hour.", "No one came."] * 8,
    ],
)  # fmt: skip
def test_verse_dialogue_and_paragraphs_stay(lines: list[str]) -> None:
    assert txt("\n".join(lines)).chapters[0].content == "\n".join(lines)


def test_hyphens_at_the_end_of_a_line() -> None:
    text = (
        "The lighthouse keeper went down to the water with his lamp and his light-\n"
        "house coat, for the night was cold and the well-known path was slippery and\n"
        "dark; he had walked it for forty years, winter and summer, and was a well-\n"
        "known man on the river, who spoke to nobody and to whom nobody spoke--not\n"
        "one word--\nin all the years that he had kept the light at the end of the pier\n"
        "where the ferry lands on Sundays when the water is neither too high nor low\n"
        "and the fog has not come up yet from the marshes on the other side of town.\n"
    )
    content = txt(text * 2).chapters[0].content
    assert "his lighthouse coat" in content
    assert "a well-known man" in content


def test_markdown_is_unwrapped_outside_of_fences() -> None:
    paragraph = textwrap.fill(" ".join(EN), 70)
    panel = "\n".join(["| " + "level " * 11 + "|"] * 3)
    novel = md(f"# One\n\n{paragraph}\n\n```\n{panel}\n```\n\n# Two\n\n{paragraph}\n")
    assert novel.chapters[0].content == " ".join(EN) + f"\n\n```\n{panel}\n```"
    assert novel.chapters[1].content == " ".join(EN)


def test_a_line_of_prose_that_begins_like_a_heading() -> None:
    prose = (
        "He had never read the whole book, and when the teacher asked him about it\n"
        "Chapter 3 was all that he could remember, and of that only the boat and\n"
        "Part Two he had lost on the ferry, where it fell into the river one night.\n"
    ) * 4
    novel = txt(f"Chapter 1\n\n{prose}\nChapter 2\n\n{prose}")
    assert titles(novel) == ["Chapter 1", "Chapter 2"]


def test_lines_that_were_broken_by_hand() -> None:
    ragged = [textwrap.fill(one, 70 - at % 3 * 7) for at, one in enumerate(EN * 6)]
    verse = "\n".join(
        ["The lamp was low upon the pier that night", "And all the tide ran out beneath the fog",
         "Across the water came a single light", "Between the ferry and the floating log"]
    )  # fmt: skip
    text = "\n\n".join([*ragged, verse, *ragged])
    content = txt(text).chapters[0].content
    assert content == "\n\n".join([*EN * 6, verse, *EN * 6])
