"""Plain text to chapters."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from arboris.novels.importing import ImportLimits, NovelImportError, parse_novel
from tests.novels.reading import titles, txt

NOVEL = """《风起青州》
作者：林晚舟

第一章 初见

　　他翻到第三章，读了三遍。
　　第三章他读完了，仍然不懂。

第二章：夜雨
雨下了一夜。
"""


def test_a_chinese_novel_is_cut_at_headings() -> None:
    novel = txt(NOVEL)
    assert novel.title == "风起青州"
    assert novel.language == "zh"
    assert [(c.number, c.title) for c in novel.chapters] == [
        (1, "第一章 初见"),
        (2, "第二章：夜雨"),
    ]
    assert novel.chapters[0].content == (
        "　　他翻到第三章，读了三遍。\n　　第三章他读完了，仍然不懂。"
    )
    assert novel.chapters[1].content == "雨下了一夜。"
    assert novel.set_aside == ["作者：林晚舟"]


def test_english_prose_is_no_heading() -> None:
    novel = txt(
        "The Hill\nby John Roe\n\nCHAPTER I.\n\nDown he went.\n\nHe had, as we have said in\n"
        "Chapter 3. It was good.\n\nChapter Two: Up\n\nUp he went.\n\nEpilogue\n\nRain.\n"
    )
    assert (novel.title, novel.language) == ("The Hill", "en")
    assert titles(novel) == ["CHAPTER I.", "Chapter Two: Up", "Epilogue"]
    assert "Chapter 3. It was good." in novel.chapters[0].content


def test_a_table_of_contents_makes_no_chapters() -> None:
    contents = "目录\n第一章 初见……1\n第二章 夜雨……9\n尾声……20\n\n"
    novel = txt("风起青州\n\n" + contents + "第一章 初见\n一。\n第二章 夜雨\n二。\n尾声\n三。")
    assert titles(novel) == ["第一章 初见", "第二章 夜雨", "尾声"]
    assert [c.content for c in novel.chapters] == ["一。", "二。", "三。"]
    assert (novel.title, novel.set_aside) == ("风起青州", [])


def test_a_foreword_behind_the_contents() -> None:
    foreword = "这是一本写了十年的书。" * 30
    novel = txt(
        f"目录\n第一章 初见\n第二章 夜雨\n\n{foreword}\n\n"
        "第一卷 风起\n第一章 初见\n一。\n第二章 夜雨\n二。"
    )
    assert titles(novel) == ["序", "第一卷 风起 第一章 初见", "第二章 夜雨"]
    assert novel.chapters[0].content == foreword


def test_english_contents_with_short_headings() -> None:
    novel = txt(
        "CONTENTS\n\nChapter I. Down\nChapter II. Up\n\nCHAPTER I\n\nDown.\n\nCHAPTER II\n\nUp.\n",
        "hill.txt",
    )
    assert titles(novel) == ["CHAPTER I", "CHAPTER II"]
    assert [c.content for c in novel.chapters] == ["Down.", "Up."]


def test_numbers_anew_in_each_volume() -> None:
    novel = txt("第一卷\n第一章\n甲。\n第二章\n乙。\n第二卷\n第一章\n丙。\n第二章\n丁。")
    assert titles(novel) == ["第一卷 第一章", "第二章", "第二卷 第一章", "第二章"]
    assert [c.number for c in novel.chapters] == [1, 2, 3, 4]


def test_sections_inside_chapters_stay_in_the_text() -> None:
    novel = txt("第一章 山\n他来了。\n第一节 上\n上。\n第二章 水\n她来了。\n第一节 下\n下。")
    assert titles(novel) == ["第一章 山", "第二章 水"]
    assert novel.chapters[0].content == "他来了。\n第一节 上\n上。"


def test_chapters_without_text_group_sections() -> None:
    novel = txt("第一章 山\n第一节 上\n上。\n第二节 中\n中。\n第二章 水\n第一节 下\n下。")
    assert titles(novel) == ["第一章 山 第一节 上", "第二节 中", "第二章 水 第一节 下"]


def test_text_before_the_first_heading() -> None:
    long = "这座城已经下了三百年的雨。" * 20
    assert titles(txt(f"{long}\n\n第一章 甲\n甲。")) == ["序", "第一章 甲"]
    english = "It had rained for years in that town. " * 10
    assert titles(txt(f"{english}\n\nChapter 1\n\nOne.")) == ["Preface", "Chapter 1"]
    short = txt("少年下山，遇雨而止。\n\n第一章 甲\n甲。")
    assert (short.chapters[0].content, short.set_aside) == ("甲。", ["少年下山，遇雨而止。"])


def test_doubled_and_empty_headings() -> None:
    novel = txt("第一章 甲\n甲。\n第二章 乙\n第二章 乙\n乙。\n第三章 丙\n\n第四章 丁\n丁。")
    assert titles(novel) == ["第一章 甲", "第二章 乙", "第四章 丁"]
    assert novel.set_aside == ["第三章 丙"]


def test_headings_without_any_text_are_the_text() -> None:
    novel = txt("第一章 甲\n第二章 乙\n第三章 丙", "大纲.txt")
    assert titles(novel) == ["大纲"]
    assert novel.chapters[0].content == "第一章 甲\n第二章 乙\n第三章 丙"


def test_without_headings_there_is_one_chapter() -> None:
    novel = parse_novel("C:\\稿\\《夜雨》.TXT", "雨下了一夜。\n\n他没有来。".encode())
    assert (novel.title, titles(novel)) == ("夜雨", ["夜雨"])
    assert novel.chapters[0].content == "雨下了一夜。\n\n他没有来。"


def test_a_long_text_is_cut_between_paragraphs() -> None:
    paragraphs = [f"第{n}段。" + "他走了很远的路。" * 30 for n in range(300)]
    novel = txt("\n\n".join(paragraphs))
    assert titles(novel)[:2] == ["第 1 部分", "第 2 部分"]
    assert all(len(c.content) <= 20_000 for c in novel.chapters)
    assert "\n\n".join(c.content for c in novel.chapters).split("\n\n") == paragraphs


def test_an_endless_paragraph_is_cut() -> None:
    text = "他走了很远的路。" * 100
    novel = parse_novel("a.txt", text.encode(), ImportLimits(part_chars=100))
    assert all(c.content.endswith("。") and len(c.content) <= 100 for c in novel.chapters)
    assert "".join(c.content for c in novel.chapters) == text


# --- nothing is lost --------------------------------------------------------------------

SENTENCES = st.sampled_from(
    ["他翻到第三章，读了三遍。", "雨下了一夜。", "“谁？”", "Chapter 3 was dull.", "　　山路很长。"]
)
BODIES = st.lists(SENTENCES, max_size=4)
HEADINGS = st.sampled_from(
    ["第{}章 风", "第{}回", "第{}节 雨", "第{}卷 云", "Chapter {}", "序章", "尾声", "番外{}"]
)
SECTIONS = st.lists(st.tuples(HEADINGS, BODIES), max_size=12)


@settings(max_examples=300, deadline=None)
@given(front=BODIES, sections=SECTIONS, gap=st.sampled_from(["\n", "\n\n"]), as_md=st.booleans())
def test_every_paragraph_is_in_one_chapter_or_set_aside(
    front: list[str], sections: list[tuple[str, list[str]]], gap: str, as_md: bool
) -> None:
    serial = 0
    lines: list[str] = []
    wanted: list[str] = []

    def add(body: list[str]) -> None:
        nonlocal serial
        for sentence in body:
            serial += 1
            wanted.append(f"{sentence}〔{serial}〕。")
            lines.append(wanted[-1])

    add(front)
    for number, (heading, body) in enumerate(sections, start=1):
        lines.append(("## " if as_md else "") + heading.format(number))
        add(body)
    if not lines:
        return
    novel = parse_novel("a.md" if as_md else "a.txt", gap.join(lines).encode())
    assert [c.number for c in novel.chapters] == list(range(1, len(novel.chapters) + 1))
    assert all(c.content.strip() and c.title for c in novel.chapters)
    texts = [*novel.set_aside, *(chapter.content for chapter in novel.chapters)]
    found = [line for text in texts for line in text.split("\n") if "〔" in line]
    assert found == wanted


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=80)
    ),
    suffix=st.sampled_from([".txt", ".md"]),
)
def test_any_text_is_read_or_refused_with_a_code(lines: list[str], suffix: str) -> None:
    try:
        novel = parse_novel("a" + suffix, "\n".join(lines).encode())
    except NovelImportError as error:
        assert error.code in {"empty", "bad_encoding"}
        return
    assert novel.chapters
    assert all(c.content.strip() for c in novel.chapters)
