"""Text and Markdown files to chapters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arboris.novels.importing import (
    SUFFIXES,
    ImportedNovel,
    ImportLimits,
    NovelImportError,
    parse_novel,
)
from arboris.novels.importing.headings import heading_number, match_heading

NOVEL = """《风起青州》
作者：林晚舟

第一章 初见

　　他翻到第三章，读了三遍。
　　第三章他读完了，仍然不懂。

第二章：夜雨
雨下了一夜。
"""


def titles(novel: ImportedNovel) -> list[str]:
    return [chapter.title for chapter in novel.chapters]


def txt(text: str, name: str = "小说.txt") -> ImportedNovel:
    return parse_novel(name, text.encode())


def md(text: str) -> ImportedNovel:
    return parse_novel("novel.md", text.encode())


def code_of(filename: str, data: bytes, limits: ImportLimits | None = None) -> str:
    with pytest.raises(NovelImportError) as caught:
        parse_novel(filename, data, limits or ImportLimits())
    assert str(caught.value) == caught.value.message != ""
    assert caught.value.field == "file"
    return caught.value.code


# --- headings ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "第一章",
        "第一章 初见",
        "　　第十二章　夜雨江湖",
        "第3章：你是谁？",
        "第１２章 全角",
        "第一百零三章 他来了！",
        "第三章初见",
        "第十二回 贾宝玉神游太虚境，警幻仙曲演红楼梦",
        "第二回甄士隐梦幻识通灵",
        "第一节 山门",
        "第二卷 云涌",
        "第一卷 风起 第一章 初见",
        "正文 第一章 初见",
        "【第五章】 归途",
        "=== 第六章 雪 ===",
        "第 7 章 - 尾随",
        "序章",
        "楔子：旧事",
        "尾声",
        "番外 中秋",
        "番外一 归来",
        "番外（二） 远行",
        "Chapter 1",
        "CHAPTER I.",
        "CHAPTER I. Down the Rabbit-Hole",
        "Chapter One: The Boy",
        "Chapter Twenty-One - Rain",
        "Chapter the First",
        "Chapter 12 The Long Road Home",
        "PART TWO",
        "Book I: Ashes",
        "Prologue",
        "EPILOGUE",
        "Epilogue: Ten Years Later",
    ],
)
def test_a_heading_is_seen(line: str) -> None:
    assert match_heading(line) is not None


@pytest.mark.parametrize(
    "line",
    [
        "他翻到第三章，读了三遍。",
        "第三章他读完了，仍然不懂。",
        "第三章的内容他已经忘了",
        "第三章里写着一个名字",
        "第三章、第四章都没有写完",
        "第一章完",
        "第二节课他没有去",
        "第三回合开始",
        "第一次见面",
        "第一部分到此为止",
        "尾声渐渐远去",
        "番外人来了",
        "序列号",
        "Chapter 3 was hard to write.",
        "chapter 3",
        "Chapter Three of the book, which he had read",
        "Chapters 1-3 were dull.",
        "He opened Chapter 3.",
        "Introductions were made.",
        "Chapter I wrote yesterday",
        "Part of him stayed.",
        "第一章 " + "很" * 200,
    ],
)
def test_prose_is_no_heading(line: str) -> None:
    assert match_heading(line, alone=False) is None


# --- plain text -------------------------------------------------------------------------


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


# --- Markdown ---------------------------------------------------------------------------


def test_markdown_with_volumes_and_scenes() -> None:
    novel = md(
        "# 风起青州\n\n## 第一卷 山\n\n### 第一章 甲\n\n甲。\n\n#### 雨\n\n雨。\n\n"
        "### 第二章 乙\n\n乙。\n\n### 尾声\n\n终。\n"
    )
    assert novel.title == "风起青州"
    assert titles(novel) == ["第一卷 山 第一章 甲", "第二章 乙", "尾声"]
    assert novel.chapters[0].content == "甲。\n\n#### 雨\n\n雨。"


@pytest.mark.parametrize("sign", ["#", "##", "###"])
def test_markdown_chapters_at_any_level(sign: str) -> None:
    novel = md(f"{sign} The Door\n\nHe came.\n\n{sign} The Key\n\nShe left.\n")
    assert titles(novel) == ["The Door", "The Key"]
    assert novel.title == "novel"


def test_markdown_with_front_matter() -> None:
    novel = md('---\ntitle: "The Hill"\nauthor: Roe\n---\n\n## One\n\nA.\n\n## Two\n\nB.\n')
    assert (novel.title, titles(novel)) == ("The Hill", ["One", "Two"])
    assert md("# 短篇\n\n雨下了一夜。").title == "短篇"
    assert md("# 短篇\n\n雨下了一夜。").chapters[0].content == "雨下了一夜。"


def test_markdown_without_headings_and_hashtags() -> None:
    assert titles(md("**第一章 甲**\n\n甲。\n\n**第二章 乙**\n\n乙。")) == [
        "第一章 甲",
        "第二章 乙",
    ]
    novel = md("##第一章 甲\n\n#晚安 她写道。\n\n##第二章 乙\n\n乙。")
    assert titles(novel) == ["第一章 甲", "第二章 乙"]
    assert novel.chapters[0].content == "#晚安 她写道。"


@pytest.mark.parametrize(
    ("title", "number"),
    [("第十二章 雨", 12), ("第一二章", 12), ("第１２回：雨", 12), ("第两千零三十章", 2030),
     ("第廿一节 甲", 21), ("第一卷 风 第二章 雨", 2), ("第一卷 风", None),
     ("序章", None), ("雨", None), ("", None),
     ("Chapter XIV: Rain", 14), ("Chapter Nine", 9), ("Chapter 3", 3), ("Part Two", None)],
)  # fmt: skip
def test_the_number_in_a_title(title: str, number: int | None) -> None:
    assert heading_number(title) == number


# --- bytes ------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_encodings(encoding: str) -> None:
    found = parse_novel("a.txt", NOVEL.encode(encoding))
    assert found.encoding == {"gbk": "gb18030", "utf-8-sig": "utf-8"}.get(encoding, encoding)
    assert replace(found, encoding="utf-8") == parse_novel("a.txt", NOVEL.encode())


@pytest.mark.parametrize(
    "data",
    [
        NOVEL.encode("utf-16-le"),
        ("他這個人總是在下雨的時候來，說是為了看雨。" * 20).encode("big5"),
        "She didn’t know. It wasn’t his.".encode("cp1252"),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x00\x80\xff\xff",
        b"\xef\xbb\xbf\xff\xfe",
        b"\xff\xfe\x00",
    ],
    ids=["utf-16 without mark", "big5", "windows-1252", "png", "broken utf-8", "half utf-16"],
)
def test_what_is_in_no_known_encoding_is_refused(data: bytes) -> None:
    assert code_of("a.txt", data) == "bad_encoding"


def test_control_characters_are_cleaned() -> None:
    text = "第一章 甲\r\n一\x00二\x1b三\t四\x7f\u2028五\r六" + "。" * 200
    novel = parse_novel("a.txt", text.encode())
    assert novel.chapters[0].content == "一二三\t四\n五\n六" + "。" * 200


@pytest.mark.parametrize(
    ("filename", "data", "code"),
    [
        ("a.pdf", b"x", "unsupported_type"),
        ("txt", b"x", "unsupported_type"),
        ("a.txt.exe", b"x", "unsupported_type"),
        ("a.txt", b"", "empty"),
        ("a.txt", b" \r\n\t\n", "empty"),
        ("a.txt", b"\xef\xbb\xbf", "empty"),
        ("a.md", b"\n\n", "empty"),
        ("a.epub", b"", "empty"),
    ],
)
def test_refused_files(filename: str, data: bytes, code: str) -> None:
    assert code_of(filename, data) == code


def test_limits() -> None:
    assert code_of("a.txt", b"x" * 11, ImportLimits(file_bytes=10)) == "too_large"
    many = "".join(f"第{n}章\n字。\n" for n in range(1, 5_002)).encode()
    assert code_of("a.txt", many) == "too_many_chapters"
    assert len(parse_novel("a.txt", many, ImportLimits(chapters=5_001)).chapters) == 5_001


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


@settings(max_examples=200, deadline=None)
@given(data=st.binary(min_size=1, max_size=300), suffix=st.sampled_from(SUFFIXES))
def test_any_bytes_are_read_or_refused_with_a_code(data: bytes, suffix: str) -> None:
    try:
        parse_novel("a" + suffix, data)
    except NovelImportError as error:
        assert error.code in {"empty", "bad_encoding", "bad_epub", "bad_file"}
